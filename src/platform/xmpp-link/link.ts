import type { Clock } from '#kernel';
import type { CloseReason, Connection } from '#platform/net';
import type { XmlElement } from '#protocols/xml';
import {
  type DomainPair,
  LinkStream,
  linkLimits,
  type PartnerStreamState,
  type StreamAction,
  type StreamReason,
} from '#protocols/xmpp';

/** What both ends bound and time alike. */
export interface LinkLimits {
  /** Stanzas sent and not acknowledged; when it is reached, others wait. */
  readonly unacknowledged: number;
  /** Stanzas that arrived and are not safe yet, from which on nothing more is read. */
  readonly window: number;
  /** A blank is sent when nothing else was for so long; at most a third of the time after which a silent peer is gone. */
  readonly keepAliveMs: number;
  /** From the connection until both ends have enabled acknowledgements. */
  readonly establishmentMs: number;
}

/** What a link tells its owner. */
export interface LinkOwner {
  handleReady(link: Link): void;
  handleStanza(link: Link, stanza: XmlElement, pair: DomainPair, number: number): void;
  /** The `count` oldest of those sent were taken over. */
  handleAcknowledged(link: Link, count: number): void;
  /** The other end asks for another link to be used. */
  handleDraining(link: Link): void;
  /** The proxy says what became of its streams with a partner. */
  handlePartner(domain: string, state: PartnerStreamState): void;
  /** Stanza `number` of ours is not with its partner when it is acknowledged; and then it is, or its sender was told. */
  handleHeld(link: Link, number: number): void;
  handlePassed(link: Link, number: number): void;
  /** There is room again. */
  handleSpace(link: Link): void;
  /** Exactly once; the reason is of the stream, or of the transport below it. */
  handleEnd(link: Link, reason: StreamReason | CloseReason, detail: string | undefined): void;
}

export interface LinkOptions {
  readonly connection: Connection;
  readonly role: 'gateway' | 'proxy';
  readonly own: string;
  readonly peers: readonly string[];
  readonly streamId: string;
  readonly limits: LinkLimits;
  readonly accepts: (from: string, to: string) => boolean;
  readonly clock: Clock;
  readonly owner: LinkOwner;
}

const STANZA_MS = 30_000;
/** A peer of which nothing is heard for so long is gone. */
const SILENT_MS = 180_000;
/** Bytes that may wait for the peer before others wait for room. */
const HIGH_WATER = 512 * 1024;

/** One stream of docs/protocols/xmpp-link.md on one connection whose certificates are verified. */
export class Link {
  readonly connection: Connection;
  readonly #options: LinkOptions;
  readonly #core: LinkStream;
  #text = '';
  #scheduled = false;
  #wasFull = false;
  #paused = false;
  #ended = false;

  constructor(options: LinkOptions) {
    const { connection, limits, clock, role, own, peers, streamId, accepts } = options;
    this.#options = options;
    this.connection = connection;
    const { establishmentMs, keepAliveMs, unacknowledged } = limits;
    const times = { establishmentMs, stanzaMs: STANZA_MS, keepAliveMs, inactivityMs: 0 };
    this.#core = new LinkStream(
      { role, own, peers, streamId, times, limits: linkLimits, unacknowledged, accepts },
      clock.now(),
    );
  }

  /** Begins; the owner hears of it from here on. */
  start(): void {
    const { connection, clock } = this.#options;
    connection.idleMs = SILENT_MS;
    connection.onClose = (reason) => this.#finish(reason, undefined);
    connection.onDrain = () => this.#makeRoom();
    connection.onData = (chunk) => this.#run(this.#core.handleBytes(chunk, clock.now()));
    this.#run(this.#core.start(clock.now()));
  }

  /** The host at the other end. */
  get peer(): string {
    return this.#core.peer;
  }
  get ready(): boolean {
    return this.#core.ready && !this.#ended;
  }
  get full(): boolean {
    return this.#core.full || this.connection.queued + this.#text.length > HIGH_WATER;
  }
  /** Stanzas that arrived and are not safe yet. */
  get open(): number {
    return this.#core.open;
  }
  /** Only when `ready`. */
  send(stanza: XmlElement): void {
    this.#run(this.#core.send(stanza, this.#options.clock.now()));
    this.#wasFull = this.full;
  }
  /** Stanza `number` is safe, or was answered for good. */
  handled(number: number): void {
    if (!this.#ended) this.#run(this.#core.handled(number, this.#options.clock.now()));
  }
  /** Call it about once a second. */
  handleTime(): void {
    if (!this.#ended) this.#run(this.#core.handleTime(this.#options.clock.now(), this.#paused));
  }
  drain(): void {
    if (this.ready) this.#run(this.#core.drain(this.#options.clock.now()));
  }
  /** The stanza is acknowledged, and not safe yet; `passed` follows. */
  hold(number: number): void {
    if (this.ready) this.#run(this.#core.hold(number, this.#options.clock.now()));
  }
  passed(number: number): void {
    if (this.ready) this.#run(this.#core.passed(number, this.#options.clock.now()));
  }
  tellPartner(domain: string, state: PartnerStreamState): void {
    if (this.ready) this.#run(this.#core.tellPartner(domain, state, this.#options.clock.now()));
  }
  stop(reason: StreamReason): void {
    if (!this.#ended) this.#run(this.#core.stop(reason));
  }

  #run(actions: readonly StreamAction[]): void {
    const { owner } = this.#options;
    // First everything that is to be sent: what the owner does of a stanza may be said only behind it.
    for (const action of actions) if (action.type === 'send') this.#write(action.text);
    for (const action of actions) {
      switch (action.type) {
        case 'stanza':
          owner.handleStanza(this, action.stanza, action.pair, action.number);
          break;
        case 'acknowledged':
          owner.handleAcknowledged(this, action.stanzas.length);
          this.#makeRoom();
          break;
        case 'draining':
          owner.handleDraining(this);
          break;
        case 'partner-stream':
          owner.handlePartner(action.domain, action.state);
          break;
        case 'held':
          owner.handleHeld(this, action.number);
          break;
        case 'passed':
          owner.handlePassed(this, action.number);
          break;
        case 'authorized':
          owner.handleReady(this);
          break;
        case 'close':
          this.#flush();
          this.connection.end();
          this.#finish(action.reason, action.detail);
          break;
        default:
          break;
      }
    }
    this.#throttle();
  }
  /** What is said within one turn goes out in one piece. */
  #write(text: string): void {
    this.#text += text;
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => this.#flush());
  }
  #flush(): void {
    this.#scheduled = false;
    const text = this.#text;
    this.#text = '';
    if (text !== '') this.connection.write(Buffer.from(text));
  }
  #makeRoom(): void {
    if (!this.#wasFull || this.full || this.#ended) return;
    this.#wasFull = false;
    this.#options.owner.handleSpace(this);
  }
  #throttle(): void {
    const full = this.#core.open >= this.#options.limits.window;
    if (full === this.#paused || this.#ended) return;
    this.#paused = full;
    if (full) this.connection.pause();
    else this.connection.resume();
  }
  #finish(reason: StreamReason | CloseReason, detail: string | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#options.owner.handleEnd(this, reason, detail);
  }
}
