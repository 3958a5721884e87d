import { SystemClock } from '#kernel';

export const HOUR = 3_600_000;

/** The system's clocks, and what a test has added to each: somebody set the clock, or time went by. Milliseconds. */
export class JumpingClock extends SystemClock {
  /** Of the wall clock alone. */
  ahead = 0;
  /** Of the monotonic clock alone. */
  later = 0;

  override wall(): number {
    return super.wall() + this.ahead;
  }
  override now(): number {
    return super.now() + this.later;
  }
}
