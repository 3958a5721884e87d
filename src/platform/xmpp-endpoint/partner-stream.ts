import type { Clock, Monotonic } from '#kernel';
import type { XmlElement } from '#protocols/xml';
import type {
  InboundStream,
  OutboundStream,
  PeerSecurity,
  StreamAction,
  StreamReason,
} from '#protocols/xmpp';
import { speaksForDomain } from './certificate-identity.ts';
import type { ShownIdentity, UpgradableSocket } from './upgradable-socket.ts';

/** What was sent so shortly before the peer's end may have crossed it. */
const CROSSING_MS = 10_000;

/** What the owner of a stream is told of; writing, TLS and the end of the transport are done here. */
export type OwnerAction = Exclude<StreamAction, { readonly type: 'send' | 'start-tls' }>;

export interface PartnerStreamOptions<Core> {
  readonly socket: UpgradableSocket;
  readonly core: Core;
  readonly clock: Clock;
  /** SNI towards a server; a server itself needs none. */
  readonly servername: string | undefined;
  /** Bytes that the peer may leave unread. */
  readonly outboundBytes: number;
  /** Stanzas under way from which on nothing more is read. */
  readonly window: number;
  /** What a handshake came to; nothing when it failed. */
  readonly handleSecured: (shown: ShownIdentity | undefined) => void;
  readonly handle: (action: OwnerAction) => void;
}

/** One stream on one connection: executes what the core says. Exactly one `close` reaches the owner. */
export class PartnerStream<Core extends InboundStream | OutboundStream = InboundStream | OutboundStream> {
  readonly core: Core;
  readonly socket: UpgradableSocket;
  shown: ShownIdentity | undefined;
  readonly #options: PartnerStreamOptions<Core>;
  /** When the last stanza went out on it. */
  #sentAt: Monotonic = Number.NEGATIVE_INFINITY;
  #ended = false;
  #paused = false;

  constructor(options: PartnerStreamOptions<Core>) {
    this.#options = options;
    this.core = options.core;
    this.socket = options.socket;
    this.socket.onData = (bytes) => this.run(this.core.handleBytes(bytes, this.#now()));
    this.socket.onClose = () => this.#finish({ type: 'close', reason: 'connection-lost' });
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Executes what a call of the core returned. */
  run(actions: readonly StreamAction[]): void {
    let text = '';
    const told: OwnerAction[] = [];
    let secure = false;
    for (const action of actions) {
      if (action.type === 'send') text += action.text;
      else if (action.type === 'start-tls') secure = true;
      else told.push(action);
    }
    if (text !== '') this.socket.write(text);
    if (secure) this.#secure();
    for (const action of told) {
      if (action.type === 'close') this.#finish(action);
      else this.#options.handle(action);
    }
    if (!this.#ended && this.socket.queued > this.#options.outboundBytes) {
      this.run(this.core.stop('slow-reader'));
      this.socket.destroy();
    }
    this.#throttle();
  }
  /**
   * Only when the core is ready for it.
   * @param left called when the network of this machine has it, if that comes before the end
   */
  send(stanza: XmlElement, now: Monotonic, left?: () => void): void {
    this.#sentAt = now;
    if (left !== undefined) this.socket.whenWritten(left);
    this.run(this.core.send(stanza, now));
  }
  /**
   * Whether this end may have taken stanzas with it of which nobody will be told. Those that were to be acknowledged
   * and were not go out again; of the others, what the transport held is gone.
   */
  mayHaveLost(reason: StreamReason): boolean {
    if (this.core.provenBy === undefined) return false;
    const inOrder = reason === 'closed' || reason === 'inactive' || reason === 'shutdown';
    if (!inOrder) return true;
    // The peer closed in order, and what we said at the same time it has not read.
    return reason === 'closed' && !this.core.managed && this.#now() - this.#sentAt < CROSSING_MS;
  }
  /** A stanza is safe with the next one. */
  handled(number: number): void {
    if (!this.#ended) this.run(this.core.handled(number, this.#now()));
  }
  handleTime(): void {
    if (!this.#ended) this.run(this.core.handleTime(this.#now(), this.#paused));
  }
  /** Tells the core what TLS has shown. */
  secured(shown: ShownIdentity | undefined): void {
    this.#options.handleSecured(shown);
    if (this.#ended) return;
    if (shown === undefined) {
      this.#finish({ type: 'close', reason: 'tls-failed' });
      this.socket.destroy();
      return;
    }
    this.shown = shown;
    this.run(this.core.handleSecured(securityOf(shown), this.#now()));
  }

  #secure(): void {
    const { servername } = this.#options;
    const role = servername === undefined ? 'server' : 'client';
    this.socket.secure(role, servername ?? '', (shown) => this.secured(shown));
  }
  #throttle(): void {
    const full = this.core.open >= this.#options.window;
    if (full === this.#paused || this.#ended) return;
    this.#paused = full;
    if (full) this.socket.pause();
    else this.socket.resume();
  }
  #finish(action: OwnerAction): void {
    if (this.#ended) return;
    this.#ended = true;
    this.socket.end();
    this.#options.handle(action);
  }
  #now(): number {
    return this.#options.clock.now();
  }
}

/** What there is to say about a stream. */
export function stateOf(direction: 'in' | 'out', stream: PartnerStream, peer: string | undefined) {
  return {
    direction,
    peer: peer ?? '',
    address: stream.socket.remoteAddress,
    tls: stream.shown?.protocol ?? 'none',
    /** How the peer, or we, have proven who we are; nothing until then. */
    by: stream.core.provenBy ?? '',
    managed: stream.core.managed,
    waiting: stream.core.open,
  };
}

/** The certificate, asked domain by domain. */
export function securityOf({ peer }: ShownIdentity): PeerSecurity {
  return { asserts: (domain) => peer !== undefined && speaksForDomain(peer.names, domain) };
}
