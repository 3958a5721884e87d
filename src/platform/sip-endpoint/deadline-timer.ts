import type { Cancel, Clock, Monotonic } from '#kernel';

/** One timer for all deadlines of somebody who knows the next: set again only when something is due earlier. */
export class DeadlineTimer {
  readonly #clock: Clock;
  readonly #handleDue: () => void;
  #armed: { readonly due: Monotonic; readonly cancel: Cancel } | undefined;

  constructor(clock: Clock, handleDue: () => void) {
    this.#clock = clock;
    this.#handleDue = handleDue;
  }

  /** @param due the next deadline; undefined when there is none */
  arm(due: Monotonic | undefined): void {
    if (due === undefined || (this.#armed !== undefined && this.#armed.due <= due)) return;
    this.#armed?.cancel();
    const wait = Math.ceil(due - this.#clock.now());
    this.#armed = { due, cancel: this.#clock.after(wait, () => this.#fire()) };
  }
  stop(): void {
    this.#armed?.cancel();
    this.#armed = undefined;
  }

  #fire(): void {
    this.#armed = undefined;
    this.#handleDue();
  }
}
