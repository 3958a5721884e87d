import type { Monotonic, WallTime } from '#kernel';

/**
 * One moment by both clocks. What is to end with it ends when the first of the two shows it, so that a clock of the wall that is
 * set back prolongs nothing.
 */
export interface Moment {
  readonly wall: WallTime;
  readonly now: Monotonic;
}

interface Entry<Value> {
  readonly value: Value;
  readonly until: Moment;
}

/** Verdicts by certificate, each until its time; when it is full, a part of them goes, those not asked for longest. */
export class VerdictCache<Value> {
  #capacity: number;
  #evicted: number;
  readonly #entries = new Map<string, Entry<Value>>();

  /**
   * @param capacity at least 1
   * @param evicted the part that goes when it is full, above 0 and up to 1
   */
  constructor(capacity: number, evicted: number) {
    this.#capacity = capacity;
    this.#evicted = evicted;
  }
  /** For what is kept from now on. */
  configure(capacity: number, evicted: number): void {
    this.#capacity = capacity;
    this.#evicted = evicted;
    while (this.#entries.size > capacity) this.#evict();
  }
  get size(): number {
    return this.#entries.size;
  }
  take(key: string, at: Moment): Value | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    if (entry.until.wall <= at.wall || entry.until.now <= at.now) return undefined;
    this.#entries.set(key, entry); // now the last to go
    return entry.value;
  }
  keep(key: string, value: Value, until: Moment): void {
    this.#entries.delete(key);
    if (this.#entries.size >= this.#capacity) this.#evict();
    this.#entries.set(key, { value, until });
  }
  forget(key: string): void {
    this.#entries.delete(key);
  }
  clear(): void {
    this.#entries.clear();
  }
  #evict(): void {
    let surplus = Math.max(1, Math.ceil(this.#capacity * this.#evicted));
    for (const key of this.#entries.keys()) {
      if (surplus-- <= 0) return;
      this.#entries.delete(key);
    }
  }
}
