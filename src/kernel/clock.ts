/** Milliseconds of a clock that never goes back; zero is arbitrary. */
export type Monotonic = number;
/** Milliseconds since 1970-01-01T00:00:00Z; may jump when the host's clock is set. */
export type WallTime = number;

/** Time, injected: protocol cores get `now` as an argument, adapters get a Clock. */
export interface Clock {
  now(): Monotonic;
  wall(): WallTime;
  /** Runs `task` once after `ms` (clamped to 0..2^31-1) unless cancelled. Does not keep a process alive. */
  after(ms: number, task: () => void): Cancel;
}

export type Cancel = () => void;

const LONGEST_DELAY = 2 ** 31 - 1;

export class SystemClock implements Clock {
  now(): Monotonic {
    return performance.now();
  }
  wall(): WallTime {
    return Date.now();
  }
  after(ms: number, task: () => void): Cancel {
    const handle = setTimeout(task, Math.min(Math.max(ms, 0), LONGEST_DELAY));
    // In a browser setTimeout returns a number, which needs no unref.
    (handle as { unref?: () => void }).unref?.();
    return () => clearTimeout(handle);
  }
}

interface Pending {
  readonly due: Monotonic;
  readonly order: number;
  readonly task: () => void;
}

/** A clock for tests: stands still until told to advance. */
export class ManualClock implements Clock {
  #now: Monotonic;
  #wall: WallTime;
  #order = 0;
  #pending: Pending[] = [];

  constructor(start: { now?: Monotonic; wall?: WallTime } = {}) {
    this.#now = start.now ?? 0;
    this.#wall = start.wall ?? 1_700_000_000_000;
  }
  now(): Monotonic {
    return this.#now;
  }
  wall(): WallTime {
    return this.#wall;
  }
  after(ms: number, task: () => void): Cancel {
    const entry = { due: this.#now + Math.max(ms, 0), order: this.#order++, task };
    this.#pending.push(entry);
    return () => {
      this.#pending = this.#pending.filter((other) => other !== entry);
    };
  }
  /** Moves both clocks on and runs what falls due, in order of time. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const next = this.#pending
        .filter((entry) => entry.due <= end)
        .sort((a, b) => a.due - b.due || a.order - b.order)[0];
      if (next === undefined) break;
      this.#pending = this.#pending.filter((entry) => entry !== next);
      this.#step(next.due);
      next.task();
    }
    this.#step(end);
  }
  /** Sets the wall clock only, as an operator or NTP would. */
  jump(ms: number): void {
    this.#wall += ms;
  }
  #step(to: Monotonic): void {
    this.#wall += to - this.#now;
    this.#now = to;
  }
}

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
