import { type Monotonic, pauseAfter } from '#kernel';
import { KnownPairs } from './known-pairs.ts';
import { type AttemptId, LeastRecent, type Place, Recent } from './recent.ts';

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
export interface Attempt extends AttemptId {
  /** The number of its connection, which no two workers give. */
  readonly connection: number;
  /** Accounts that it may be about, each in its one spelling, at least one: it counts for all of them. */
  readonly accounts: readonly string[];
  /** IPv4 address, or /64 of an IPv6 address. */
  readonly source: string;
  /** The sender's address in its one spelling: a sign-in is remembered under it. */
  readonly address: string;
  /** Exactly who it says it is; undefined for what is never remembered, since it may be about somebody else. */
  readonly identity?: string | undefined;
  /** How many credentials prove something, 0 before there are any. Each may be a guess. */
  readonly guesses: number;
}

export type GuardReason = 'blocked-pair' | 'blocked-source';
export type GuardRefusal = {
  readonly kind: 'refuse';
  readonly reason: GuardReason;
  readonly seconds: number;
};
/** `wait`: attempts under way have to be settled first, which are of the same pair, or of the same source. */
export type GuardVerdict =
  | { readonly kind: 'pass'; readonly delayMs: number }
  | GuardRefusal
  | { readonly kind: 'wait'; readonly reason: GuardReason };

/** A pair or a source has just been blocked: for the event. */
export interface Transition {
  readonly reason: GuardReason;
  /** Of a pair. */
  readonly account?: string;
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

/** What is remembered of those whom an attempt is about; undefined where that is nothing. */
interface History {
  /** Of {@link pairs}, one for each account. */
  readonly keys: readonly string[];
  readonly pairs: readonly (Recent | undefined)[];
  readonly source: Recent | undefined;
  /** The source signed in like this before. */
  readonly known: boolean;
}

/** However many have failed. */
export const LONGEST_DELAY_MS = 4000;
/** Above any transaction: an attempt that nobody answered is no failure, and holds no place for ever. */
export const PENDING_MS = 64_000;
/** Failures of an account from everywhere that are counted; more only slow strangers, whatever the number. */
const ACCOUNT_FAILURES = 32;

/**
 * Counts failed sign-ins by account, by source, and by both, and says what becomes of the next attempt. It refuses
 * sources, never accounts, so nobody outside can lock anybody out; a source that signed in to an account before is
 * slowed down, one attempt at a time, and never refused for that account. Attempts under way count as failures until
 * their outcome is known: what would be one too many waits, so sending many at once gains nothing.
 */
export class SignInGuard {
  #limits: GuardLimits;
  readonly #pairs: LeastRecent<Recent>;
  readonly #sources: LeastRecent<Recent>;
  readonly #accounts: LeastRecent<Recent>;
  readonly #known: KnownPairs;

  constructor(limits: GuardLimits) {
    this.#limits = limits;
    this.#pairs = new LeastRecent(limits.entries);
    this.#sources = new LeastRecent(limits.entries);
    this.#accounts = new LeastRecent(limits.entries);
    this.#known = new KnownPairs(limits.entries);
  }

  /** Sizes of tables stay. */
  configure(limits: GuardLimits): void {
    this.#limits = limits;
  }

  /** What becomes of an attempt with credentials; one that passes is under way until `settle`. */
  begin(attempt: Attempt, now: Monotonic): GuardVerdict {
    const history = this.#historyOf(attempt, now);
    const held = this.#held(attempt, history, now);
    if (held !== undefined) return held;
    const { pairs, source } = this.#keep(attempt, history);
    const delayMs = this.#delay(attempt, pairs, source, history.known, now);
    const { number, worker, guesses } = attempt;
    const place: Place = { number, worker, since: now + delayMs, guesses };
    for (const pair of pairs) pair.begin(place);
    source.begin(place);
    return { kind: 'pass', delayMs };
  }

  /** Whether anything that would sign in to these accounts is refused before there are credentials: nothing is guessed yet. */
  check(attempt: Attempt, now: Monotonic): GuardRefusal | undefined {
    const held = this.#held(attempt, this.#historyOf(attempt, now), now);
    return held?.kind === 'refuse' ? held : undefined;
  }

  #held(
    { guesses }: Attempt,
    { pairs, source, known }: History,
    now: Monotonic,
  ): Exclude<GuardVerdict, { kind: 'pass' }> | undefined {
    const { failuresPerAccount, failuresPerSource } = this.#limits;
    if (known) {
      const busy = pairs.some((pair) => isBusy(pair, failuresPerAccount, guesses));
      return busy ? { kind: 'wait', reason: 'blocked-pair' } : undefined;
    }
    let held = full('blocked-source', source, failuresPerSource, guesses, now);
    for (const pair of pairs) {
      if (held?.kind === 'refuse') return held;
      const other = full('blocked-pair', pair, failuresPerAccount, guesses, now);
      if (held === undefined || other?.kind === 'refuse') held = other;
    }
    return held;
  }

  /** True for a source from which nobody ever signed in and which is refused: it need not even be shaken hands with. */
  refusesConnection(source: string, now: Monotonic): boolean {
    const recent = this.#sources.get(source);
    if (recent === undefined || recent.blockedUntil <= now) return false;
    return !this.#known.hasSource(source, now);
  }

  /**
   * The outcome of an attempt that `begin` let pass; undefined outcome: neither right nor wrong. Its own place becomes free and no
   * other one, also where it was so slow that it holds none any more: a failure counts then nevertheless.
   */
  settle(attempt: Attempt, outcome: 'accepted' | 'failed' | undefined, now: Monotonic): Transition[] {
    const history = this.#historyOf(attempt, now);
    const { accounts, guesses } = attempt;
    for (const pair of history.pairs) pair?.end(attempt);
    history.source?.end(attempt);
    if (outcome === 'accepted') {
      for (const pair of history.pairs) pair?.forgive();
      this.#known.add(attempt, now + this.#limits.rememberMs);
    }
    // What says nothing takes no room: else names that nobody heard of would push out failures.
    if (outcome !== 'failed') {
      this.#tidy(attempt, history, now);
      return [];
    }
    const { failuresPerAccount, failuresPerSource } = this.#limits;
    const { pairs, source } = this.#keep(attempt, history);
    const transitions: Transition[] = [];
    for (const [index, account] of accounts.entries()) {
      const pair = pairs[index]!;
      add(this.#recent(this.#accounts, account, now), ACCOUNT_FAILURES, guesses, now);
      add(pair, failuresPerAccount, guesses, now);
      const blocks = !history.known && this.#blocksIfFull(pair, failuresPerAccount, now);
      if (blocks) transitions.push({ reason: 'blocked-pair', account, ...told(pair, now) });
    }
    add(source, failuresPerSource, guesses, now);
    const blocks = this.#blocksIfFull(source, failuresPerSource, now);
    if (blocks) transitions.push({ reason: 'blocked-source', ...told(source, now) });
    return transitions;
  }

  /**
   * A worker has ended, and nobody will tell what became of what it had begun: no failures, and no places for as long as it may be
   * under way. Looks through both tables, which is less than to keep a third one for what is rare.
   * @returns sources that have places again
   */
  forgetWorker(worker: number, now: Monotonic): Set<string> {
    const freed = new Set<string>();
    for (const table of [this.#sources, this.#pairs]) {
      for (const [key, recent] of table.entries()) {
        if (!recent.endAllOf(worker)) continue;
        freed.add(sourceOf(key));
        if (recent.isEmpty(now)) table.delete(key);
      }
    }
    return freed;
  }

  /** Somebody failed to sign in to these accounts from a source that another worker counts. */
  handleFailedElsewhere(accounts: readonly string[], guesses: number, now: Monotonic): void {
    for (const account of accounts)
      add(this.#recent(this.#accounts, account, now), ACCOUNT_FAILURES, guesses, now);
  }

  /** What is refused now. */
  blocks(now: Monotonic): Block[] {
    const found: Block[] = [];
    for (const [source, recent] of this.#sources.entries()) {
      if (recent.blockedUntil > now) found.push({ source, ...told(recent, now) });
    }
    for (const [key, recent] of this.#pairs.entries()) {
      if (recent.blockedUntil <= now) continue;
      const source = sourceOf(key);
      found.push({ source, account: key.slice(source.length + 1), ...told(recent, now) });
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

  #historyOf(attempt: Attempt, now: Monotonic): History {
    const keys = attempt.accounts.map((account) => pairKey(attempt, account));
    const pairs = keys.map((key) => this.#pairs.get(key));
    const source = this.#sources.get(attempt.source);
    for (const pair of pairs) this.#forget(pair, now);
    this.#forget(source, now);
    return { keys, pairs, source, known: this.#known.has(attempt, now) };
  }
  #forget(recent: Recent | undefined, now: Monotonic): void {
    recent?.forget(now - this.#limits.windowMs, now - PENDING_MS);
  }
  /** There is something to be remembered of each pair, and of the source. */
  #keep({ source }: Attempt, history: History): { pairs: Recent[]; source: Recent } {
    const pairs = history.keys.map((key, index) => keep(this.#pairs, key, history.pairs[index]));
    return { pairs, source: keep(this.#sources, source, history.source) };
  }
  #recent(table: LeastRecent<Recent>, key: string, now: Monotonic): Recent {
    const recent = keep(table, key, table.get(key));
    this.#forget(recent, now);
    return recent;
  }

  #tidy(attempt: Attempt, { keys, pairs, source }: History, now: Monotonic): void {
    for (const [index, key] of keys.entries()) {
      if (pairs[index]?.isEmpty(now) === true) this.#pairs.delete(key);
    }
    if (source?.isEmpty(now) === true) this.#sources.delete(attempt.source);
  }

  #blocksIfFull(recent: Recent, most: number, now: Monotonic): boolean {
    if (recent.failures.length < most || recent.blockedUntil > now) return false;
    recent.blockedUntil = now + this.#limits.windowMs;
    return true;
  }

  #delay(attempt: Attempt, pairs: readonly Recent[], source: Recent, known: boolean, now: Monotonic): number {
    // Several of one source are nothing strange; several of one pair are, and so are many of one account.
    const { failuresPerAccount, slowMs, windowMs } = this.#limits;
    let steps = source.failures.length - failuresPerAccount;
    for (const { failures } of pairs) steps = Math.max(steps, failures.length);
    for (const account of known ? [] : attempt.accounts) {
      const recent = this.#accounts.get(account);
      recent?.forget(now - windowMs, now);
      steps = Math.max(steps, (recent?.failures.length ?? 0) - failuresPerAccount);
    }
    return steps <= 0 ? 0 : pauseAfter(steps, { firstMs: slowMs, longestMs: LONGEST_DELAY_MS });
  }
}

function keep(table: LeastRecent<Recent>, key: string, recent = new Recent()): Recent {
  table.set(key, recent);
  return recent;
}

/**
 * Of a source that signed in before: whether those under way have to be settled first. While nobody has failed as many as a stranger
 * may try go at once; then one at a time: what is right is answered, what is guessed is slow.
 */
function isBusy(pair: Recent | undefined, most: number, guesses: number): boolean {
  if (pair === undefined || pair.pending === 0) return false;
  return pair.failures.length > 0 || pair.pending + Math.max(guesses, 1) > most;
}

/** Several guesses in one request are not more than so many one after the other; a first one always passes. */
function full(
  reason: GuardReason,
  recent: Recent | undefined,
  most: number,
  guesses: number,
  now: Monotonic,
): Exclude<GuardVerdict, { kind: 'pass' }> | undefined {
  if (recent === undefined) return undefined;
  if (recent.blockedUntil > now) return { kind: 'refuse', reason, seconds: secondsUntil(recent, now) };
  const { failures, pending } = recent;
  const asked = Math.max(guesses, 1);
  if (failures.length > 0 && failures.length + asked > most) return { kind: 'refuse', reason, seconds: 1 };
  const counted = failures.length + pending;
  return counted === 0 || counted + asked <= most ? undefined : { kind: 'wait', reason };
}

function add(recent: Recent, most: number, failures: number, now: Monotonic): void {
  for (let i = 0; i < failures; i++) recent.failures.push(now);
  if (recent.failures.length > most) recent.failures.splice(0, recent.failures.length - most);
}

function told(recent: Recent, now: Monotonic): { failures: number; seconds: number } {
  return { failures: recent.failures.length, seconds: secondsUntil(recent, now) };
}

function secondsUntil({ blockedUntil }: Recent, now: Monotonic): number {
  return Math.max(1, Math.ceil((blockedUntil - now) / 1000));
}

/** A source holds no space, so the two are told apart again. */
function pairKey({ source }: Attempt, account: string): string {
  return `${source} ${account}`;
}
/** Of the key of a pair, or of a source. */
function sourceOf(key: string): string {
  const end = key.indexOf(' ');
  return end < 0 ? key : key.slice(0, end);
}
