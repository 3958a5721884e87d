import type { Monotonic } from './clock.ts';

/** A rate with a burst: `rate` units a second, `burst` units at most saved up. */
export class TokenBucket {
  readonly rate: number;
  readonly burst: number;
  #tokens: number;
  #updated: Monotonic;

  constructor(rate: number, burst: number, now: Monotonic) {
    this.rate = rate;
    this.burst = burst;
    this.#tokens = burst;
    this.#updated = now;
  }
  /** Takes `amount` if it is there; false leaves the bucket as it was. */
  take(now: Monotonic, amount = 1): boolean {
    this.#fill(now);
    if (this.#tokens < amount) return false;
    this.#tokens -= amount;
    return true;
  }
  /** Takes `amount` whether it is there or not: until it is made up for, `take` gives nothing, not even an amount of 0. */
  charge(now: Monotonic, amount: number): void {
    this.#fill(now);
    this.#tokens -= amount;
  }
  #fill(now: Monotonic): void {
    const elapsed = Math.max(0, now - this.#updated);
    this.#tokens = Math.min(this.burst, this.#tokens + (elapsed * this.rate) / 1000);
    this.#updated = now;
  }
}
