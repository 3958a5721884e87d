import { type Monotonic, TokenBucket } from '#kernel';
import type { PsomEvent } from '#protocols/psom';

/** So many seconds' worth may come at once. */
const BURST_SECONDS = 5;
/** Of what one may call in a second: what changes the meeting other than by drawing, and where one points. */
const STRUCTURE_SHARE = 0.1;
const POINTER_SHARE = 0.15;
/** A call of more parameters counts as several, since everybody is told it. Bytes. */
const WEIGHED_BYTES = 1024;

/** Drawing, which comes as fast as a hand moves. */
const STROKES: ReadonlySet<string> = new Set(['sAdd', 'sExtend', 'sErase', 'sUndo']);
/** Goes to the disk, as far as it was granted, and to nobody. */
const PIECES: ReadonlySet<string> = new Set(['sWrite']);

/** How much one participant may say: of each kind so much, so that no one has more than its share of everybody's attention. */
export class Pace {
  readonly #words: TokenBucket;
  readonly #structure: TokenBucket;
  readonly #pointer: TokenBucket;

  constructor(callsPerSecond: number, now: Monotonic) {
    const bucket = (rate: number) => new TokenBucket(rate, Math.max(1, rate * BURST_SECONDS), now);
    this.#words = bucket(callsPerSecond);
    this.#structure = bucket(callsPerSecond * STRUCTURE_SHARE);
    this.#pointer = bucket(callsPerSecond * POINTER_SHARE);
  }

  /** Whether the next word may be heard now, whatever it is. */
  admits(now: Monotonic): boolean {
    return this.#structure.take(now, 0) && this.#words.take(now);
  }
  /** A word that was admitted turned out to be this one. */
  charge(event: PsomEvent, now: Monotonic): void {
    if (event.kind !== 'called' || PIECES.has(event.method)) return;
    this.#words.charge(now, Math.floor(event.bytes / WEIGHED_BYTES));
    if (!STROKES.has(event.method) && event.method !== POINT) this.#structure.charge(now, 1);
  }
  /** So many bytes of a state were told that it had been told before. */
  chargeAgain(bytes: number, now: Monotonic): void {
    this.#words.charge(now, Math.floor(bytes / WEIGHED_BYTES));
  }
  /** Whether everybody may be told now where this one points; only the latest place of all is worth telling later. */
  admitsPointer(now: Monotonic): boolean {
    return this.#pointer.take(now);
  }
}

/** Where somebody points: passes, and is not kept. */
export const POINT = 'sPoint';
