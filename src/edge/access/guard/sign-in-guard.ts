import type { Monotonic } from '#kernel';
import { LeastRecent, Recent } from './recent.ts';

export interface GuardLimits {
  /** Failures of one account from one source within the window, after which that pair is refused. */
  readonly failuresPerAccount: number;
  /** Failures of one source with whatever accounts. */
  readonly failuresPerSource: number;
  /** The window, and how long a refusal lasts. */
  readonly windowMs: number;
  /** How long the first failure delays the next attempt; each further one twice as long. */
  readonly slowMs: number;
  /** How long a source that signed in is remembered. */
  readonly rememberMs: number;
  /** Entries of each table. */
  readonly entries: number;
}

/** Who tries to be whom, from where. The same for accounts that exist and that do not. */
export interface Attempt {
  /** The account that the credentials name, lower case. */
  readonly account: string;
  /** IPv4 address, or /64 of an IPv6 address. */
  readonly source: string;
}

export type GuardReason = 'blocked-pair' | 'blocked-source';
export type GuardVerdict =
  | { readonly kind: 'pass'; readonly delayMs: number }
  | { readonly kind: 'refuse'; readonly reason: GuardReason; readonly seconds: number };

/** A pair or a source has just been blocked: for the event. */
export interface Transition {
  readonly reason: GuardReason;
  readonly failures: number;
  readonly seconds: number;
}

export interface Block {
  readonly source: string;
  /** Absent when the whole source is refused. */
  readonly account?: string;
  readonly failures: number;
  readonly seconds: number;
}

const LONGEST_DELAY_MS = 4000;
/** Above any transaction: an attempt that nobody answered is no failure, and holds no place for ever. */
const PENDING_MS = 64_000;
/** Failures of an account from everywhere that are counted; more only slow strangers, whatever the number. */
const ACCOUNT_FAILURES = 32;

/**
 * Counts failed sign-ins by account, by source, and by both, and says what becomes of the next attempt. It refuses
 * sources, never accounts, so nobody outside can lock anybody out; a source that signed in to an account before is
 * slowed down, one attempt at a time, and never refused for that account. Attempts under way count as failures until
 * their outcome is known, so sending many at once gains nothing.
 */
export class SignInGuard {
  #limits: GuardLimits;
  readonly #pairs: LeastRecent<Recent>;
  readonly #sources: LeastRecent<Recent>;
  readonly #accounts: LeastRecent<Recent>;
  /** Pairs that signed in, with the time until which that is remembered. */
  readonly #known: LeastRecent<Monotonic>;
  /** How many remembered accounts a source has. */
  readonly #knownSources: LeastRecent<Monotonic>;

  constructor(limits: GuardLimits) {
    this.#limits = limits;
    this.#pairs = new LeastRecent(limits.entries);
    this.#sources = new LeastRecent(limits.entries);
    this.#accounts = new LeastRecent(limits.entries);
    this.#known = new LeastRecent(limits.entries);
    this.#knownSources = new LeastRecent(limits.entries);
  }

  /** Sizes of tables stay. */
  configure(limits: GuardLimits): void {
    this.#limits = limits;
  }

  /** What becomes of an attempt with credentials; one that passes is under way until `settle`. */
  begin(attempt: Attempt, now: Monotonic): GuardVerdict {
    const refused = this.check(attempt, now);
    if (refused !== undefined) return refused;
    const pair = this.#recent(this.#pairs, pairKey(attempt), now);
    const source = this.#recent(this.#sources, attempt.source, now);
    const delayMs = this.#delay(attempt, pair, source, now);
    pair.pending.push(now + delayMs);
    source.pending.push(now + delayMs);
    return { kind: 'pass', delayMs };
  }

  /** Whether anything that would sign in to this account is refused, with credentials or before them. */
  check(attempt: Attempt, now: Monotonic): Extract<GuardVerdict, { kind: 'refuse' }> | undefined {
    const known = this.#isKnown(this.#known, pairKey(attempt), now);
    const pair = this.#pairs.get(pairKey(attempt));
    const source = this.#sources.get(attempt.source);
    for (const recent of [pair, source]) recent?.forget(now - this.#limits.windowMs, now - PENDING_MS);
    if (known) {
      // One at a time: what is right is answered, what is guessed is slow.
      const busy = (pair?.pending.length ?? 0) > 0 && (pair?.failures.length ?? 0) > 0;
      return busy ? { kind: 'refuse', reason: 'blocked-pair', seconds: 1 } : undefined;
    }
    return (
      this.#full('blocked-source', source, this.#limits.failuresPerSource, now) ??
      this.#full('blocked-pair', pair, this.#limits.failuresPerAccount, now)
    );
  }

  /** True for a source from which nobody ever signed in and which is refused: it need not even be shaken hands with. */
  refusesConnection(source: string, now: Monotonic): boolean {
    const recent = this.#sources.get(source);
    if (recent === undefined || recent.blockedUntil <= now) return false;
    return !this.#isKnown(this.#knownSources, source, now);
  }

  /** The outcome of an attempt that `begin` let pass; undefined outcome: neither right nor wrong. */
  settle(attempt: Attempt, outcome: 'accepted' | 'failed' | undefined, now: Monotonic): Transition[] {
    const key = pairKey(attempt);
    const pair = this.#recent(this.#pairs, key, now);
    const source = this.#recent(this.#sources, attempt.source, now);
    pair.pending.shift();
    source.pending.shift();
    if (outcome === 'accepted') {
      this.#pairs.delete(key);
      this.#known.set(key, now + this.#limits.rememberMs);
      this.#knownSources.set(attempt.source, now + this.#limits.rememberMs);
    }
    if (outcome !== 'failed') return [];
    const { failuresPerAccount, failuresPerSource } = this.#limits;
    add(this.#recent(this.#accounts, attempt.account, now), ACCOUNT_FAILURES, now);
    add(pair, failuresPerAccount, now);
    add(source, failuresPerSource, now);
    const known = this.#isKnown(this.#known, key, now);
    return [
      ...(known ? [] : this.#blockIfFull('blocked-pair', pair, failuresPerAccount, now)),
      ...this.#blockIfFull('blocked-source', source, failuresPerSource, now),
    ];
  }

  /** Somebody failed to sign in to this account from a source that another worker counts. */
  handleFailedElsewhere(account: string, now: Monotonic): void {
    add(this.#recent(this.#accounts, account, now), ACCOUNT_FAILURES, now);
  }

  /** What is refused now. */
  blocks(now: Monotonic): Block[] {
    const found: Block[] = [];
    for (const [source, recent] of this.#sources.entries()) {
      if (recent.blockedUntil > now) found.push({ source, ...told(recent, now) });
    }
    for (const [key, recent] of this.#pairs.entries()) {
      if (recent.blockedUntil <= now) continue;
      const [source = '', account = ''] = key.split(' ', 2);
      found.push({ source, account, ...told(recent, now) });
    }
    return found;
  }

  /** Forgives a source everything; how many blocks that lifted. */
  unblock(source: string, now: Monotonic): number {
    const lifted = this.blocks(now).filter((block) => block.source === source);
    for (const [key] of [...this.#pairs.entries()]) if (key.startsWith(`${source} `)) this.#pairs.delete(key);
    this.#sources.delete(source);
    return lifted.length;
  }

  #recent(table: LeastRecent<Recent>, key: string, now: Monotonic): Recent {
    const recent = table.get(key) ?? new Recent();
    recent.forget(now - this.#limits.windowMs, now - PENDING_MS);
    table.set(key, recent);
    return recent;
  }

  #full(
    reason: GuardReason,
    recent: Recent | undefined,
    most: number,
    now: Monotonic,
  ): Extract<GuardVerdict, { kind: 'refuse' }> | undefined {
    if (recent === undefined) return undefined;
    if (recent.blockedUntil > now) return { kind: 'refuse', reason, seconds: secondsUntil(recent, now) };
    if (recent.failures.length + recent.pending.length < most) return undefined;
    return { kind: 'refuse', reason, seconds: 1 };
  }

  #blockIfFull(reason: GuardReason, recent: Recent, most: number, now: Monotonic): Transition[] {
    if (recent.failures.length < most || recent.blockedUntil > now) return [];
    recent.blockedUntil = now + this.#limits.windowMs;
    return [{ reason, failures: recent.failures.length, seconds: secondsUntil(recent, now) }];
  }

  #delay(attempt: Attempt, pair: Recent, source: Recent, now: Monotonic): number {
    const known = this.#isKnown(this.#known, pairKey(attempt), now);
    const account = known ? undefined : this.#accounts.get(attempt.account);
    account?.forget(now - this.#limits.windowMs, now);
    // Several of one source are nothing strange; several of one pair are, and so are many of one account.
    const { failuresPerAccount } = this.#limits;
    const steps = Math.max(
      pair.failures.length,
      source.failures.length - failuresPerAccount,
      (account?.failures.length ?? 0) - failuresPerAccount,
    );
    return steps <= 0 ? 0 : Math.min(this.#limits.slowMs * 2 ** (steps - 1), LONGEST_DELAY_MS);
  }

  #isKnown(table: LeastRecent<Monotonic>, key: string, now: Monotonic): boolean {
    return (table.get(key) ?? Number.NEGATIVE_INFINITY) > now;
  }
}

function add(recent: Recent, most: number, now: Monotonic): void {
  recent.failures.push(now);
  if (recent.failures.length > most) recent.failures.shift();
}

function told(recent: Recent, now: Monotonic): { failures: number; seconds: number } {
  return { failures: recent.failures.length, seconds: secondsUntil(recent, now) };
}

function secondsUntil({ blockedUntil }: Recent, now: Monotonic): number {
  return Math.max(1, Math.ceil((blockedUntil - now) / 1000));
}

/** A source holds no space, so the two are told apart again. */
function pairKey({ account, source }: Attempt): string {
  return `${source} ${account}`;
}
