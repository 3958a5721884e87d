import type { Monotonic } from '#kernel';
import { encodeIp } from '#protocols/stun';

const SLOTS = 4096;

/**
 * How many answers a source may draw before it has proved that it receives them, so that the relay is of little
 * use for reflection. A fixed table of token buckets, indexed by a keyed hash of the source's prefix (IPv4 /24,
 * IPv6 /48); prefixes that fall on one slot share it. Takes no more memory under attack than at rest.
 */
export class AnswerBudget {
  readonly #seed: number;
  readonly #tokens: Float64Array;
  readonly #updated = new Float64Array(SLOTS);
  readonly #octets = new Uint8Array(16);

  /** @param seed unpredictable, so that slots cannot be aimed at */
  constructor(seed: number, burst: number) {
    this.#seed = seed >>> 0;
    this.#tokens = new Float64Array(SLOTS).fill(burst);
  }
  /**
   * Takes one answer; false when the prefix has none left.
   * @param rate answers a second
   * @param burst most that can be saved up
   */
  take(address: string, now: Monotonic, rate: number, burst: number): boolean {
    const slot = this.#slotOf(address);
    const elapsed = Math.max(0, now - (this.#updated[slot] ?? 0));
    const tokens = Math.min(burst, (this.#tokens[slot] ?? 0) + (elapsed * rate) / 1000);
    this.#updated[slot] = now;
    this.#tokens[slot] = tokens < 1 ? tokens : tokens - 1;
    return tokens >= 1;
  }
  #slotOf(address: string): number {
    const length = encodeIp(address, this.#octets, 0);
    let hash = this.#seed ^ length;
    for (let at = 0; at < (length === 4 ? 3 : 6); at++) {
      hash = Math.imul(hash ^ (this.#octets[at] ?? 0), 0x01000193);
      hash ^= hash >>> 15;
    }
    return (Math.imul(hash, 0x85ebca6b) >>> 0) % SLOTS;
  }
}
