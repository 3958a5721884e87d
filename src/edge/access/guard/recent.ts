import type { Monotonic } from '#kernel';

/** An attempt as nobody else's is named: no worker gives a number twice. */
export interface AttemptId {
  /** Of those that its worker has begun. */
  readonly number: number;
  /** The other worker that has its connection; undefined: this one. */
  readonly worker?: number | undefined;
}

/** What an attempt that is under way takes of each key that it counts under. */
export interface Place extends AttemptId {
  readonly since: Monotonic;
  readonly guesses: number;
}

/** Failures of the last while under one key, and attempts whose outcome is not known yet. */
export class Recent {
  /** Oldest first, never more than the limit that somebody asked about. */
  failures: Monotonic[] = [];
  blockedUntil: Monotonic = Number.NEGATIVE_INFINITY;
  /** Oldest first. Mostly that is the one that ends next, so that it is looked for from there. */
  #places: Place[] = [];
  #pending = 0;

  /** Guesses that are under way. */
  get pending(): number {
    return this.#pending;
  }
  /** Nothing would be lost with it. */
  isEmpty(now: Monotonic): boolean {
    return this.failures.length === 0 && this.#places.length === 0 && this.blockedUntil <= now;
  }
  begin(place: Place): void {
    this.#places.push(place);
    this.#pending += place.guesses;
  }
  /** Of an attempt that has no place (any more) nothing ends. */
  end({ number, worker }: AttemptId): void {
    const index = this.#places.findIndex((place) => place.number === number && place.worker === worker);
    const [ended] = index < 0 ? [] : this.#places.splice(index, 1);
    this.#pending -= ended?.guesses ?? 0;
  }
  /** All that a worker had begun; whether there was any. */
  endAllOf(worker: number): boolean {
    const before = this.#places.length;
    this.#places = this.#places.filter((place) => place.worker !== worker);
    this.#pending = this.#places.reduce((sum, { guesses }) => sum + guesses, 0);
    return this.#places.length < before;
  }
  /** What was guessed before a right password was none; what is under way may still be. */
  forgive(): void {
    this.failures = [];
    this.blockedUntil = Number.NEGATIVE_INFINITY;
  }
  forget(before: Monotonic, pendingBefore: Monotonic): void {
    while ((this.failures[0] ?? Number.POSITIVE_INFINITY) <= before) this.failures.shift();
    while ((this.#places[0]?.since ?? Number.POSITIVE_INFINITY) <= pendingBefore)
      this.#pending -= this.#places.shift()?.guesses ?? 0;
  }
}

/**
 * A table that never grows beyond its size: what was not touched for longest makes room. Whoever floods it with new
 * keys, each of which takes a source of its own, pushes out old failures, never remembered sign-ins: those have a table
 * of their own that only a right password fills.
 */
export class LeastRecent<Value> {
  readonly #most: number;
  /**
   * How many make room at a time, at least one. The way to the oldest leads over the places of all that left since the table was
   * laid out: one by one that took 7.5 µs each, a sixtieth of a sign-in.
   */
  readonly #atOnce: number;
  readonly #entries = new Map<string, Value>();

  constructor(most: number) {
    this.#most = most;
    this.#atOnce = Math.ceil(most / 128);
  }
  get size(): number {
    return this.#entries.size;
  }
  get(key: string): Value | undefined {
    return this.#entries.get(key);
  }
  set(key: string, value: Value): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size > this.#most) this.#makeRoom();
  }
  #makeRoom(): void {
    const rest = this.#most + 1 - this.#atOnce;
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= rest) return;
      this.#entries.delete(oldest);
    }
  }
  delete(key: string): boolean {
    return this.#entries.delete(key);
  }
  entries(): IterableIterator<[string, Value]> {
    return this.#entries.entries();
  }
}
