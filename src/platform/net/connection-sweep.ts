import type { Clock, Monotonic } from '#kernel';

/** Something that wants to be asked now and then whether it has been idle for too long. */
export interface Sweepable {
  checkIdle(now: Monotonic): void;
}

/** How often everything is looked at; an idle connection ends at most this much late. */
const PERIOD_MS = 1000;

const sweeps = new WeakMap<Clock, ConnectionSweep>();

/** One timer for all connections that live by one clock. */
export class ConnectionSweep {
  readonly #clock: Clock;
  readonly #members = new Set<Sweepable>();
  #armed = false;

  static of(clock: Clock): ConnectionSweep {
    let sweep = sweeps.get(clock);
    if (sweep === undefined) {
      sweep = new ConnectionSweep(clock);
      sweeps.set(clock, sweep);
    }
    return sweep;
  }
  private constructor(clock: Clock) {
    this.#clock = clock;
  }
  add(member: Sweepable): void {
    this.#members.add(member);
    this.#arm();
  }
  delete(member: Sweepable): void {
    this.#members.delete(member);
  }
  #arm(): void {
    if (this.#armed || this.#members.size === 0) return;
    this.#armed = true;
    this.#clock.after(PERIOD_MS, () => {
      this.#armed = false;
      const now = this.#clock.now();
      for (const member of this.#members) member.checkIdle(now);
      this.#arm();
    });
  }
}
