import { type Cancel, type Clock, SystemClock } from '#kernel';

interface Pending {
  readonly due: number;
  readonly task: () => void;
  cancel: Cancel;
}

/** The clock of the host, which a test may move on: what falls due then runs at once, in order of time. */
export class MovedClock implements Clock {
  readonly #real = new SystemClock();
  readonly #pending = new Set<Pending>();
  #moved = 0;

  now(): number {
    return this.#real.now() + this.#moved;
  }
  wall(): number {
    return this.#real.wall() + this.#moved;
  }
  after(ms: number, task: () => void): Cancel {
    const pending: Pending = { due: this.now() + Math.max(ms, 0), task, cancel: () => {} };
    this.#pending.add(pending);
    this.#plan(pending);
    return () => this.#drop(pending);
  }
  advance(ms: number): void {
    this.#moved += ms;
    for (const pending of [...this.#pending].sort((a, b) => a.due - b.due)) {
      // A task that ran before it may have cancelled it.
      if (!this.#pending.has(pending)) continue;
      pending.cancel();
      if (pending.due <= this.now()) this.#run(pending);
      else this.#plan(pending);
    }
  }

  #plan(pending: Pending): void {
    pending.cancel = this.#real.after(pending.due - this.now(), () => this.#run(pending));
  }
  #run(pending: Pending): void {
    this.#drop(pending);
    pending.task();
  }
  #drop(pending: Pending): void {
    pending.cancel();
    this.#pending.delete(pending);
  }
}
