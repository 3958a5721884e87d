import { type BackOff, halfRandom, type Monotonic, pauseAfter, type Random } from '#kernel';

export interface RestartLimits extends BackOff {
  /** Without an end for so long, the next one counts as the first again. Milliseconds. */
  readonly windowMs: number;
}
const DEFAULT_LIMITS: RestartLimits = { windowMs: 60_000, firstMs: 500, longestMs: 30_000 };

/** The first restart is at once; from the second within the window the delay doubles, with jitter. */
export class RestartPolicy {
  readonly #random: Random;
  readonly #limits: RestartLimits;
  #last: Monotonic | undefined;
  #ends = 0;

  constructor(random: Random, limits: RestartLimits = DEFAULT_LIMITS) {
    this.#random = random;
    this.#limits = limits;
  }
  /** The service ended at `now`: milliseconds to wait before it is started again. */
  delay(now: Monotonic): number {
    const { windowMs } = this.#limits;
    if (this.#last === undefined || now - this.#last > windowMs) this.#ends = 0;
    this.#last = now;
    this.#ends += 1;
    if (this.#ends === 1) return 0;
    // So that services that fell together do not rise together.
    return halfRandom(pauseAfter(this.#ends - 1, this.#limits), this.#random);
  }
}
