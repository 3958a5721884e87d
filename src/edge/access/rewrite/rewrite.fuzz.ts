import { isDeepStrictEqual } from 'node:util';
import {
  MessageEdit,
  parseSipMessage,
  type SipMessage,
  SipRequest,
  SourceStamp,
  sipLimits,
} from '#protocols/sip';
import type { FuzzTarget } from '#tools/fuzz';
import { decideClientRequest } from '../policy/from-client.ts';
import { decideNextHopRequest } from '../policy/from-next-hop.ts';
import { accessSettings } from '../settings.ts';
import { testDocument } from '../testing/document.ts';
import { request, sipText } from '../testing/messages.ts';
import { Seal, TopologyHiding } from '../topology-hiding/index.ts';
import { isNotForClients, isNotForOutside } from '../trust.ts';
import { inwardRequest, restoreInward } from './inward.ts';
import { hideOutward, outwardRequest } from './outward.ts';
import type { Scene } from './scene.ts';

const settings = accessSettings(testDocument());
const hiding = new TopologyHiding(
  new Seal({ current: Buffer.alloc(32, 5), others: [] }),
  settings.disclosure,
  settings.external,
);
const scene: Scene = { settings, hiding, stripped: () => {}, scrubbed: () => {} };
const TOKEN = 'TOKEN';
const remote = { address: '203.0.113.7', port: 40_001 };
const known = {
  accepts: () => true,
  signedIn: true,
  isOurToken: (token: string) => token === TOKEN,
  unfold: (behind: string) => hiding.unfoldRoutes(behind),
  openTarget: (uri: string) => hiding.targets.open(uri),
};
const BRANCH = 'z9hG4bKfuzz';
/** As far as its trail. */
const OUR_VIA = 'SIP/2.0/TLS sip.example.com:443;branch=z9hG4bKaaaabbbbcccc1';
/** What our side wrote: its names in a received message are the next hop's business. */
const OURS: ReadonlySet<string> = new Set(['path', 'record-route', 'sallyport-asserted-source']);
const hidden = hiding.targets.hide('sip:bob@fe1.corp.example;transport=tls');
const behind = hiding.foldRoutes(['<sip:fe1.corp.example;lr>']);
const original = parsed(
  request('INVITE', 'sip:carol@example.com', { 'Record-Route': '<sip:fe1.corp.example;lr>' }),
);
const response = (lines: readonly string[]) =>
  sipText([
    'SIP/2.0 200 OK',
    'Via: SIP/2.0/TLS sip.example.com:443;branch=z9hG4bKfuzz, SIP/2.0/TLS h;branch=z9hG4bK2',
    'From: <sip:alice@example.com>;tag=a',
    'To: <sip:carol@example.com>;tag=c',
    'Call-ID: call1',
    'CSeq: 1 INVITE',
    ...lines,
  ]);

/** Whole messages through everything that rewrites them: nothing throws, and what leaves can be read again. */
export const targets: readonly FuzzTarget[] = [
  {
    name: 'access/request-inward',
    seeds: [
      request('MESSAGE', 'sip:carol@example.com', { 'Proxy-Require': '"\\\u0000"', Priority: 'urgent' }),
      request('INVITE', hidden, {
        Route: `<sip:${TOKEN}@sip.example.com:443;lr${behind}>`,
        'X-A': '1',
        'x-a': '2',
      }),
      request('BYE', `sip:${TOKEN}@sip.example.com;lr`, { Route: '<sip:sip.example.com;lr>, <sip:x@y>' }),
      request('REFER', 'sip:carol@example.com', {
        Via: 'SIP/2.0/TLS h;branch=z9hG4bK1;rport;x="\\\u0000"',
        'Refer-To': `<${hidden}?Replaces=${encodeURIComponent(hiding.hideCallId('a@10.45.1.2'))}>`,
        Path: '<sip:x@y>',
      }),
    ],
    run(input) {
      const received = read(input);
      if (!(received instanceof SipRequest)) return;
      const decision = decideClientRequest(received, known, settings);
      if (decision.kind === 'refuse') writable(decision.headers);
      if (decision.kind !== 'forward') return;
      const sent = parsed(
        inwardRequest(received, decision, { token: TOKEN, stamp: new SourceStamp(remote) }, BRANCH, scene),
      );
      for (const name of sent.names()) {
        if (isNotForClients(name) && !OURS.has(name.toLowerCase())) throw new Error(`${name} got inside`);
      }
      const marks = sent.values('Sallyport-Asserted-Source');
      if (marks.length > 1 || sent.values('Path').length > 1) throw new Error('a mark of somebody else');
    },
  },
  {
    name: 'access/request-outward',
    seeds: [
      request('MESSAGE', 'sip:carol@192.0.2.1', {
        Route: `<sip:${TOKEN}@edge1.corp.example;lr>`,
        Contact: '<sip:bob@10.45.1.1>, "\\\u0000" <sip:fe1.corp.example>',
      }),
      request('INVITE', `sip:${TOKEN}@edge1.corp.example;lr`, {
        Route: '<sip:x@10.45.1.1>',
        Warning: '399 fe1.corp.example "x"',
      }),
      request('MESSAGE', 'sip:carol@192.0.2.1', {
        Route: `<sip:${TOKEN}@edge1.corp.example;lr>`,
        Via: ['SIP/2.0/TLS fe1.corp.example', `${OUR_VIA}-0123456789abcdef-fedcba9876543210`],
      }),
    ],
    run(input) {
      const received = read(input);
      if (!(received instanceof SipRequest)) return;
      const decision = decideNextHopRequest(received, settings);
      if (decision.kind === 'refuse') writable(decision.headers);
      if (decision.kind !== 'deliver') return;
      const trail = hiding.trails.of(received);
      if (trail === undefined) return;
      if (!/^(-[0-9a-f]{16}){1,16}$/.test(trail)) throw new Error('a trail of another form');
      leavesNothing(parsed(outwardRequest(received, decision, TOKEN, BRANCH + trail, scene)));
      const back = parsed(new MessageEdit(received).prepend('Via', OUR_VIA + trail).toBytes());
      if (back instanceof SipRequest && hiding.trails.of(back) !== undefined)
        throw new Error('a loop that is not found');
    },
  },
  {
    name: 'access/responses',
    seeds: [
      response([
        'Contact: <sip:bob@fe1.corp.example>;expires=5, *',
        'Service-Route: <sip:fe1.corp.example;lr>',
      ]),
      response([
        `Record-Route: <sip:${TOKEN}@edge1.corp.example;lr>, <sip:a@10.45.1.1;lr>`,
        'Reason: SIP ;text="\\\u0000"',
      ]),
      response([
        'WWW-Authenticate: Digest realm="x"',
        'P-Asserted-Identity: <sip:bob@10.45.1.1>',
        'Privacy: id',
      ]),
    ],
    run(input) {
      const received = read(input);
      if (received === undefined || received instanceof SipRequest || !(original instanceof SipRequest))
        return;
      if (received.vias().length < 2) return;
      const out = new MessageEdit(received).removeFirst('Via');
      hideOutward(out, received, { request: original, token: TOKEN }, scene);
      leavesNothing(parsed(out.toBytes()), original.values('Record-Route'));
      const inward = new MessageEdit(received).removeFirst('Via');
      restoreInward(inward, received, { request: original, remote, token: TOKEN, recordRoute: true }, scene);
      for (const name of parsed(inward.toBytes()).names()) {
        if (isNotForClients(name) && !OURS.has(name.toLowerCase())) throw new Error(`${name} got inside`);
      }
    },
  },
];

function read(input: Uint8Array): SipMessage | undefined {
  const message = parseSipMessage(Buffer.from(input), sipLimits);
  return message.ok ? message.value : undefined;
}

/** What we wrote: longer than what we accept, perhaps, but never of another form. */
function parsed(bytes: Buffer): SipMessage {
  const generous = { messageBytes: 1 << 20, headerLineBytes: 1 << 19, headers: 2000, messageMs: 0 };
  const message = parseSipMessage(bytes, generous);
  if (!message.ok) throw new Error(`wrote what nobody can read: ${message.error.reason}`);
  return message.value;
}

/** @param recorded by the client itself: it stands lowest in its route set, whatever it names, and is nothing that we tell */
function leavesNothing(sent: SipMessage, recorded: readonly string[] = []): void {
  for (const name of sent.names()) if (isNotForOutside(name)) throw new Error(`${name} got outside`);
  for (const name of ['Via', 'Record-Route', 'Service-Route', 'Contact', 'Call-ID']) {
    const values = sent.values(name);
    const isShownAgain =
      name === 'Record-Route' && isDeepStrictEqual(values.slice(values.length - recorded.length), recorded);
    const told = isShownAgain ? values.slice(0, values.length - recorded.length) : values;
    for (const value of told) {
      if (settings.disclosure.mentionsInternal(value)) throw new Error(`${name} tells: ${value}`);
    }
  }
}

function writable(headers: readonly (readonly [string, string])[] | undefined): void {
  if (!(original instanceof SipRequest)) return;
  const edit = new MessageEdit(original);
  for (const [name, value] of headers ?? []) edit.append(name, value);
}
