import { type Cancel, type Clock, type Monotonic, RecentMap } from '#kernel';
import { type Attempt, type GuardReason, type GuardVerdict, LONGEST_DELAY_MS } from './sign-in-guard.ts';
import { SourceLine, type Standing, type Waiter } from './source-line.ts';

/** What becomes of an attempt in the end. */
export type Turn = Exclude<GuardVerdict, { kind: 'wait' }>;

export interface SignInLineOptions {
  readonly clock: Clock;
  /** `SignInGuard.begin` */
  readonly begin: (attempt: Attempt, now: Monotonic) => GuardVerdict;
  /** Attempts of one source that may wait, and of all. */
  readonly perSource: number;
  readonly all: number;
}

interface Waiting extends Waiter {
  readonly attempt: Attempt;
  /** What it was last told to wait for. */
  reason: GuardReason;
  /** All that decides whether its pair has a place. */
  readonly pair: string;
  readonly cancel: Cancel;
  readonly resolve: (turn: Turn | undefined) => void;
}

/** Connections of which it is remembered whether they had a turn, at least; of twice as many, at most. */
const STANDINGS = 8192;

/**
 * Attempts that have to see first what becomes of those before them. When a whole office comes back by one address, nobody of it has
 * failed; only so many at once may be guesses. When somebody at that address guesses for one of them, that person has to get in.
 *
 * So the connections of a source have their turns one after the other, as `SourceLine` says. A turn lasts until the next hop has
 * answered; where guesses are slowed, up to four seconds longer. A new connection with one attempt waits for the turn that is under
 * way, and for one of each new connection before it that has piled up nothing either: two of them take no more than the 16 s for
 * which anybody waits. Where there are more, who is told to come again has kept the place of the connection, and all that are
 * opened meanwhile stand behind it, so that it gets in the next time. What a connection sends after its first turn goes behind all
 * new ones: who opens one after the other can hold that up, and no more than that.
 *
 * Room is shared likewise: where there is none, the newest attempt of who has most gives way to who has less, among sources
 * and among the connections of one. So nobody is refused room while another one of that source has two places.
 */
export class SignInLine {
  readonly #options: SignInLineOptions;
  readonly #lines = new Map<string, SourceLine<Waiting>>();
  #standings = new RecentMap<number, Standing>(STANDINGS);
  #waiting = 0;
  /** How many of them wait for a place of their pair. */
  #forPairs = 0;

  constructor(options: SignInLineOptions) {
    this.#options = options;
  }
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Until its turn comes; undefined when it did not within so many milliseconds, or when others need the room more.
   * @param reason why it has to wait
   */
  wait(attempt: Attempt, reason: GuardReason, longestMs: number): Promise<Turn | undefined> {
    const { source, connection, accounts, identity, guesses } = attempt;
    if (!this.#makeRoom(attempt)) return Promise.resolve(undefined);
    const line = this.#lines.get(source) ?? new SourceLine(LONGEST_DELAY_MS);
    this.#lines.set(source, line);
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(longestMs, () => this.#end(one, undefined));
      const pair = `${guesses} ${accounts.join(' ')} ${identity}`;
      const one: Waiting = { attempt, connection, reason, pair, cancel, resolve };
      line.add(one, this.#standingOf(connection));
      this.#count(reason, 1);
    });
  }

  /** Something of a source was settled: whose turn it is now goes on, and who is refused by now is told. */
  advance(source: string): void {
    const line = this.#lines.get(source);
    if (line === undefined) return;
    const holds = new Holds();
    const now = this.#options.clock.now();
    for (const pile of line.inTurn()) {
      // An office of a thousand need not be looked through for each of them.
      if (holds.source && this.#forPairs === 0) return;
      const connection = this.#giveTurn(pile, holds, now);
      if (connection === undefined) continue;
      line.serve(connection);
      this.#standings.set(connection, 'served');
    }
  }

  /** A worker has ended: what it asked for is begun by nobody. Its successor numbers its connections anew. */
  withdraw(worker: number): void {
    for (const line of [...this.#lines.values()]) {
      const all = [...line.inTurn()].flat();
      for (const one of all) if (one.attempt.worker === worker) this.#end(one, undefined);
    }
    this.#standings = new RecentMap(STANDINGS);
  }

  #standingOf(connection: number): Standing {
    const known = this.#standings.get(connection);
    if (known !== undefined) return known;
    const now = this.#options.clock.now();
    this.#standings.set(connection, now);
    return now;
  }

  /** To the first of a connection that need not wait. @returns the connection, if there was any */
  #giveTurn(pile: readonly Waiting[], holds: Holds, now: Monotonic): number | undefined {
    let held = 0;
    for (let one = pile[0]; one !== undefined; one = pile[held]) {
      const verdict = holds.has(one) ? undefined : this.#options.begin(one.attempt, now);
      if (verdict === undefined || verdict.kind === 'wait') {
        if (verdict !== undefined) this.#hold(one, verdict.reason, holds);
        held += 1;
        continue;
      }
      this.#end(one, verdict);
      if (verdict.kind === 'pass') return one.connection;
    }
    return undefined;
  }

  #hold(one: Waiting, reason: GuardReason, holds: Holds): void {
    this.#count(one.reason, -1);
    this.#count(reason, 1);
    one.reason = reason;
    holds.add(one);
  }

  /** Whether there is room for one more, after somebody gave way if need be: who has more by two, else they only changed places. */
  #makeRoom({ source, connection }: Attempt): boolean {
    const { perSource, all } = this.#options;
    const line = this.#lines.get(source);
    const own = line?.size ?? 0;
    if (own < perSource && this.#waiting < all) return true;
    const longest = own < perSource ? this.#longest() : line;
    const among = longest !== undefined && longest.size > own + 1 ? longest : line;
    const newest = among?.newestOfLongest();
    if (among === undefined || newest === undefined) return false;
    if (among === line && line.sizeOf(newest.connection) <= line.sizeOf(connection) + 1) return false;
    this.#end(newest, undefined);
    return true;
  }
  #longest(): SourceLine<Waiting> | undefined {
    let longest: SourceLine<Waiting> | undefined;
    for (const line of this.#lines.values()) if (line.size > (longest?.size ?? 0)) longest = line;
    return longest;
  }

  #end(one: Waiting, turn: Turn | undefined): void {
    const { source } = one.attempt;
    const line = this.#lines.get(source);
    line?.remove(one);
    if (line?.size === 0) this.#lines.delete(source);
    this.#count(one.reason, -1);
    one.cancel();
    one.resolve(turn);
  }
  #count(reason: GuardReason, more: 1 | -1): void {
    this.#waiting += more;
    if (reason === 'blocked-pair') this.#forPairs += more;
  }
}

/** Who need not be asked about again, since nothing becomes free while turns are given. */
class Holds {
  /** Where the source has no place none has who waits for one of it; who waits for one of a pair may be known, and need none. */
  source = false;
  readonly #pairs = new Set<string>();

  has({ reason, pair }: Waiting): boolean {
    return reason === 'blocked-source' ? this.source : this.#pairs.has(pair);
  }
  add({ reason, pair }: Waiting): void {
    if (reason === 'blocked-source') this.source = true;
    else this.#pairs.add(pair);
  }
}
