import type { Monotonic } from '#kernel';
import type { Connection } from '#platform/net';
import { OncePerKey, peerLabel } from '#platform/telemetry';
import {
  type FlowId,
  type FramerEvent,
  type ServerTransaction,
  type SipLimits,
  type SipMessage,
  type SipRequest,
  SipStreamFramer,
} from '#protocols/sip';
import { Backlog, type Writer } from './backlog.ts';
import { type Framing, MessageFraming } from './message-framing.ts';
import { OpenRequests } from './open-requests.ts';
import type { Parties } from './parties.ts';
import { type RefusalCause, refusalOf } from './refusal.ts';
import type {
  FlowCloseReason,
  FlowOptions,
  KeepAliveOptions,
  PreAuthorisationLimits,
  SipFlow,
} from './types.ts';

/** RFC 5626 §3.5.1. */
export const PING = Buffer.from('\r\n\r\n');
export const PONG = Buffer.from('\r\n');
/** Larger piles of waiting messages leave at once instead of at the end of the turn. */
const COALESCED_BYTES = 65_536;
const LOGGED_REASONS = 16;
/**
 * On the connection of a server, which many people share, one message that is too long by less than this factor costs
 * that message only: the server's own headers may have made it so.
 */
const SHARED_STEP = 4;

export type Excess = Extract<FlowCloseReason, 'unauthorised-bytes' | 'unauthorised-messages'>;

/** A flow with what the endpoint keeps about it. */
export class Flow implements SipFlow, Writer {
  readonly id: FlowId;
  readonly connection: Connection;
  readonly scope: string;
  readonly framer: Framing;
  /** What arrives may lie in memory that the next chunk overwrites. */
  readonly #borrows: boolean;
  readonly keepAlive: KeepAliveOptions | undefined;
  readonly onClosed: FlowOptions['onClosed'];
  readonly #divert: FlowOptions['divert'];
  readonly #onResponse: FlowOptions['onResponse'];
  /** Whoever had the connection before has used up some of the time before it is authorised. */
  readonly opened: Monotonic;
  readonly requests: OpenRequests;
  authorised: boolean;
  data: unknown;
  open = true;
  messages = 0;
  bytes = 0;
  /** When the next ping leaves. */
  pingDue: Monotonic = Number.POSITIVE_INFINITY;
  /** When the pong that is awaited must be there. */
  pongDue: Monotonic = Number.POSITIVE_INFINITY;
  #logged: OncePerKey | undefined;
  #peer: Uint8Array | undefined;
  #backlog: Backlog | undefined;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;

  constructor(connection: Connection, options: FlowOptions, limits: SipLimits, parties: Parties) {
    this.id = connection.id;
    this.connection = connection;
    this.scope = options.scope ?? `flow-${connection.id}`;
    const shared = options.scope !== undefined;
    this.framer =
      connection.messages === true
        ? new MessageFraming(limits)
        : new SipStreamFramer(
            limits,
            options.dialled === true ? 'asks' : 'answers',
            limits.messageBytes * (shared ? SHARED_STEP : 1),
          );
    this.#borrows = connection.borrowChunks !== undefined;
    this.keepAlive = options.dialled === true ? options.keepAlive : undefined;
    this.onClosed = options.onClosed;
    this.#divert = options.divert;
    this.requests = new OpenRequests(parties, options.openRequests);
    this.party = options.party;
    this.#onResponse = options.onResponse;
    this.opened = connection.opened;
    this.authorised = options.authorised ?? true;
    this.data = options.data;
  }

  /**
   * What arrived, cut into messages. They live on, in a part of the pool of small buffers: that costs less than a buffer
   * for each read, which is what a connection gives that does not read into one buffer all the time.
   */
  read(chunk: Buffer, now: Monotonic): FramerEvent[] {
    return this.framer.push(this.#borrows ? Buffer.from(chunk) : chunk, now);
  }

  /** What it has used up of the little that a flow may do before it is authorised. */
  excess(limits: PreAuthorisationLimits | undefined): Excess | undefined {
    if (limits === undefined) return undefined;
    // What keeps messages apart has octets of its own, such as pings, that make no message and cost all the same.
    const bytes = this.connection.messages === true ? this.connection.bytesReceived : this.bytes;
    if (bytes > limits.bytes) return 'unauthorised-bytes';
    return this.messages > limits.messages ? 'unauthorised-messages' : undefined;
  }

  get party(): string | undefined {
    return this.requests.party;
  }
  set party(name: string | undefined) {
    if (this.open && name !== this.party) this.requests.attribute(name);
  }
  get backlog(): Backlog {
    this.#backlog ??= new Backlog(this);
    return this.#backlog;
  }
  get given(): number {
    return this.connection.bytesSent + this.#waitingBytes;
  }
  get waiting(): number {
    return this.connection.queued + this.#waitingBytes;
  }
  get unanswered(): number {
    return this.requests.open;
  }
  /** Whether another process handles the message. */
  diverts(message: SipMessage): boolean {
    return this.#divert?.(message, this) === true;
  }

  /** A response of a transaction of this flow is about to leave. */
  responds(transaction: ServerTransaction, status: number, bytes: Buffer): void {
    this.requests.respond(transaction);
    this.#onResponse?.(transaction.request, status, bytes);
  }
  /** The answer to a request that begins no transaction, which is about to leave. */
  refuses(request: SipRequest, cause: RefusalCause, toTag: string): Buffer {
    const { status, bytes } = refusalOf(request, cause, toTag);
    this.#onResponse?.(request, status, bytes);
    return bytes;
  }

  /** True the first time that something is to be logged about this flow for this reason. */
  isNews(reason: string): boolean {
    this.#logged ??= new OncePerKey(LOGGED_REASONS);
    return this.#logged.first(reason);
  }

  /** Who its messages are exchanged with, for the log. */
  get peer(): Uint8Array {
    this.#peer ??= peerLabel(this.id, this.connection);
    return this.#peer;
  }

  /** Keeps the bytes for the end of this turn of the event loop; true when they are the first to wait. */
  enqueue(bytes: Uint8Array): boolean {
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes < COALESCED_BYTES) return this.#waiting.length === 1;
    this.flush();
    return false;
  }

  /** Everything that waits becomes one write: one TLS record and one system call for many messages. */
  flush(): void {
    const [first] = this.#waiting;
    if (first === undefined) return;
    if (this.connection.messages === true) {
      for (const message of this.#waiting.splice(0)) this.connection.write(message);
      this.#waitingBytes = 0;
      return;
    }
    const bytes = this.#waiting.length === 1 ? first : Buffer.concat(this.#waiting, this.#waitingBytes);
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.connection.write(bytes);
  }
}
