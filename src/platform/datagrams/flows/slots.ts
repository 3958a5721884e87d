/** Numbers of equal things in shared memory, each held by one at a time. */
export class Slots {
  readonly #most: number;
  readonly #free: number[] = [];
  #fresh = 0;

  constructor(most: number) {
    this.#most = most;
  }
  /** Undefined when all are taken. */
  take(): number | undefined {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    return this.#fresh < this.#most ? this.#fresh++ : undefined;
  }
  free(slot: number): void {
    this.#free.push(slot);
  }
  get taken(): number {
    return this.#fresh - this.#free.length;
  }
}
