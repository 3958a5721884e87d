import type { Cancel, Clock } from '#kernel';
import type { CloseReason, Connection } from '#platform/net';
import { type Gathered, type TurnWriter, writeGathered } from './turn-writer.ts';

export interface RelayOptions {
  readonly outside: Connection;
  readonly inside: Connection;
  readonly clock: Clock;
  readonly writer: TurnWriter;
  /** Read from the participant in a second, at most; twice as many at once. */
  readonly bytesPerSecond: () => number;
  /** Looks on; the bytes are borrowed. */
  readonly passed: (direction: 'inward' | 'outward', bytes: Buffer) => void;
  /** The first that the service said; borrowed. */
  readonly answered: (first: Buffer) => void;
  readonly ended: (reason: CloseReason) => void;
}

const SECOND = 1000;
/** A participant, or a browser's own answers to our pings, of which nothing is heard for so long is gone. */
const SILENT_MS = 90_000;

/**
 * Bytes of one participant, both ways, as they are. What comes for it is never held back: its connection bounds what waits, and
 * resets it. What comes from it is read at the pace of the link and of its own allowance.
 */
export class Relay {
  readonly outside: Connection;
  readonly inside: Connection;
  readonly #options: RelayOptions;
  #allowance: number;
  #counted: number;
  #answered = false;
  #over = false;
  #held: { link: boolean; rate: Cancel | undefined } = { link: false, rate: undefined };
  readonly #inward: Gathered = { take: (bytes, sent) => this.#sendInside(bytes, sent) };
  readonly #outward: Gathered = { take: (bytes, sent) => void writeGathered(this.outside, bytes, sent) };

  constructor(options: RelayOptions) {
    const { outside, inside, clock } = options;
    this.#options = options;
    this.outside = outside;
    this.inside = inside;
    this.#allowance = 2 * options.bytesPerSecond();
    this.#counted = clock.now();
    outside.idleMs = SILENT_MS;
    outside.borrowChunks?.();
    inside.borrowChunks?.();
    outside.onData = (chunk) => this.#handleOutside(chunk);
    outside.onClose = (reason) => this.#finish(reason);
    inside.onDrain = () => this.#drained();
    inside.onData = (chunk) => this.#handleInside(chunk);
    inside.onClose = (reason) => this.#finish(reason === 'peer-closed' ? 'local' : reason);
  }

  /** The participant comes back by another way, or over another edge. */
  end(reason: CloseReason): void {
    this.#finish(reason);
  }

  #handleOutside(chunk: Buffer): void {
    const { passed, writer } = this.#options;
    passed('inward', chunk);
    writer.write(this.#inward, chunk);
    this.#charge(chunk.length);
    if (this.#held.rate !== undefined) this.outside.pause();
  }
  #sendInside(bytes: Buffer, sent: () => void): void {
    if (writeGathered(this.inside, bytes, sent)) return;
    this.#held.link = true;
    this.outside.pause();
  }
  #handleInside(chunk: Buffer): void {
    if (!this.#answered) {
      this.#answered = true;
      this.#options.answered(chunk);
    }
    this.#options.passed('outward', chunk);
    this.#options.writer.write(this.#outward, chunk);
  }
  #charge(bytes: number): void {
    const { clock, bytesPerSecond } = this.#options;
    const rate = bytesPerSecond();
    const now = clock.now();
    this.#allowance = Math.min(2 * rate, this.#allowance + ((now - this.#counted) * rate) / SECOND) - bytes;
    this.#counted = now;
    if (this.#allowance >= 0 || this.#held.rate !== undefined) return;
    this.#held.rate = clock.after((-this.#allowance * SECOND) / rate, () => {
      this.#held.rate = undefined;
      this.#readOn();
    });
  }
  #drained(): void {
    this.#held.link = false;
    this.#readOn();
  }
  #readOn(): void {
    if (!this.#over && !this.#held.link && this.#held.rate === undefined) this.outside.resume();
  }
  #finish(reason: CloseReason): void {
    if (this.#over) return;
    this.#over = true;
    this.#held.rate?.();
    this.#options.writer.flush();
    // What was said last is still delivered; what cannot be, is let go.
    if (reason === 'slow-reader' || reason === 'reset' || reason === 'idle') this.inside.destroy(reason);
    else this.inside.end(reason);
    this.outside.end(reason === 'reset' ? 'shutdown' : reason);
    this.#options.ended(reason);
  }
}
