import type { Clock, Monotonic } from '#kernel';

/**
 * The time of what arrives. All that is done about one chunk at once is done at the same moment: it is asked for by every
 * step of a message, and the difference, at most what it takes to handle a chunk, is of no account for timers.
 */
export class Moment {
  readonly #clock: Clock;
  #held: Monotonic | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }
  now(): Monotonic {
    return this.#held ?? this.#clock.now();
  }
  /** Time stands still until `handle` returns; one that is held already goes on. */
  hold(handle: (now: Monotonic) => void): void {
    if (this.#held !== undefined) {
      handle(this.#held);
      return;
    }
    const now = this.#clock.now();
    this.#held = now;
    try {
      handle(now);
    } finally {
      this.#held = undefined;
    }
  }
}
