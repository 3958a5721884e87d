import { timingSafeEqual } from 'node:crypto';
import type { Monotonic } from '#kernel';
import { EDGE_COOKIE_BYTES, hmac } from '#protocols/stun';

/** A cookie is good in the epoch in which it was made and in the next: 10 to 20 minutes. */
const EPOCH_MS = 600_000;
/** Partners whose cookies are remembered instead of being computed for every datagram. */
const REMEMBERED = 1_024;

interface Pair {
  readonly epoch: number;
  readonly now: Buffer;
  readonly before: Buffer;
}

/**
 * What a partner has to show with every datagram: proof that it receives at the address that it sends from. Nothing
 * need be kept of partners; what is, is only saved work.
 */
export class TunnelCookies {
  readonly #key: Uint8Array;
  readonly #remembered = new Map<string, Pair>();

  /** @param key 32 unpredictable octets */
  constructor(key: Uint8Array) {
    this.#key = key;
  }
  issue(address: string, port: number, now: Monotonic): Uint8Array {
    return this.#make(address, port, epochOf(now));
  }
  check(cookie: Uint8Array, address: string, port: number, now: Monotonic): boolean {
    const { now: current, before } = this.#pair(address, port, epochOf(now));
    return timingSafeEqual(cookie, current) || timingSafeEqual(cookie, before);
  }
  #pair(address: string, port: number, epoch: number): Pair {
    const partner = `${address} ${port}`;
    const known = this.#remembered.get(partner);
    if (known?.epoch === epoch) return known;
    const pair = {
      epoch,
      now: this.#make(address, port, epoch),
      before: this.#make(address, port, epoch - 1),
    };
    // Only work is saved here, so that it may be forgotten all at once.
    if (this.#remembered.size >= REMEMBERED) this.#remembered.clear();
    this.#remembered.set(partner, pair);
    return pair;
  }
  #make(address: string, port: number, epoch: number): Buffer {
    const seal = hmac('sha256', this.#key, `edge tunnel 1 ${epoch} ${address} ${port}`);
    return seal.subarray(0, EDGE_COOKIE_BYTES);
  }
}

const epochOf = (now: Monotonic) => Math.floor(now / EPOCH_MS);
