/**
 * Says whether a key is new, so that something noisy is logged once for each. One of these per connection, keyed
 * by reason, gives "at most one log line per connection and reason".
 */
export class OncePerKey {
  readonly capacity: number;
  readonly #seen = new Set<string>();
  #suppressed = 0;

  /** @param capacity keys remembered; the oldest is forgotten first. At least 1. */
  constructor(capacity: number) {
    if (!(capacity >= 1)) throw new RangeError(`capacity ${capacity} is below 1`);
    this.capacity = capacity;
  }
  /** True the first time that a key comes. */
  first(key: string): boolean {
    if (this.#seen.has(key)) {
      this.#suppressed += 1;
      return false;
    }
    if (this.#seen.size >= this.capacity) {
      const oldest = this.#seen.values().next();
      if (!oldest.done) this.#seen.delete(oldest.value);
    }
    this.#seen.add(key);
    return true;
  }
  /** How often `first` has said no. */
  get suppressed(): number {
    return this.#suppressed;
  }
}
