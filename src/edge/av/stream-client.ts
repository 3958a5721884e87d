import type { Cancel, Clock, Monotonic } from '#kernel';
import type { HalfOpenConnection } from '#platform/net';
import type { ClientTransport, Face } from '#protocols/turn';
import type { ClientPath } from './client-path.ts';
import { Gate } from './gate.ts';

/** What becomes of a client's bytes, by the dialect that its connection speaks. */
export interface StreamDialect {
  /** The next bytes of the stream; false when it cannot be read any further. */
  receive(chunk: Buffer): boolean;
  /** The frame around `bytes[start, end)`, ready for the stream. */
  frame(bytes: Uint8Array, start: number, end: number): Uint8Array;
  /** Whether something has begun to arrive that is not complete. */
  readonly isPartial: boolean;
  /** Frames that were complete so far. */
  readonly frames: number;
  /** The client has an allocation: it has proved who it is. */
  allocationOpened(): void;
  /** What follows the frame in hand is no frame; `rest` has it when `receive` has returned. Only where that happens. */
  stop?(): void;
  readonly rest?: Buffer;
}

/** Who takes a connection over, with the octets that were read already; `onClosed` keeps who is told of its end. */
export type Heir = (
  connection: HalfOpenConnection,
  rest: Buffer,
  onClosed: (told: () => void) => void,
) => void;

/** Why a client's connection was closed by us; closed, for metrics. */
export const streamFaults = [
  /** Its bytes make no frames, or frames that are too long. */
  'framing',
  /** It had no allocation for too long. */
  'no-allocation',
  /** What it had begun to send did not end. */
  'slow-frame',
  /** It took nothing of what waits for it for too long: whoever sends to it would be held for as long. */
  'slow-reader',
] as const;
export type StreamFault = (typeof streamFaults)[number];

/** Octets that wait for a client from which on it gets no more of a stream until it has taken them. */
const FULL_BYTES = 1 << 16;

/** How long a connection may stay without an allocation, a frame without its end, and what waits untaken. */
const PATIENCE_MS = 30_000;

/** What all streams of the service share. */
export interface StreamHost {
  readonly clock: Clock;
  /** Nothing is read from a client for a while, since it sent more than it may. */
  paced(): void;
  /** Octets that may wait for one client; what comes beyond them for it is left out, frame by frame. */
  readonly queuedBytes: number;
  queueFull(): void;
  fault(fault: StreamFault): void;
  /** The connection is gone. */
  closed(client: StreamClient): void;
}

/** One client's connection, over TCP, TLS or the older dialect's disguise of it. */
export class StreamClient implements ClientPath {
  readonly id: number;
  readonly face: Face;
  readonly transport: ClientTransport;
  readonly address: string;
  readonly port: number;
  readonly connection: HalfOpenConnection;
  readonly #host: StreamHost;
  #dialect: StreamDialect | undefined;
  /** Allocations that it carries. */
  #allocations = 0;
  /** Since when it carries none. */
  #idleSince: Monotonic;
  #partialSince: Monotonic | undefined;
  /** Octets that it had taken when it last took some, and when that was. */
  #taken = 0;
  #takenAt: Monotonic;
  #pacing: Cancel | undefined;
  #release: (() => void) | undefined;
  readonly #gate: Gate;
  /** Told when everything that waits has left, or the connection is gone. */
  readonly #drained = new Set<() => void>();
  readonly #heldFor = new Set<StreamClient>();
  #heir: Heir | undefined;
  #toldClosed: (() => void) | undefined;

  constructor(
    host: StreamHost,
    connection: HalfOpenConnection,
    facts: { readonly id: number; readonly face: Face; readonly transport: ClientTransport },
  ) {
    this.#host = host;
    this.connection = connection;
    this.id = facts.id;
    this.face = facts.face;
    this.transport = facts.transport;
    this.address = connection.local.address;
    this.port = connection.local.port;
    this.#idleSince = host.clock.now();
    this.#takenAt = this.#idleSince;
    this.#gate = new Gate(connection);
    connection.onDrain = () => this.#tellDrained();
  }

  /** The bytes go to the dialect from now on. */
  speak(dialect: StreamDialect): void {
    this.#dialect = dialect;
    this.connection.onClose = () => {
      this.#pacing?.();
      this.#tellDrained();
      this.#toldClosed?.();
      this.#host.closed(this);
    };
    this.connection.onData = (chunk) => {
      const { frames } = dialect;
      if (!dialect.receive(chunk)) this.#giveUp('framing');
      else if (this.#heir !== undefined) this.#bequeath(dialect);
      else if (!dialect.isPartial) this.#partialSince = undefined;
      // What is partial now is another frame: chunks of a busy stream end within one nearly always.
      else if (dialect.frames !== frames) this.#partialSince = this.#host.clock.now();
      else this.#partialSince ??= this.#host.clock.now();
    };
  }

  send(bytes: Uint8Array, start: number, end: number, _address: string, _port: number, whole = false): void {
    const { connection } = this;
    if (this.#dialect === undefined || connection.closed) return;
    // A whole frame is left out, as a full queue would lose a datagram; the stream stays whole.
    // Of a stream nothing is left out: its source is held before so much waits.
    if (!whole && connection.queued >= this.#host.queuedBytes) this.#host.queueFull();
    else connection.write(this.#dialect.frame(bytes, start, end));
  }

  /** Reads nothing for a while; what is on its way waits in the network, and the client learns to be slower. */
  pace(milliseconds: number): void {
    this.#pacing?.();
    if (this.#release === undefined) this.#host.paced();
    this.#release ??= this.hold();
    this.#pacing = this.#host.clock.after(milliseconds, () => {
      this.#release?.();
      this.#release = undefined;
    });
  }

  /** Nothing is read from it until the way back is taken. */
  hold(): () => void {
    return this.#heir === undefined ? this.#gate.hold() : () => {};
  }
  /** It has more to take than a stream should give it. */
  get isFull(): boolean {
    return !this.connection.closed && this.connection.queued >= FULL_BYTES;
  }
  /** Called once, when it has taken everything or is gone. */
  whenDrained(told: () => void): void {
    this.#drained.add(told);
  }
  /** Nothing is read from it while the other takes no more. */
  holdFor(receiver: StreamClient): void {
    if (!receiver.isFull || this.#heldFor.has(receiver)) return;
    this.#heldFor.add(receiver);
    const release = this.hold();
    receiver.whenDrained(() => {
      this.#heldFor.delete(receiver);
      release();
    });
  }
  #tellDrained(): void {
    const told = [...this.#drained];
    this.#drained.clear();
    for (const one of told) one();
  }

  allocationOpened(): void {
    this.#allocations += 1;
    this.#dialect?.allocationOpened();
  }
  allocationClosed(): void {
    this.#allocations -= 1;
    this.#idleSince = this.#host.clock.now();
  }

  /** From inside `receive`: behind the frame in hand the stream belongs to somebody else. */
  handOver(heir: Heir): void {
    this.#heir = heir;
    this.#dialect?.stop?.();
  }
  #bequeath(dialect: StreamDialect): void {
    const heir = this.#heir;
    // What it may be told to wait for is not the stream's.
    this.#pacing?.();
    this.#gate.giveUp();
    this.#dialect = undefined;
    this.#partialSince = undefined;
    this.connection.onData = () => {};
    heir?.(this.connection, dialect.rest ?? Buffer.alloc(0), (told) => {
      this.#toldClosed = told;
    });
  }

  /** Called once a second. */
  sweep(now: Monotonic): void {
    if (this.#heir !== undefined) return;
    // While nothing is read from it, its frame cannot end.
    if (this.#gate.isHeld && this.#partialSince !== undefined) this.#partialSince = now;
    if (this.#partialSince !== undefined && now - this.#partialSince >= PATIENCE_MS)
      this.#giveUp('slow-frame');
    else if (this.#takesNothing(now)) this.#giveUp('slow-reader');
    else if (this.#allocations === 0 && now - this.#idleSince >= PATIENCE_MS) this.#giveUp('no-allocation');
  }

  #takesNothing(now: Monotonic): boolean {
    const taken = this.connection.bytesSent - this.connection.queued;
    if (!this.isFull || taken !== this.#taken) {
      this.#taken = taken;
      this.#takenAt = now;
    }
    return now - this.#takenAt >= PATIENCE_MS;
  }

  #giveUp(fault: StreamFault): void {
    if (this.connection.closed) return;
    this.#host.fault(fault);
    this.connection.destroy(fault === 'framing' ? 'protocol' : 'timeout');
  }
}
