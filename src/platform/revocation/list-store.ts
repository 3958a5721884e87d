import type { X509Certificate } from 'node:crypto';
import { type Clock, err, failure, type Monotonic, ok, type Result } from '#kernel';
import { listProblem, type RevocationList, readRevocationList } from '#platform/pki';
import type { Counter } from '#platform/telemetry';

export interface ListStoreLimits {
  /** Lists kept. */
  readonly lists: number;
  /** Revoked certificates in all lists together. */
  readonly entries: number;
  /** Fetches under way at a time. */
  readonly fetches: number;
  /** A list is fetched anew after this time at the latest, and sooner when its own time ends. Milliseconds. */
  readonly refreshMs: number;
  /** After a fetch that failed. Milliseconds. */
  readonly retryMs: number;
  /** A list that nobody asked for is let go. Milliseconds. */
  readonly unusedMs: number;
}

interface Kept {
  readonly source: Source;
  list: RevocationList;
  /** Its nextUpdate as it was far when it came: a clock of the wall that is set back does not prolong its time. */
  readonly endsAt: Monotonic;
  refreshAt: Monotonic;
  usedAt: Monotonic;
}

/** Where a list comes from and who has to have signed it. */
interface Source {
  readonly url: string;
  readonly issuer: X509Certificate;
}

export interface ListStoreOptions {
  readonly limits: ListStoreLimits;
  readonly fetch: (url: string) => Promise<Result<Buffer>>;
  readonly clock: Clock;
  readonly fetched: Counter<'ok' | 'failed'>;
  /** Whether lists in use are fetched again before their time ends; without it when that is over. */
  readonly keepFresh: () => boolean;
  /** A list was replaced: what was judged by it has to be judged again. */
  readonly changed: () => void;
}

/**
 * Revocation lists, fetched once for all who wait and kept fresh while they are used. They are kept by issuer and URL,
 * and only when that issuer has signed them: an authority that names the URL of another one spoils nothing.
 */
export class ListStore {
  readonly #options: ListStoreOptions;
  readonly #lists = new Map<string, Kept>();
  readonly #pending = new Map<string, Promise<Result<RevocationList>>>();
  readonly #failed = new Map<
    string,
    { readonly until: Monotonic; readonly result: Result<RevocationList> }
  >();
  #cancelSweep: () => void;
  #closed = false;

  constructor(options: ListStoreOptions) {
    this.#options = options;
    this.#cancelSweep = options.clock.after(options.limits.retryMs, this.#sweep);
  }
  get size(): number {
    return this.#lists.size;
  }

  /** The list that an issuer publishes at a URL, which the caller has found in a verified certificate. */
  async list(url: string, issuer: X509Certificate): Promise<Result<RevocationList>> {
    const { clock } = this.#options;
    const source = { url, issuer };
    const kept = this.#lists.get(keyOf(source));
    if (kept === undefined || !isCurrent(kept, clock)) return this.#fetch(source);
    kept.usedAt = clock.now();
    return ok(kept.list);
  }

  /** The list if it is at hand and its time is not over. */
  known(url: string, issuer: X509Certificate): RevocationList | undefined {
    const kept = this.#lists.get(keyOf({ url, issuer }));
    return kept !== undefined && isCurrent(kept, this.#options.clock) ? kept.list : undefined;
  }

  close(): void {
    this.#closed = true;
    this.#cancelSweep();
    this.#lists.clear();
  }

  #fetch(source: Source): Promise<Result<RevocationList>> {
    const { clock, limits } = this.#options;
    const key = keyOf(source);
    const pending = this.#pending.get(key);
    if (pending !== undefined) return pending;
    const failed = this.#failed.get(key);
    if (failed !== undefined && failed.until > clock.now()) return Promise.resolve(failed.result);
    if (this.#pending.size >= limits.fetches)
      return Promise.resolve(err(failure('SLP-PKI-0005', 'too many lists are being fetched')));
    const fetching = this.#fetchAndKeep(source, key);
    this.#pending.set(key, fetching);
    return fetching;
  }

  async #fetchAndKeep(source: Source, key: string): Promise<Result<RevocationList>> {
    const { fetch, limits, clock, fetched } = this.#options;
    const bytes = await fetch(source.url);
    const result = bytes.ok ? this.#read(bytes.value, source) : bytes;
    this.#pending.delete(key);
    fetched.inc(result.ok ? 'ok' : 'failed');
    if (this.#closed) return result;
    const kept = result.ok ? this.#keep(source, key, result.value) : result;
    if (kept.ok) return kept;
    this.#remember(key, { until: clock.now() + limits.retryMs, result: kept });
    return kept;
  }

  #read(bytes: Buffer, { url, issuer }: Source): Result<RevocationList> {
    const { limits, clock } = this.#options;
    const list = readRevocationList(bytes, { entries: limits.entries });
    const problem = list.ok ? listProblem(list.value, issuer, clock.wall()) : list.error;
    if (list.ok && problem === undefined) return list;
    return err(failure('SLP-PKI-0006', `${url.slice(0, 200)}: ${problem}`));
  }

  /** Returns the list that counts from now on; fails when that is none, since the one that came is older than one whose time is over. */
  #keep(source: Source, key: string, list: RevocationList): Result<RevocationList> {
    const { clock, limits, changed } = this.#options;
    const now = clock.now();
    const left = (list.nextUpdate ?? 0) - clock.wall();
    const before = this.#lists.get(key);
    // An older list must not take the place of a newer one: whoever could replay it would undo a revocation.
    if (before !== undefined && before.list.thisUpdate > list.thisUpdate) {
      before.refreshAt = now + limits.retryMs;
      if (isCurrent(before, clock)) return ok(before.list);
      return err(failure('SLP-PKI-0006', `${source.url.slice(0, 200)}: older than the one before`));
    }
    this.#failed.delete(key);
    this.#lists.delete(key);
    this.#makeRoom(list.revoked.size);
    const refreshAt = now + Math.min(limits.refreshMs, Math.max(left * 0.75, limits.retryMs));
    this.#lists.set(key, { source, list, endsAt: now + left, refreshAt, usedAt: before?.usedAt ?? now });
    if (before !== undefined) changed();
    return ok(list);
  }

  #makeRoom(entries: number): void {
    const { limits } = this.#options;
    let sum = entries;
    for (const { list } of this.#lists.values()) sum += list.revoked.size;
    const byUse = [...this.#lists].sort(([, one], [, other]) => one.usedAt - other.usedAt);
    for (const [key, { list }] of byUse) {
      if (this.#lists.size < limits.lists && sum <= limits.entries) return;
      this.#lists.delete(key);
      sum -= list.revoked.size;
    }
  }

  #remember(key: string, failed: { until: Monotonic; result: Result<RevocationList> }): void {
    const kept = this.#lists.get(key);
    if (kept !== undefined) kept.refreshAt = failed.until; // the one before counts as long as its own time lasts
    this.#failed.delete(key);
    if (this.#failed.size >= this.#options.limits.lists) {
      const [oldest] = this.#failed.keys();
      if (oldest !== undefined) this.#failed.delete(oldest);
    }
    this.#failed.set(key, failed);
  }

  /** Fetches in the background what will soon be too old, and lets go what nobody asks for. */
  readonly #sweep = (): void => {
    const { clock, limits, keepFresh } = this.#options;
    const now = clock.now();
    for (const [key, kept] of this.#lists) {
      if (now - kept.usedAt > limits.unusedMs) this.#lists.delete(key);
      else if (kept.refreshAt <= now && keepFresh()) void this.#fetch(kept.source);
    }
    if (!this.#closed) this.#cancelSweep = clock.after(limits.retryMs, this.#sweep);
  };
}

function keyOf({ url, issuer }: Source): string {
  return `${issuer.fingerprint256} ${url}`;
}

function isCurrent({ list, endsAt }: Kept, clock: Clock): boolean {
  return list.nextUpdate !== undefined && list.nextUpdate > clock.wall() && endsAt > clock.now();
}
