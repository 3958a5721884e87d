import type { WallTime } from '#kernel';

interface Entry<Value> {
  readonly value: Value;
  readonly until: WallTime;
}

/** The part that goes when the cache is full. */
const EVICTED = 0.2;

/** Verdicts by certificate, each until its time; when it is full, the fifth that was not asked for longest goes. */
export class VerdictCache<Value> {
  readonly #capacity: number;
  readonly #entries = new Map<string, Entry<Value>>();

  /** @param capacity at least 1 */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }
  get size(): number {
    return this.#entries.size;
  }
  take(key: string, at: WallTime): Value | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    if (entry.until <= at) return undefined;
    this.#entries.set(key, entry); // now the last to go
    return entry.value;
  }
  keep(key: string, value: Value, until: WallTime): void {
    this.#entries.delete(key);
    if (this.#entries.size >= this.#capacity) this.#evict();
    this.#entries.set(key, { value, until });
  }
  clear(): void {
    this.#entries.clear();
  }
  #evict(): void {
    let surplus = Math.max(1, Math.ceil(this.#capacity * EVICTED));
    for (const key of this.#entries.keys()) {
      if (surplus-- <= 0) return;
      this.#entries.delete(key);
    }
  }
}
