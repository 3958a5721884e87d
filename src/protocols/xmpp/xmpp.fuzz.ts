import { writeXml, type XmlElement, XmlStreamReader } from '#protocols/xml';
import type { FuzzTarget } from '#tools/fuzz';
import { jidText, parseJid } from './jid.ts';
import { fitsLink } from './link/fits-link.ts';
import { LinkStream } from './link/link-stream.ts';
import { originOf, withOrigin } from './link/origin.ts';
import type { StreamAction } from './stream/actions.ts';
import type { InboundStream } from './stream/inbound-stream.ts';
import { linkLimits, partnerLimits, strangerLimits } from './stream/limits.ts';
import type { OutboundStream } from './stream/outbound-stream.ts';
import {
  certified,
  HEADER,
  header,
  inbound,
  message,
  OURS,
  outbound,
  say,
  settings,
  THEIRS,
} from './testing/stage.ts';

const SASL = 'urn:ietf:params:xml:ns:xmpp-sasl';
const AUTH = `<auth xmlns='${SASL}' mechanism='EXTERNAL'>=</auth>`;
const STARTTLS = `<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>`;
const PROCEED = `<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>`;
const SUCCESS = `<success xmlns='${SASL}'/>`;
const RESULT = `<db:result from='${THEIRS}' to='${OURS}'>key</db:result>`;
const VALID = `<db:result from='${THEIRS}' to='${OURS}' type='valid'/>`;
const VERIFY = `<db:verify from='${THEIRS}' to='${OURS}' id='1'>key</db:verify>`;
const MANAGED = `<enable xmlns='urn:xmpp:sm:3'/><r xmlns='urn:xmpp:sm:3'/><a xmlns='urn:xmpp:sm:3' h='0'/>`;
const MECHANISMS = `<mechanisms xmlns='${SASL}'><mechanism>EXTERNAL</mechanism></mechanisms>`;
const OPEN = header(THEIRS, OURS);
const LINK_OPENING = `${OPEN}<enable xmlns='urn:xmpp:sm:3'/>`;
const seeds = [
  HEADER,
  STARTTLS,
  PROCEED,
  AUTH,
  SUCCESS,
  RESULT,
  VALID,
  VERIFY,
  MANAGED,
  message(),
  `${HEADER}${STARTTLS}`,
]
  .concat([
    `${OPEN}<stream:features>${STARTTLS}${MECHANISMS}</stream:features>`,
    `${HEADER}<stream:error/>`,
    '</stream:stream>',
  ])
  .map((text) => Buffer.from(text));

interface State {
  readonly make: () => InboundStream | OutboundStream;
  /** Whether the domain of the partner may have been proven after whatever comes. */
  readonly provable: boolean;
}

/**
 * The first octet chooses the state and how the rest is cut. Whatever comes: after the end nothing more happens, and no
 * stanza passes whose domains were not proven.
 */
function runState(input: Uint8Array): void {
  const [first = 0] = input;
  const state = states[first % states.length];
  if (state === undefined) return;
  const stream = state.make();
  const size = first < 128 ? input.length : 7;
  const actions: StreamAction[] = [];
  for (let at = 1; at < input.length; at += size)
    actions.push(...stream.handleBytes(input.subarray(at, at + size), 1));
  check(actions, state.provable);
}

function check(actions: readonly StreamAction[], proven: boolean): void {
  const end = actions.findIndex(({ type }) => type === 'close');
  if (end >= 0 && end !== actions.length - 1) throw new Error('something follows the end');
  for (const action of actions) {
    if (action.type !== 'stanza') continue;
    const believed = action.pair.from === THEIRS && action.pair.to === OURS;
    if (!proven || !believed) throw new Error('a stanza of a domain that was not proven');
  }
}

function identified(): InboundStream {
  const stream = inbound({ methods: ['sasl-external'], security: certified(THEIRS) });
  say(stream, HEADER);
  say(stream, AUTH);
  say(stream, HEADER);
  return stream;
}
function calledBack(): InboundStream {
  const stream = inbound({ methods: ['tcp-dialback'] });
  say(stream, HEADER + RESULT);
  stream.handleDialbackChecked({ from: THEIRS, to: OURS }, 'stream-1', true, 0);
  return stream;
}
function after(stream: InboundStream, text: string): InboundStream {
  say(stream, text);
  return stream;
}
function opened(stream: OutboundStream, ...texts: string[]): OutboundStream {
  stream.start(0);
  for (const text of texts) say(stream, text);
  return stream;
}
const secure = certified(THEIRS);

const states: readonly State[] = [
  { make: () => inbound({ methods: ['sasl-external', 'tcp-dialback'] }), provable: false },
  { make: () => after(inbound({ methods: ['sasl-external'] }), HEADER), provable: false },
  {
    make: () => after(inbound({ methods: ['sasl-external'], security: certified() }), HEADER),
    provable: false,
  },
  { make: () => after(inbound({ methods: ['sasl-external'], security: secure }), HEADER), provable: true },
  { make: identified, provable: true },
  { make: () => after(inbound({ methods: ['tcp-dialback'] }), HEADER + RESULT), provable: false },
  { make: calledBack, provable: true },
  { make: () => opened(outbound({ methods: ['sasl-external'] })), provable: false },
  { make: () => opened(outbound({ methods: ['sasl-external', 'tcp-dialback'] }), OPEN), provable: false },
  { make: () => opened(outbound({ methods: ['sasl-external'], security: secure }), OPEN), provable: false },
  {
    make: () =>
      opened(
        outbound({ methods: ['sasl-external'], security: secure }),
        `${OPEN}<stream:features>${MECHANISMS}</stream:features>`,
      ),
    provable: false,
  },
  {
    make: () => opened(outbound({ methods: ['tcp-dialback'] }), `${OPEN}<stream:features/>`),
    provable: false,
  },
];

/** Every seed in every state. */
const staged = states.flatMap((_, state) => seeds.map((seed) => Buffer.concat([Buffer.from([state]), seed])));

export const targets: readonly FuzzTarget[] = [
  { name: 'xmpp-stream', seeds: staged, run: runState },
  {
    name: 'xmpp-link',
    seeds: [0, 1].flatMap((open) => seeds.map((seed) => Buffer.concat([Buffer.from([open]), seed]))),
    run(input) {
      const open = ((input[0] ?? 0) & 1) === 1;
      const stream = link();
      const before = open ? stream.handleBytes(Buffer.from(LINK_OPENING), 0) : [];
      if (open && !stream.ready) throw new Error('the link did not open');
      check([...before, ...stream.handleBytes(input.subarray(1), 1)], true);
    },
  },
  {
    name: 'xmpp-written-again',
    seeds,
    run(input) {
      const once = elements(input);
      const again = elements(Buffer.from(HEADER + once.map((text) => text).join('')));
      if (once.join() !== again.join()) throw new Error('what was written is read as something else');
    },
  },
  {
    name: 'xmpp-passed-on',
    seeds,
    run(input) {
      for (const event of new XmlStreamReader(partnerLimits).read(input, 0)) {
        if (event.type === 'element' && fitsLink(event.element)) passOn(event.element);
      }
    },
  },
  {
    name: 'xmpp-address',
    seeds: ['juliet@xmpp.example/balcony', 'xmpp.example', 'ü@bücher.example/😀'].map((text) =>
      Buffer.from(text),
    ),
    run(input) {
      const jid = parseJid(Buffer.from(input).toString('utf8'));
      if (jid === undefined) return;
      const again = parseJid(jidText(jid));
      if (again === undefined || jidText(again) !== jidText(jid))
        throw new Error('the form is not canonical');
    },
  },
];

/** What a proxy passes on a gateway can read, with the one origin that the proxy wrote. */
function passOn(stanza: XmlElement): void {
  const origin = { stream: 's', number: 7, partner: THEIRS, type: 'federated' } as const;
  const text = HEADER + writeXml(withOrigin(stanza, origin), 'jabber:server');
  for (const event of new XmlStreamReader(linkLimits).read(Buffer.from(text), 0)) {
    if (event.type === 'problem') throw new Error(`what fits the link is refused there: ${event.problem}`);
    if (event.type !== 'element') continue;
    if (originOf(event.element)?.number !== 7) throw new Error('the origin is not the one that was written');
  }
}

function link(): LinkStream {
  const names = { role: 'proxy', own: OURS, peers: [THEIRS], streamId: 'link-1' } as const;
  const bounds = { times: settings.times, limits: strangerLimits, unacknowledged: 16 };
  return new LinkStream({ ...names, ...bounds, accepts: (from, to) => from === THEIRS && to === OURS }, 0);
}

function elements(input: Uint8Array): string[] {
  const roomy = { ...strangerLimits, bytes: 1 << 20, declarations: 1000, attributes: 100 };
  const found: string[] = [];
  for (const event of new XmlStreamReader(roomy).read(input, 0)) {
    if (event.type === 'element') found.push(writeXml(event.element, 'jabber:server'));
  }
  return found;
}
