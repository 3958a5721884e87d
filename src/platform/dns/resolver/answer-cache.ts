import type { Monotonic, Result } from '#kernel';

/** Bounds of the cache; times in seconds. */
export interface CacheLimits {
  readonly entries: number;
  /** Ceiling for answers with values. */
  readonly longest: number;
  /** Ceiling for absences (RFC 2308 §5). */
  readonly longestAbsence: number;
  /** How long a question that failed is not asked again (RFC 9520 §3.2: at least 1, at most 300). */
  readonly failure: number;
}

interface Entry<Value> {
  readonly value: Value;
  readonly until: Monotonic;
}

/** The part that goes when the cache is full: so the cost is paid once for many newcomers. */
const EVICTED = 0.2;

/** Answers by question, each until its time is over; the least recently used go when it is full. */
export class AnswerCache<Value extends Result<unknown, unknown>> {
  readonly #limits: CacheLimits;
  readonly #entries = new Map<string, Entry<Value>>();

  constructor(limits: CacheLimits) {
    this.#limits = limits;
  }
  get size(): number {
    return this.#entries.size;
  }

  /** A kept answer and the seconds that it has left. */
  take(key: string, now: Monotonic): { readonly value: Value; readonly left: number } | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    if (entry.until <= now) return undefined;
    this.#entries.set(key, entry); // now the most recently used
    return { value: entry.value, left: Math.ceil((entry.until - now) / 1000) };
  }

  /**
   * Keeps an answer for its seconds, within the ceilings; zero is not kept (RFC 1035 §3.2.1).
   * @param kind whether `seconds` are those of values, of an absence, or our own for a failure
   */
  keep(
    key: string,
    value: Value,
    kind: 'values' | 'absence' | 'failure',
    seconds: number,
    now: Monotonic,
  ): void {
    const { longest, longestAbsence, failure, entries } = this.#limits;
    const ceiling = { values: longest, absence: longestAbsence, failure }[kind];
    const kept = Math.min(seconds, ceiling);
    if (!(kept > 0)) return;
    this.#entries.delete(key);
    if (this.#entries.size >= entries) this.#evict(now);
    this.#entries.set(key, { value, until: now + kept * 1000 });
  }

  clear(): void {
    this.#entries.clear();
  }

  #evict(now: Monotonic): void {
    for (const [key, { until }] of this.#entries) if (until <= now) this.#entries.delete(key);
    let surplus = this.#entries.size - Math.floor(this.#limits.entries * (1 - EVICTED));
    for (const key of this.#entries.keys()) {
      if (surplus-- <= 0) return;
      this.#entries.delete(key);
    }
  }
}
