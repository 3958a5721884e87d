import { z } from 'zod';
import type { SourcesElsewhere } from '#platform/net';

/** Listeners whose limits per source hold for all workers together. */
export type CountedListener = 'clients' | 'one-address' | 'partners';

/** Pairs of listener with source, and how many connections that has now. */
export const sourceNews = z.array(z.tuple([z.string(), z.int().nonnegative()]));
export type SourceNews = z.infer<typeof sourceNews>;

/** Pairs in one message. */
const MOST_AT_ONCE = 2000;
/** Sources of one other worker; it has no more connections than that. */
const MOST_SOURCES = 500_000;

/**
 * How many connections each source has with each worker. What changes is told to the others with the end of a turn of the
 * event loop, so they know of it a moment later, which is before the handshake of what a source opens in that moment has ended.
 */
export class SourceCounts {
  readonly #tell: (news: SourceNews) => void;
  readonly #own = new Map<string, number>();
  readonly #ofWorker = new Map<number, Map<string, number>>();
  readonly #elsewhere = new Map<string, number>();
  #changed = new Set<string>();

  /** @param tell brings news to all other workers */
  constructor(tell: (news: SourceNews) => void) {
    this.#tell = tell;
  }

  ledger(listener: CountedListener): SourcesElsewhere {
    return {
      countOf: (source) => this.#elsewhere.get(`${listener} ${source}`) ?? 0,
      tell: (source, count) => this.#note(`${listener} ${source}`, count),
    };
  }
  /** Everything, for a worker that is new. */
  *all(): Generator<SourceNews> {
    yield* parts([...this.#own]);
  }
  handleNews(worker: number, news: SourceNews): void {
    const known = this.#ofWorker.get(worker) ?? new Map<string, number>();
    this.#ofWorker.set(worker, known);
    for (const [key, count] of news) {
      if (known.size >= MOST_SOURCES && !known.has(key)) continue;
      this.#add(key, count - (known.get(key) ?? 0));
      if (count > 0) known.set(key, count);
      else known.delete(key);
    }
  }
  /** The worker is gone, and its connections with it. */
  forget(worker: number): void {
    for (const [key, count] of this.#ofWorker.get(worker) ?? []) this.#add(key, -count);
    this.#ofWorker.delete(worker);
  }

  #note(key: string, count: number): void {
    if (count > 0) this.#own.set(key, count);
    else this.#own.delete(key);
    if (this.#changed.size === 0) setImmediate(() => this.#flush());
    this.#changed.add(key);
  }
  #flush(): void {
    const changed = [...this.#changed];
    this.#changed = new Set();
    for (const part of parts(changed.map((key) => [key, this.#own.get(key) ?? 0]))) this.#tell(part);
  }
  #add(key: string, more: number): void {
    const count = (this.#elsewhere.get(key) ?? 0) + more;
    if (count > 0) this.#elsewhere.set(key, count);
    else this.#elsewhere.delete(key);
  }
}

function* parts(news: SourceNews): Generator<SourceNews> {
  for (let at = 0; at < news.length; at += MOST_AT_ONCE) yield news.slice(at, at + MOST_AT_ONCE);
}
