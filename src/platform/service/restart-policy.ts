import type { Monotonic, Random } from '#kernel';

export interface RestartLimits {
  /** Without an end for so long, the next one counts as the first again. Milliseconds. */
  readonly windowMs: number;
  readonly firstDelayMs: number;
  readonly longestDelayMs: number;
}
const DEFAULT_LIMITS: RestartLimits = { windowMs: 60_000, firstDelayMs: 500, longestDelayMs: 30_000 };

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
    const { windowMs, firstDelayMs, longestDelayMs } = this.#limits;
    if (this.#last === undefined || now - this.#last > windowMs) this.#ends = 0;
    this.#last = now;
    this.#ends += 1;
    if (this.#ends === 1) return 0;
    const full = Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(this.#ends - 2, 30));
    // Between half and all of it, so that services that fell together do not rise together.
    return full / 2 + (full / 2) * ((this.#random.bytes(1)[0] ?? 0) / 255);
  }
}
