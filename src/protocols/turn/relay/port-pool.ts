import type { Monotonic, Random } from '#kernel';
import { readU32 } from '#protocols/stun';

const READY = 0;
const RESTING = 1;
const TAKEN = 2;

/**
 * The UDP ports of one relay address. Picks at random among the free ones (RFC 8656 §7.2 asks for ports that are
 * hard to guess) and lets a returned port rest while others are free, so that late datagrams of one call do not
 * reach the next. Taking and returning cost the same however full the range is, and whoever opens and closes one
 * allocation after the other makes no search longer: only EVEN-PORT has to search.
 */
export class PortPool {
  readonly first: number;
  readonly last: number;
  /** By a port's number in the range, as everything below. */
  readonly #state: Uint8Array;
  /** All of them, those that are ready in front. */
  readonly #order: Uint16Array;
  /** Where each stands in that. */
  readonly #places: Uint16Array;
  #ready: number;
  /** Those that rest, a ring that begins with the first that was returned. */
  readonly #resting: Uint16Array;
  #oldest = 0;
  #rests = 0;
  /** Until when each rests. */
  readonly #rested: Float64Array;
  readonly #random: Random;

  /** Both ends belong to the range, 1 <= first <= last <= 65535. */
  constructor(first: number, last: number, random: Random) {
    if (!(first >= 1 && first <= last && last <= 0xffff))
      throw new RangeError(`no port range: ${first}-${last}`);
    this.first = first;
    this.last = last;
    const size = last - first + 1;
    this.#state = new Uint8Array(size);
    this.#order = Uint16Array.from({ length: size }, (_, index) => index);
    this.#places = this.#order.slice();
    this.#ready = size;
    this.#resting = new Uint16Array(size);
    this.#rested = new Float64Array(size);
    this.#random = random;
  }
  /** Ports taken now. */
  get taken(): number {
    return this.size - this.#ready - this.#rests;
  }
  get size(): number {
    return this.#state.length;
  }
  /** Takes any port, or undefined when none is free. */
  take(now: Monotonic): number | undefined {
    this.#wake(now);
    if (this.#ready > 0) return this.#claimReady(this.#order[this.#below(this.#ready)] ?? 0);
    // Nobody is refused for a port's rest. One of those that have had most of it, since the very first could be guessed.
    return this.#rests > 0 ? this.#claimResting(this.#below((this.#rests + 1) >> 1)) : undefined;
  }
  /** Takes an even port, with the next port too when `pair` is set (RFC 8656 §18.7); the even one is returned. */
  takeEven(now: Monotonic, pair: boolean): number | undefined {
    this.#wake(now);
    const suits = (at: number, worst: number) =>
      ((this.first + at) & 1) === 0 &&
      this.#isUpTo(at, worst) &&
      (!pair || (at + 1 < this.size && this.#isUpTo(at + 1, worst)));
    const start = this.#below(this.size);
    const index =
      this.#search(start, (at) => suits(at, READY)) ?? this.#search(start, (at) => suits(at, RESTING));
    if (index === undefined) return undefined;
    if (pair) this.#claim(index + 1);
    return this.#claim(index);
  }
  /** Gives a port back; it rests for `rest` milliseconds. A port that is not taken is the caller's bug. */
  release(port: number, now: Monotonic, rest = 0): void {
    const index = port - this.first;
    if (this.#state[index] !== TAKEN) throw new RangeError(`port ${port} is not taken`);
    if (rest <= 0) {
      this.#makeReady(index);
      return;
    }
    this.#state[index] = RESTING;
    this.#rested[index] = now + rest;
    this.#resting[(this.#oldest + this.#rests) % this.size] = index;
    this.#rests++;
  }

  /** Ends the rest of those that have had it. One that rested longer than it had to does no harm. */
  #wake(now: Monotonic): void {
    while (this.#rests > 0) {
      const index = this.#atRest(0);
      if ((this.#rested[index] ?? 0) > now) return;
      this.#dropOldest();
      this.#makeReady(index);
    }
  }
  #atRest(at: number): number {
    return this.#resting[(this.#oldest + at) % this.size] ?? 0;
  }
  #dropOldest(): void {
    this.#oldest = (this.#oldest + 1) % this.size;
    this.#rests--;
  }
  #makeReady(index: number): void {
    this.#state[index] = READY;
    this.#stand(index, this.#ready++);
  }
  #isUpTo(index: number, worst: number): boolean {
    return (this.#state[index] ?? TAKEN) <= worst;
  }
  #claim(index: number): number {
    if (this.#state[index] === READY) return this.#claimReady(index);
    let at = 0;
    while (this.#atRest(at) !== index) at++;
    return this.#claimResting(at);
  }
  #claimReady(index: number): number {
    this.#stand(index, --this.#ready);
    this.#state[index] = TAKEN;
    return this.first + index;
  }
  /** One that rests, before its time; the oldest takes its place in the ring. */
  #claimResting(at: number): number {
    const index = this.#atRest(at);
    this.#resting[(this.#oldest + at) % this.size] = this.#atRest(0);
    this.#dropOldest();
    this.#state[index] = TAKEN;
    return this.first + index;
  }
  /** Changes places with whoever stands there. */
  #stand(index: number, at: number): void {
    const other = this.#order[at] ?? 0;
    const from = this.#places[index] ?? 0;
    this.#order[from] = other;
    this.#places[other] = from;
    this.#order[at] = index;
    this.#places[index] = at;
  }
  /** Every port in turn. */
  #search(start: number, suits: (index: number) => boolean): number | undefined {
    for (let step = 0; step < this.size; step++) {
      const index = (start + step) % this.size;
      if (suits(index)) return index;
    }
    return undefined;
  }
  /** 0 to bound - 1, at random. */
  #below(bound: number): number {
    return readU32(this.#random.bytes(4), 0) % bound;
  }
}
