import type { Monotonic } from '#kernel';

/** Failures of the last while under one key, and attempts whose outcome is not known yet. */
export class Recent {
  /** Oldest first, never more than the limit that somebody asked about. */
  failures: Monotonic[] = [];
  pending: Monotonic[] = [];
  blockedUntil: Monotonic = Number.NEGATIVE_INFINITY;

  /** Nothing would be lost with it. */
  isEmpty(now: Monotonic): boolean {
    return this.failures.length === 0 && this.pending.length === 0 && this.blockedUntil <= now;
  }
  /** So many attempts are under way, from then on. */
  begin(attempts: number, at: Monotonic): void {
    for (let i = 0; i < attempts; i++) this.pending.push(at);
  }
  /** So many of them are not any more. */
  end(attempts: number): void {
    for (let i = 0; i < attempts; i++) this.pending.shift();
  }
  /** What was guessed before a right password was none; what is under way may still be. */
  forgive(): void {
    this.failures = [];
    this.blockedUntil = Number.NEGATIVE_INFINITY;
  }
  forget(before: Monotonic, pendingBefore: Monotonic): void {
    while ((this.failures[0] ?? Number.POSITIVE_INFINITY) <= before) this.failures.shift();
    while ((this.pending[0] ?? Number.POSITIVE_INFINITY) <= pendingBefore) this.pending.shift();
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
