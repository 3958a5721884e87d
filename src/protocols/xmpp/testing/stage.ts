import type { Monotonic } from '#kernel';
import {
  InboundStream,
  OutboundStream,
  partnerLimits,
  type ReceiverPolicy,
  strangerLimits,
} from '../index.ts';
import type { Method } from '../methods.ts';
import type { StreamAction } from '../stream/actions.ts';
import type { PeerSecurity, StreamSettings } from '../stream/terms.ts';

export const OURS = 'sip.example';
export const THEIRS = 'xmpp.example';
export const SECRET = 'of the pool';

export const settings: StreamSettings = {
  times: { establishmentMs: 60_000, stanzaMs: 30_000, keepAliveMs: 300_000, inactivityMs: 600_000 },
  limits: { stranger: strangerLimits, partner: partnerLimits, pairs: 4, unacknowledged: 16 },
  secret: SECRET,
  otherSecrets: ['of the pool before', 'of the pool next'],
};

export const policy = (...methods: Method[]): ReceiverPolicy => ({
  hosts: (domain) => domain === OURS,
  partner: (domain) => (domain === THEIRS ? { methods } : undefined),
});

/** A certificate that speaks for these domains. */
export const certified = (...domains: string[]): PeerSecurity => ({
  asserts: (domain) => domains.includes(domain),
});

export interface Receiving {
  readonly methods: Method[];
  readonly security?: PeerSecurity;
}

export function inbound({ methods, security }: Receiving): InboundStream {
  let id = 0;
  const streamId = () => `stream-${++id}`;
  const more = security === undefined ? {} : { security };
  return new InboundStream({ ...settings, policy: policy(...methods), streamId, ...more }, 0);
}

export interface Initiating {
  readonly methods: Method[];
  readonly security?: PeerSecurity;
  readonly purpose?: 'stanzas' | 'verify';
  readonly secret?: string;
  readonly bidirectional?: boolean;
}

/** A partner that opens a stream to us, played by our own other half. */
export function partner(how: Initiating): OutboundStream {
  return outbound(how, THEIRS, OURS);
}
export function outbound(how: Initiating, from = OURS, to = THEIRS): OutboundStream {
  const { methods, security, purpose = 'stanzas', secret = SECRET, bidirectional = false } = how;
  const more = security === undefined ? {} : { security };
  const pair = { from, to };
  return new OutboundStream(
    { ...settings, secret, pair, terms: { methods }, purpose, bidirectional, ...more },
    0,
  );
}

export const HEADER = header(THEIRS, OURS);

export function header(from: string, to: string): string {
  return (
    `<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' ` +
    `xmlns:db='jabber:server:dialback' from='${from}' to='${to}' version='1.0'>`
  );
}

export function sent(actions: readonly StreamAction[]): string {
  return actions.map((action) => (action.type === 'send' ? action.text : '')).join('');
}

export function types(actions: readonly StreamAction[]): string[] {
  return actions.map(({ type }) => type).filter((type) => type !== 'send');
}

/** The close action's reason, if the stream ended. */
export function ended(actions: readonly StreamAction[]): string | undefined {
  for (const action of actions) if (action.type === 'close') return action.reason;
  return undefined;
}

export function say(
  stream: InboundStream | OutboundStream,
  text: string,
  now: Monotonic = 0,
): StreamAction[] {
  return stream.handleBytes(Buffer.from(text), now);
}

/** Two streams joined: what one sends the other receives, and TLS shows each the other's certificate. */
export class Wire {
  readonly initiator: OutboundStream;
  readonly receiver: InboundStream;
  readonly fromInitiator: StreamAction[] = [];
  readonly fromReceiver: StreamAction[] = [];
  readonly #certificates: { readonly initiator: PeerSecurity; readonly receiver: PeerSecurity };

  constructor(
    initiator: OutboundStream,
    receiver: InboundStream,
    certificates = { initiator: certified(THEIRS), receiver: certified(OURS) },
  ) {
    this.initiator = initiator;
    this.receiver = receiver;
    this.#certificates = certificates;
  }
  run(): this {
    this.deliver('initiator', this.initiator.start(0));
    return this;
  }
  deliver(by: 'initiator' | 'receiver', actions: readonly StreamAction[]): void {
    const other = by === 'initiator' ? this.receiver : this.initiator;
    (by === 'initiator' ? this.fromInitiator : this.fromReceiver).push(...actions);
    for (const action of actions) {
      if (action.type === 'send') {
        this.deliver(
          by === 'initiator' ? 'receiver' : 'initiator',
          other.handleBytes(Buffer.from(action.text), 0),
        );
      } else if (action.type === 'start-tls' && by === 'initiator') this.#secure();
    }
  }
  #secure(): void {
    this.deliver('receiver', this.receiver.handleSecured(this.#certificates.initiator, 0));
    this.deliver('initiator', this.initiator.handleSecured(this.#certificates.receiver, 0));
  }
}

export const message = (from = `juliet@${THEIRS}`, to = `romeo@${OURS}`, body = 'hello') =>
  `<message from='${from}' to='${to}' id='m1' type='chat'><body>${body}</body></message>`;
