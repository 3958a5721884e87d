import type { XmlElement } from '#protocols/xml';

const MODULUS = 2 ** 32;

/** Of the stanzas that arrived on a stream, how many from the first on are done with (XEP-0198 §4: `h`). */
export class HandledCount {
  #arrived = 0;
  #handled = 0;
  /** Stanzas that arrived before counting began. */
  #base = 0;
  readonly #early = new Set<number>();

  /** Arrived and not done with. */
  get open(): number {
    return this.#arrived - this.#handled;
  }
  /** What `<a h=''/>` says. */
  get h(): number {
    return Math.max(this.#handled - this.#base, 0) % MODULUS;
  }
  /** `h` counts from here (XEP-0198 §3: from `<enable/>` or `<enabled/>`). */
  begin(): void {
    this.#base = this.#arrived;
  }
  /** The number of a stanza that has just arrived. */
  arrive(): number {
    this.#arrived += 1;
    return this.#arrived;
  }
  /** Stanza `number` is done with; true when `h` grew by it. */
  handle(number: number): boolean {
    if (number <= this.#handled || number > this.#arrived) return false;
    if (number !== this.#handled + 1) {
      this.#early.add(number);
      return false;
    }
    this.#handled = number;
    while (this.#early.delete(this.#handled + 1)) this.#handled += 1;
    return true;
  }
}

/** Stanzas that were sent on a stream and not acknowledged, oldest first. */
export class SentQueue<T = XmlElement> {
  readonly capacity: number;
  #acknowledged = 0;
  #queue: T[] = [];

  /** @param capacity most stanzas that may wait */
  constructor(capacity: number) {
    this.capacity = capacity;
  }
  get size(): number {
    return this.#queue.length;
  }
  get full(): boolean {
    return this.#queue.length >= this.capacity;
  }
  push(sent: T): void {
    this.#queue.push(sent);
  }
  /**
   * The peer has handled `h` stanzas; gives those that left the queue, or undefined for an `h` that is impossible
   * (XEP-0198 §4: more than were sent).
   */
  acknowledge(h: number): T[] | undefined {
    const newly = (h - (this.#acknowledged % MODULUS) + MODULUS) % MODULUS;
    if (newly > this.#queue.length) return undefined;
    this.#acknowledged += newly;
    return this.#queue.splice(0, newly);
  }
  /** Everything not acknowledged, for another stream; the queue is empty then. */
  takeAll(): T[] {
    const left = this.#queue;
    this.#queue = [];
    return left;
  }
}
