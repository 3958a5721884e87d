import type { Cancel, Clock } from '#kernel';

/** How often it is looked, in milliseconds: while something waits, and while nothing has for so many looks. */
const PACE_MS = 20;
const CALM_PACE_MS = 200;
const CALM_LOOKS = 50;
/** A timer of a process that does nothing comes late by less than that, on a host that others use, too. Milliseconds. */
const ON_TIME_MS = 20;

/**
 * How long what arrives has to wait for this process: a timer that comes late says for how long the loop was busy, and
 * whatever arrived meanwhile has waited for as long as that. A process that has nothing to do looks less often, for being
 * woken is most of what it costs: fifty times a second took more than all else that an idle edge does.
 */
export class LoopWait {
  readonly #clock: Clock;
  readonly #waited: (ms: number) => void;
  #cancel: Cancel = () => {};
  /** Looks in a row that were on time. */
  #calm = 0;

  constructor(clock: Clock, waited: (ms: number) => void) {
    this.#clock = clock;
    this.#waited = waited;
  }
  start(): void {
    const pace = this.#calm < CALM_LOOKS ? PACE_MS : CALM_PACE_MS;
    const due = this.#clock.now() + pace;
    this.#cancel = this.#clock.after(pace, () => {
      const late = Math.max(0, this.#clock.now() - due);
      this.#calm = late < ON_TIME_MS ? this.#calm + 1 : 0;
      this.#waited(late);
      this.start();
    });
  }
  stop(): void {
    this.#cancel();
  }
}
