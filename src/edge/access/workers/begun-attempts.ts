import type { Clock, Monotonic } from '#kernel';
import type { GuardQuestion, GuardVerdict } from '../guard/guard-office.ts';
import { PENDING_MS } from '../guard/sign-in-guard.ts';

type Attempt = GuardQuestion['attempt'];

/** Of one life of a worker: what it was let begin and when, and has not told the outcome of; the latest last. */
type Begun = Map<string, { readonly attempt: Attempt; times: Monotonic[] }>;

/**
 * Attempts to sign in that other workers were let begin, and that count as guesses here until those tell what became of them. A worker
 * that has ended tells nothing any more: what it had begun is forgotten, and what it still waits for is begun by nobody. Else the
 * places of its source would be taken for as long as an attempt may be under way; after that time there is nothing to forget.
 */
export class BegunAttempts {
  readonly #workers = new Map<number, Begun>();
  readonly #clock: Clock;
  readonly #forget: (attempt: Attempt) => void;

  /** @param forget is told of each attempt whose outcome nobody will tell */
  constructor(clock: Clock, forget: (attempt: Attempt) => void) {
    this.#clock = clock;
    this.#forget = forget;
  }

  /** The verdict on a worker's question; undefined when the worker has ended meanwhile. */
  async answer(
    worker: number,
    { kind, attempt }: GuardQuestion,
    verdict: GuardVerdict | Promise<GuardVerdict>,
  ): Promise<GuardVerdict | undefined> {
    const begun = this.#of(worker);
    const given = await verdict;
    if (kind !== 'begin' || given.kind !== 'pass') return given;
    if (this.#workers.get(worker) !== begun) {
      this.#forget(attempt);
      return undefined;
    }
    const key = JSON.stringify(attempt);
    const times = this.#underWay(begun.get(key)?.times);
    begun.delete(key);
    begun.set(key, { attempt, times: [...times, this.#clock.now()] });
    for (const [oldest, { times }] of begun) {
      if (this.#underWay(times).length > 0) break;
      begun.delete(oldest);
    }
    return given;
  }
  /** The worker has told what became of it. */
  settled(worker: number, attempt: Attempt): void {
    const begun = this.#of(worker);
    const key = JSON.stringify(attempt);
    const same = begun.get(key);
    same?.times.shift();
    if (same?.times.length === 0) begun.delete(key);
  }
  handleWorkerEnd(worker: number): void {
    const begun = this.#workers.get(worker);
    this.#workers.delete(worker);
    for (const { attempt, times } of begun?.values() ?? [])
      for (const _ of this.#underWay(times)) this.#forget(attempt);
  }

  #underWay(times: readonly Monotonic[] = []): Monotonic[] {
    const before = this.#clock.now() - PENDING_MS;
    return times.filter((time) => time > before);
  }
  #of(worker: number): Begun {
    const known = this.#workers.get(worker) ?? new Map();
    this.#workers.set(worker, known);
    return known;
  }
}
