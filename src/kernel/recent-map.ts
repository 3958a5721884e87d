/**
 * Remembers what was set last, and nothing for sure: of two generations the older one goes when the younger one is full, so
 * nothing is counted, sorted or deleted. (A `Map` that gains and loses thousands of entries a second costs the collector
 * more than it spares.)
 */
export class RecentMap<K, V> {
  readonly #most: number;
  #young = new Map<K, V>();
  #old = new Map<K, V>();

  /** @param most entries of one generation, at least 1; there are at most twice as many */
  constructor(most: number) {
    if (!(most >= 1)) throw new RangeError(`${most} is below 1`);
    this.#most = most;
  }
  get(key: K): V | undefined {
    const found = this.#young.get(key);
    if (found !== undefined) return found;
    const older = this.#old.get(key);
    if (older !== undefined) this.set(key, older);
    return older;
  }
  set(key: K, value: V): void {
    if (this.#young.size >= this.#most) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }
}
