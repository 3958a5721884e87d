import type { Cancel, Clock, Monotonic } from '#kernel';
import type { Attempt, GuardVerdict } from './sign-in-guard.ts';

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

interface Waiting {
  readonly attempt: Attempt;
  readonly cancel: Cancel;
  readonly resolve: (turn: Turn | undefined) => void;
}

/**
 * Attempts that have to see first what becomes of those before them, in the order in which they came. When a whole office comes
 * back by one address, nobody of it has failed; only so many at once may be guesses.
 */
export class SignInLine {
  readonly #options: SignInLineOptions;
  readonly #sources = new Map<string, Set<Waiting>>();
  #waiting = 0;

  constructor(options: SignInLineOptions) {
    this.#options = options;
  }
  get waiting(): number {
    return this.#waiting;
  }

  hasRoomFor(source: string): boolean {
    const { perSource, all } = this.#options;
    return this.#waiting < all && (this.#sources.get(source)?.size ?? 0) < perSource;
  }

  /** At the end of the line of its source; undefined when its turn did not come within so many milliseconds. */
  wait(attempt: Attempt, longestMs: number): Promise<Turn | undefined> {
    const { source } = attempt;
    const line = this.#sources.get(source) ?? new Set();
    this.#sources.set(source, line);
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(longestMs, () => {
        this.#leave(source, one);
        resolve(undefined);
      });
      const one: Waiting = { attempt, cancel, resolve };
      line.add(one);
      this.#waiting += 1;
    });
  }

  /** Something of a source was settled: whose turn it is now goes on, and who is refused by now is told. */
  advance(source: string): void {
    const now = this.#options.clock.now();
    for (const one of this.#sources.get(source) ?? []) {
      const verdict = this.#options.begin(one.attempt, now);
      if (verdict.kind === 'wait') {
        // Where the source has no place nobody has; where a pair has none, others may.
        if (verdict.reason === 'blocked-source') return;
        continue;
      }
      one.cancel();
      this.#leave(source, one);
      one.resolve(verdict);
    }
  }

  #leave(source: string, one: Waiting): void {
    const line = this.#sources.get(source);
    line?.delete(one);
    if (line?.size === 0) this.#sources.delete(source);
    this.#waiting -= 1;
  }
}
