import { constants, type Http2Stream } from 'node:http2';
import type { Clock, Monotonic } from '#kernel';
import {
  borrowReads,
  type CloseReason,
  type Connection,
  ConnectionSweep,
  type Endpoint,
  whenGood,
} from '#platform/net';
import { destroyWhenReset } from './link-transport.ts';

export interface ParticipantFacts {
  readonly remote: Endpoint;
  readonly local: Endpoint;
  readonly clock: Clock;
  /** Bytes that may wait for the other end; beyond it this participant is reset ('slow-reader'). */
  readonly outboundBytes: number;
}

/** One stream of a link as a Connection: a participant's PSOM bytes in both directions. */
export class ParticipantConnection implements Connection {
  readonly id: number;
  readonly remote: Endpoint;
  readonly local: Endpoint;
  readonly opened: Monotonic;
  readonly tls = undefined;
  idleMs = 0;
  lastReceived: Monotonic;
  bytesReceived = 0;
  bytesSent = 0;
  onDrain: () => void = ignore;
  readonly #stream: Http2Stream;
  readonly #facts: ParticipantFacts;
  #onData: (chunk: Buffer) => void = ignore;
  #onClose: ((reason: CloseReason) => void) | undefined;
  #reading = false;
  #reason: CloseReason | undefined;
  #peerEnded = false;
  #finished = false;

  constructor(stream: Http2Stream, facts: ParticipantFacts) {
    lastId += 1;
    this.id = lastId;
    this.#stream = stream;
    this.#facts = facts;
    this.remote = facts.remote;
    this.local = facts.local;
    this.opened = facts.clock.now();
    this.lastReceived = this.opened;
    // A stream that was reset tells an error too; the end is enough.
    stream.on('error', ignore);
    destroyWhenReset(stream);
    stream.on('end', () => this.#handleEnd());
    stream.on('close', () => this.#handleClose());
    stream.on('drain', () => this.onDrain());
    ConnectionSweep.of(facts.clock).add(this);
  }

  get onData(): (chunk: Buffer) => void {
    return this.#onData;
  }
  /** Reading starts with the first assignment. */
  set onData(receive: (chunk: Buffer) => void) {
    this.#onData = receive;
    if (this.#reading) return;
    this.#reading = true;
    this.#stream.on('data', (chunk: Buffer) => this.#handleData(chunk));
  }
  get onClose(): (reason: CloseReason) => void {
    return this.#onClose ?? ignore;
  }
  set onClose(told: (reason: CloseReason) => void) {
    const first = this.#onClose === undefined;
    this.#onClose = told;
    if (this.#finished && first) queueMicrotask(() => told(this.#reason ?? 'reset'));
  }
  get queued(): number {
    return this.#stream.writableLength;
  }
  get closed(): boolean {
    return this.#reason !== undefined || this.#peerEnded || this.#finished;
  }

  write(bytes: Uint8Array, sent?: () => void): boolean {
    if (this.closed || bytes.length === 0) return !this.closed;
    this.bytesSent += bytes.length;
    const below = this.#stream.write(bytes, sent && whenGood(sent));
    if (this.#stream.writableLength <= this.#facts.outboundBytes) return below;
    this.destroy('slow-reader');
    return false;
  }
  borrowChunks(): void {
    if (!this.closed) borrowReads(this.#stream, (chunk) => this.#handleData(chunk));
  }
  pause(): void {
    this.#stream.pause();
  }
  resume(): void {
    if (this.#reading) this.#stream.resume();
  }
  end(reason: CloseReason = 'local'): void {
    if (this.closed) return;
    this.#reason = reason;
    this.#stream.end();
    // The other end answers with its own end, unless nobody reads there.
    const late = this.#facts.clock.after(LINGER_MS, () => this.#stream.close(constants.NGHTTP2_CANCEL));
    this.#stream.once('close', late);
    // What the other end still says is of no interest, but has to be read for its end to be seen.
    this.#onData = ignore;
    this.#stream.resume();
  }
  destroy(reason: CloseReason): void {
    if (this.closed) return;
    this.#reason = reason;
    this.#stream.close(constants.NGHTTP2_CANCEL);
    this.#stream.destroy();
  }
  /** Called by the sweep. */
  checkIdle(now: Monotonic): void {
    if (this.idleMs > 0 && now - this.lastReceived >= this.idleMs) this.destroy('idle');
  }

  #handleData(chunk: Buffer): void {
    if (this.closed) return;
    this.lastReceived = this.#facts.clock.now();
    this.bytesReceived += chunk.length;
    this.#onData(chunk);
  }
  #handleEnd(): void {
    this.#peerEnded = true;
    this.#stream.end();
  }
  #handleClose(): void {
    if (this.#finished) return;
    this.#finished = true;
    ConnectionSweep.of(this.#facts.clock).delete(this);
    // The runtime tells the end of a stream that was reset as well; and ends one before it resets it, so that the other
    // end may take a reset for an end.
    this.#reason ??=
      this.#peerEnded && !this.#stream.rstCode && !this.#stream.aborted ? 'peer-closed' : 'reset';
    this.#onClose?.(this.#reason);
    this.#onData = ignore;
    this.onDrain = ignore;
  }
}

/** How long the other end may take to end too. */
const LINGER_MS = 5000;
let lastId = 0;

function ignore(): void {}
