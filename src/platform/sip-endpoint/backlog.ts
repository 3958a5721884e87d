import { hasRoom } from './fair-room.ts';

/** Below this part of the limit nobody has to be told apart. */
const UNSHARED = 1 / 8;
/** Entries that are over are taken out of the list so many at a time. */
const SWEPT = 1024;

/** What a flow has still to write. */
export interface Writer {
  /** Bytes that were given to it, and bytes of these that wait to be given to the system. */
  readonly given: number;
  readonly waiting: number;
}

/** A message that somebody wants to have written. */
export interface Wanted {
  readonly party: string;
  /** About as many as it will have. */
  readonly bytes: number;
  readonly withinDialog: boolean;
}

/** One that was let in: until the flow has written so many bytes since its beginning, it is in the way of others. */
interface Entry {
  readonly party: string;
  readonly bytes: number;
  readonly end: number;
}

/**
 * The bytes that wait to be written to one flow, as those see it who share it: who has most there has to wait first
 * ({@link hasRoom}). What was written while little waited, or by nobody in particular, is nobody's.
 */
export class Backlog {
  readonly #writer: Writer;
  #entries: Entry[] = [];
  /** Those before it are over. */
  #first = 0;
  readonly #held = new Map<string, number>();

  constructor(writer: Writer) {
    this.#writer = writer;
  }

  /** Whether the message may be given to the flow; it is counted then, so give it. @param limit in bytes */
  admits({ party, bytes, withinDialog }: Wanted, limit: number): boolean {
    const { given, waiting } = this.#writer;
    if (waiting < limit * UNSHARED) {
      if (this.#entries.length > 0) this.#forget();
      return true;
    }
    this.#settle(given - waiting);
    const held = this.#held.get(party) ?? 0;
    if (!hasRoom({ capacity: limit, used: waiting }, held, withinDialog)) return false;
    this.#held.set(party, held + bytes);
    this.#entries.push({ party, bytes, end: given + bytes });
    return true;
  }

  #settle(written: number): void {
    for (let entry = this.#entries[this.#first]; entry !== undefined; entry = this.#entries[this.#first]) {
      if (entry.end > written) break;
      this.#first += 1;
      const left = (this.#held.get(entry.party) ?? 0) - entry.bytes;
      if (left > 0) this.#held.set(entry.party, left);
      else this.#held.delete(entry.party);
    }
    if (this.#first < SWEPT) return;
    this.#entries = this.#entries.slice(this.#first);
    this.#first = 0;
  }
  #forget(): void {
    this.#entries = [];
    this.#first = 0;
    this.#held.clear();
  }
}
