import type { Cancel, Clock } from '#kernel';

/** How often it is looked. Milliseconds. */
const PACE_MS = 20;

/**
 * How long what arrives has to wait for this process: a timer that comes late says for how long the loop was busy, and
 * whatever arrived meanwhile has waited for as long as that.
 */
export class LoopWait {
  readonly #clock: Clock;
  readonly #waited: (ms: number) => void;
  #cancel: Cancel = () => {};

  constructor(clock: Clock, waited: (ms: number) => void) {
    this.#clock = clock;
    this.#waited = waited;
  }
  start(): void {
    const due = this.#clock.now() + PACE_MS;
    this.#cancel = this.#clock.after(PACE_MS, () => {
      this.#waited(Math.max(0, this.#clock.now() - due));
      this.start();
    });
  }
  stop(): void {
    this.#cancel();
  }
}
