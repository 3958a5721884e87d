import type { Outgoing } from './outgoing.ts';

/** What went by one link and is not settled: not acknowledged, or acknowledged and held. Numbers count from 1. */
export class SentStanzas {
  readonly #mostHeld: number;
  #queue: Outgoing[] = [];
  /** Of the first in the queue. */
  #first = 1;
  /** Said to be held, and not acknowledged yet. */
  readonly #announced = new Set<number>();
  readonly #held = new Map<number, Outgoing>();

  /** @param mostHeld beyond them nobody waits for the oldest any more: what becomes of it is not known */
  constructor(mostHeld: number) {
    this.#mostHeld = mostHeld;
  }
  get size(): number {
    return this.#queue.length + this.#held.size;
  }
  push(outgoing: Outgoing): void {
    this.#queue.push(outgoing);
  }
  acknowledged(count: number): void {
    for (const outgoing of this.#queue.splice(0, count)) {
      const number = this.#first++;
      if (this.#announced.delete(number)) this.#keep(number, outgoing);
      else outgoing.settled(undefined);
    }
  }
  hold(number: number): void {
    if (number >= this.#first && number < this.#first + this.#queue.length) this.#announced.add(number);
  }
  passed(number: number): void {
    this.#announced.delete(number);
    const outgoing = this.#held.get(number);
    this.#held.delete(number);
    outgoing?.settled(undefined);
  }
  /** Everything, oldest first; nothing is left. */
  takeAll(): Outgoing[] {
    const all = [...this.#held.values(), ...this.#queue];
    this.#held.clear();
    this.#queue = [];
    return all;
  }

  #keep(number: number, outgoing: Outgoing): void {
    const [oldest] = this.#held;
    if (oldest !== undefined && this.#held.size >= this.#mostHeld) {
      this.#held.delete(oldest[0]);
      oldest[1].settled('unknown');
    }
    this.#held.set(number, outgoing);
  }
}
