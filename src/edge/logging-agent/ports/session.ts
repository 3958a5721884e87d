import type { Clock, Failure } from '#kernel';
import { failure } from '#kernel';
import type { CloseReason, Connection } from '#platform/net';
import {
  type AgentMessageInput,
  type CollectionRequest,
  type ControlRequest,
  commonVersion,
  encodeMessage,
  encodeOctets,
  encodeText,
  FRAME_BYTES,
  LogFrameReader,
  type LogPort,
  readRequest,
  requestIdOf,
  type SearchRequest,
} from '#protocols/log-query';

export type AnyRequest = ControlRequest | SearchRequest | CollectionRequest;
/** Those that a port answers, without the greeting. */
export type PortRequest = Exclude<AnyRequest, { type: 'hello' } | { type: 'cancel' }>;

/** Milliseconds, and counts. */
export interface SessionLimits {
  readonly helloMs: number;
  readonly frameMs: number;
  /** Without a request under way. */
  readonly idleMs: number;
  /** For the controller to take what was sent. */
  readonly takeMs: number;
  readonly requests: number;
}
export const SESSION_LIMITS: SessionLimits = {
  helloMs: 10_000,
  frameMs: 10_000,
  idleMs: 600_000,
  takeMs: 60_000,
  requests: 8,
};

/** How a request gets its answer. Each promise is kept when the controller has taken what was sent before. */
export interface Reply {
  /** The request was cancelled, or the controller is gone. */
  readonly signal: AbortSignal;
  send(message: AgentMessageInput): Promise<void>;
  /** Events as they are stored. */
  events(
    events: readonly string[],
    more?: { readonly resume: string; readonly missed?: number },
  ): Promise<void>;
  octets(octets: Uint8Array): Promise<void>;
}

export interface SessionParts {
  readonly port: LogPort;
  readonly clock: Clock;
  readonly limits: SessionLimits;
  readonly welcome: () => Extract<AgentMessageInput, { type: 'welcome' }>;
  /** Sends the last message of the answer too. A failure is told to the controller. */
  readonly answer: (request: PortRequest, reply: Reply) => Promise<Failure | undefined>;
  readonly counted: (outcome: RequestOutcome) => void;
  readonly ended: () => void;
}
export const requestOutcomes = ['answered', 'refused', 'cancelled', 'unreadable'] as const;
export type RequestOutcome = (typeof requestOutcomes)[number];

const LOOK_MS = 1000;

/** One connection of a controller: greeting, requests side by side, and every way in which it may be slow or wrong. */
export class LogSession {
  readonly #connection: Connection;
  readonly #parts: SessionParts;
  readonly #reader: LogFrameReader;
  readonly #running = new Map<number, AbortController>();
  #greeted = false;
  #over = false;
  /** Sending goes one message at a time. */
  #sending: Promise<void> = Promise.resolve();
  #waitingSince: number | undefined;
  #taken: () => void = () => {};

  constructor(connection: Connection, parts: SessionParts) {
    this.#connection = connection;
    this.#parts = parts;
    this.#reader = new LogFrameReader({
      frameBytes: FRAME_BYTES.toAgent,
      frameMs: parts.limits.frameMs,
    });
    connection.idleMs = parts.limits.idleMs;
    connection.onClose = () => this.#end();
    connection.onDrain = () => this.#taken();
    connection.onData = (bytes) => this.#receive(bytes);
    this.#look();
  }
  destroy(reason: CloseReason): void {
    this.#connection.destroy(reason);
    this.#end();
  }

  #receive(bytes: Buffer): void {
    for (const frame of this.#reader.push(bytes, this.#parts.clock.now())) {
      if (this.#over) return;
      if (frame.kind === 'octets') return this.destroy('protocol');
      this.#take(frame.text);
    }
    if (this.#reader.fault !== undefined)
      this.destroy(this.#reader.fault === 'frame-too-slow' ? 'timeout' : 'protocol');
  }

  #take(text: string): void {
    const read = readRequest(this.#parts.port, text);
    if (!read.ok) {
      this.#parts.counted('unreadable');
      if (!this.#greeted) return this.#close(read.error);
      return void this.#refuse(requestIdOf(text), read.error);
    }
    const request = read.value;
    if (request.type === 'hello') return this.#greet(request.versions);
    if (!this.#greeted) return this.destroy('protocol');
    if (request.type === 'cancel') return this.#running.get(request.id)?.abort();
    if (this.#running.has(request.id))
      return void this.#refuse(request.id, failure('SLP-LOG-0008', `the number ${request.id} is in use`));
    if (this.#running.size >= this.#parts.limits.requests)
      return void this.#refuse(request.id, failure('SLP-LOG-0008', `${this.#running.size} are under way`));
    void this.#answer(request);
  }

  #greet(versions: readonly number[]): void {
    if (this.#greeted) return this.destroy('protocol');
    if (commonVersion(versions) === undefined)
      return this.#close(failure('SLP-LOG-0009', `it speaks ${versions.join(', ')}`));
    this.#greeted = true;
    void this.#write(encodeMessage(this.#parts.welcome()));
  }
  /** The reason, and the end. */
  #close(problem: Failure): void {
    void this.#refuse(null, problem).then(() => this.#connection.end('protocol'));
  }

  async #answer(request: PortRequest): Promise<void> {
    const { id } = request;
    const abort = new AbortController();
    this.#running.set(id, abort);
    this.#connection.idleMs = 0;
    const reply: Reply = {
      signal: abort.signal,
      send: (message) => this.#write(encodeMessage(message)),
      events: (events, more) => this.#write(encodeEvents(id, events, more)),
      octets: (octets) => this.#write(encodeOctets(octets)),
    };
    const problem = await this.#parts
      .answer(request, reply)
      .catch((error: Error) => failure('SLP-LOG-0010', error.message, error));
    this.#running.delete(id);
    if (this.#over) return this.#parts.counted('cancelled');
    if (this.#running.size === 0) this.#connection.idleMs = this.#parts.limits.idleMs;
    if (problem === undefined) this.#parts.counted(abort.signal.aborted ? 'cancelled' : 'answered');
    else await this.#refuse(id, problem);
  }

  #refuse(id: number | null, { code, message }: Failure): Promise<void> {
    this.#parts.counted('refused');
    const short = message.length > 2000 ? `${message.slice(0, 2000)}…` : message;
    return this.#write(encodeMessage({ type: 'refused', id, code, message: short }));
  }

  #write(bytes: Buffer): Promise<void> {
    this.#sending = this.#sending.then(() => {
      if (this.#over || this.#connection.write(bytes)) return undefined;
      this.#waitingSince = this.#parts.clock.now();
      return new Promise((resolve) => {
        this.#taken = () => {
          this.#waitingSince = undefined;
          resolve();
        };
      });
    });
    return this.#sending;
  }

  /** From time to time: what should have come by now. */
  #look(): void {
    const { clock, limits } = this.#parts;
    clock.after(LOOK_MS, () => {
      if (this.#over) return;
      const now = clock.now();
      const untaken = this.#waitingSince !== undefined && now - this.#waitingSince > limits.takeMs;
      const silent = !this.#greeted && now - this.#connection.opened > limits.helloMs;
      if (untaken) this.destroy('slow-reader');
      else if (silent || this.#reader.isLate(now)) this.destroy('timeout');
      else this.#look();
    });
  }
  #end(): void {
    if (this.#over) return;
    this.#over = true;
    for (const abort of this.#running.values()) abort.abort();
    this.#taken();
    this.#parts.ended();
  }
}

function encodeEvents(id: number, events: readonly string[], more: object = {}): Buffer {
  const rest = JSON.stringify({ type: 'events', id, ...more }).slice(0, -1);
  return encodeText(`${rest},"events":[${events.join(',')}]}`);
}
