import type { Monotonic, Random } from '#kernel';
import { readU16 } from '#protocols/stun';

const FREE = 0;
const TAKEN = 1;
const RANDOM_TRIES = 16;

/**
 * The UDP ports of one relay address. Picks at random among the free ones (RFC 8656 §7.2 asks for ports that are
 * hard to guess) and lets a returned port rest while others are free, so that late datagrams of one call do not
 * reach the next.
 */
export class PortPool {
  readonly first: number;
  readonly last: number;
  readonly #state: Uint8Array;
  /** Until when a free port rests. */
  readonly #rests: Float64Array;
  readonly #random: Random;
  #taken = 0;

  /** Both ends belong to the range, 1 <= first <= last <= 65535. */
  constructor(first: number, last: number, random: Random) {
    if (!(first >= 1 && first <= last && last <= 0xffff))
      throw new RangeError(`no port range: ${first}-${last}`);
    this.first = first;
    this.last = last;
    this.#state = new Uint8Array(last - first + 1);
    this.#rests = new Float64Array(last - first + 1);
    this.#random = random;
  }
  /** Ports taken now. */
  get taken(): number {
    return this.#taken;
  }
  get size(): number {
    return this.#state.length;
  }
  /** Takes any port, or undefined when none is free. */
  take(now: Monotonic): number | undefined {
    const index = this.#search((at) => this.#free(at, now)) ?? this.#search((at) => this.#state[at] === FREE);
    return index === undefined ? undefined : this.#claim(index);
  }
  /** Takes an even port, with the next port too when `pair` is set (RFC 8656 §18.7); the even one is returned. */
  takeEven(now: Monotonic, pair: boolean): number | undefined {
    const suits = (at: number, free: (at: number) => boolean) =>
      ((this.first + at) & 1) === 0 && free(at) && (!pair || (at + 1 < this.size && free(at + 1)));
    const index =
      this.#search((at) => suits(at, (other) => this.#free(other, now))) ??
      this.#search((at) => suits(at, (other) => this.#state[other] === FREE));
    if (index === undefined) return undefined;
    if (pair) this.#claim(index + 1);
    return this.#claim(index);
  }
  /** Gives a port back; it rests until `rested`. A port that is not taken is the caller's bug. */
  release(port: number, rested: Monotonic): void {
    const index = port - this.first;
    if (this.#state[index] !== TAKEN) throw new RangeError(`port ${port} is not taken`);
    this.#state[index] = FREE;
    this.#rests[index] = rested;
    this.#taken--;
  }
  #free(index: number, now: Monotonic): boolean {
    return this.#state[index] === FREE && (this.#rests[index] ?? 0) <= now;
  }
  #claim(index: number): number {
    this.#state[index] = TAKEN;
    this.#taken++;
    return this.first + index;
  }
  /** A few random tries, then every port in turn from a random one. */
  #search(suits: (index: number) => boolean): number | undefined {
    if (this.#taken === this.size) return undefined;
    const octets = this.#random.bytes(2 * RANDOM_TRIES);
    let index = 0;
    for (let attempt = 0; attempt < RANDOM_TRIES; attempt++) {
      index = readU16(octets, 2 * attempt) % this.size;
      if (suits(index)) return index;
    }
    for (let step = 1; step <= this.size; step++) {
      const next = (index + step) % this.size;
      if (suits(next)) return next;
    }
    return undefined;
  }
}
