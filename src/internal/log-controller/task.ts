import type { Clock } from '#kernel';

/** Something that takes longer than one answer may: asked for once, waited for in parts. */
export class Task {
  readonly #clock: Clock;
  #value: { readonly edges: readonly unknown[] } | undefined;
  #wake: () => void = () => {};

  constructor(clock: Clock, work: Promise<{ readonly edges: readonly unknown[] }>) {
    this.#clock = clock;
    void work.then((value) => {
      this.#value = value;
      this.#wake();
    });
  }
  /** What came of it; undefined when the time is over first. */
  async value(waitMs: number): Promise<{ readonly edges: readonly unknown[] } | undefined> {
    if (this.#value !== undefined) return this.#value;
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(waitMs, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
    return this.#value;
  }
  /** What is under way ends by itself, in bounded time. */
  close(): void {}
}
