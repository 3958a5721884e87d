import type { Monotonic } from '#kernel';

interface Sample {
  readonly at: Monotonic;
  readonly total: number;
}

/** How fast a total grows: its mean growth a second over the last so many seconds, from samples that somebody takes. */
export class RateWindow {
  readonly #milliseconds: number;
  readonly #samples: Sample[] = [];

  /** @param seconds over how long the mean goes, at most 60; samples are taken about once a second */
  constructor(seconds: number) {
    if (!(seconds >= 1 && seconds <= 60)) throw new RangeError(`no window: ${seconds} s`);
    this.#milliseconds = seconds * 1000;
  }
  /** A total that is lower than before belongs to something that began anew: so does the window. */
  sample(total: number, at: Monotonic): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && total < last.total) this.#samples.length = 0;
    this.#samples.push({ at, total });
    // The oldest one kept is the last that is not younger than the window.
    while ((this.#samples[1]?.at ?? at) <= at - this.#milliseconds) this.#samples.shift();
  }
  get perSecond(): number {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (first === undefined || last === undefined || last.at <= first.at) return 0;
    return ((last.total - first.total) * 1000) / (last.at - first.at);
  }
}
