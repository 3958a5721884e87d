/**
 * A map that cannot grow beyond its capacity. What happens to a newcomer when it is full is the caller's
 * decision, so `set` reports it instead of evicting in silence.
 */
export class BoundedMap<K, V> {
  readonly capacity: number;
  readonly #entries = new Map<K, V>();

  /** @param capacity at least 1 */
  constructor(capacity: number) {
    if (!(capacity >= 1)) throw new RangeError(`capacity ${capacity} is below 1`);
    this.capacity = capacity;
  }
  get size(): number {
    return this.#entries.size;
  }
  get full(): boolean {
    return this.#entries.size >= this.capacity;
  }
  get(key: K): V | undefined {
    return this.#entries.get(key);
  }
  has(key: K): boolean {
    return this.#entries.has(key);
  }
  /** Stores the value; false (and nothing stored) when the key is new and the map is full. */
  set(key: K, value: V): boolean {
    if (this.#entries.size >= this.capacity && !this.#entries.has(key)) return false;
    this.#entries.set(key, value);
    return true;
  }
  delete(key: K): boolean {
    return this.#entries.delete(key);
  }
  clear(): void {
    this.#entries.clear();
  }
  keys(): IterableIterator<K> {
    return this.#entries.keys();
  }
  values(): IterableIterator<V> {
    return this.#entries.values();
  }
  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.#entries[Symbol.iterator]();
  }
}
