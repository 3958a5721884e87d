import type { GuardQuestion, GuardVerdict } from '../guard/guard-office.ts';

type Attempt = GuardQuestion['attempt'];

/** Of one life of a worker: what it was let begin and has not told the outcome of. */
type Begun = Map<string, { readonly attempt: Attempt; count: number }>;

/**
 * Attempts to sign in that other workers were let begin, and that count as guesses here until those tell what became of them. A worker
 * that has ended tells nothing any more: what it had begun is forgotten, and what it still waits for is begun by nobody. Else the
 * places of its source would be taken for as long as an attempt may be under way.
 */
export class BegunAttempts {
  readonly #workers = new Map<number, Begun>();
  readonly #forget: (attempt: Attempt) => void;

  /** @param forget is told of each attempt whose outcome nobody will tell */
  constructor(forget: (attempt: Attempt) => void) {
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
    const same = begun.get(key);
    if (same === undefined) begun.set(key, { attempt, count: 1 });
    else same.count += 1;
    return given;
  }
  /** The worker has told what became of it. */
  settled(worker: number, attempt: Attempt): void {
    const begun = this.#of(worker);
    const key = JSON.stringify(attempt);
    const same = begun.get(key);
    if (same === undefined) return;
    same.count -= 1;
    if (same.count === 0) begun.delete(key);
  }
  handleWorkerEnd(worker: number): void {
    const begun = this.#workers.get(worker);
    this.#workers.delete(worker);
    for (const { attempt, count } of begun?.values() ?? [])
      for (let time = 0; time < count; time++) this.#forget(attempt);
  }

  #of(worker: number): Begun {
    const known = this.#workers.get(worker) ?? new Map();
    this.#workers.set(worker, known);
    return known;
  }
}
