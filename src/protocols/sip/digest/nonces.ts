import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Random, WallTime } from '#kernel';

export interface DigestNonceOptions {
  /** At least 16 octets; all servers with the same key honour one another's nonces. */
  readonly key: Uint8Array;
  readonly random: Random;
  /** How long a nonce is good for, in milliseconds. */
  readonly windowMs: number;
  /** How many nonces in use are watched for replay. */
  readonly capacity: number;
}

/** `stale` and `forged` call for a new challenge, with stale=true when the response was right otherwise. */
export type NonceVerdict = 'good' | 'stale' | 'forged' | 'replayed';

const TIME = 6;
const SALT = 6;
const MAC = 16;
/** Requests may overtake one another by so many nonce counts. */
const REORDER = 32;

/**
 * Nonces that need no memory until they are used (RFC 7616 §3.3): the time of issue and some salt under a
 * HMAC. What is used is remembered with its nonce counts, in a table that cannot outgrow its capacity: the
 * oldest nonce makes room, and it and all older ones count as stale from then on, so that nothing can be
 * replayed.
 *
 * `binding` ties a nonce to something that the client cannot change, such as its connection or its address.
 */
export class DigestNonces {
  readonly #options: DigestNonceOptions;
  readonly #used = new Map<string, { readonly issued: WallTime; highest: number; seen: number }>();
  /** Nonces issued at or before this time are stale unless they are in the table. */
  #floor: WallTime = 0;

  constructor(options: DigestNonceOptions) {
    if (options.key.length < 16) throw new RangeError('a nonce key needs 16 octets');
    if (!(options.capacity >= 1)) throw new RangeError(`capacity ${options.capacity} is below 1`);
    this.#options = options;
  }

  /** How many nonces are in the table. */
  get used(): number {
    return this.#used.size;
  }

  issue(wall: WallTime, binding = ''): string {
    const nonce = Buffer.alloc(TIME + SALT + MAC);
    nonce.writeUIntBE(Math.floor(wall), 0, TIME);
    nonce.set(this.#options.random.bytes(SALT), TIME);
    nonce.set(this.#mac(nonce, binding), TIME + SALT);
    return nonce.toString('base64url');
  }

  /**
   * Whether this is a nonce of ours that is still good. Remembers nothing: ask before the response is
   * checked.
   */
  check(nonce: string, wall: WallTime, binding = ''): 'good' | 'stale' | 'forged' {
    const octets = Buffer.from(nonce, 'base64url');
    // Decoding forgives foreign characters; only the one spelling that was issued counts as the nonce.
    if (octets.length !== TIME + SALT + MAC || octets.toString('base64url') !== nonce) return 'forged';
    if (!timingSafeEqual(octets.subarray(TIME + SALT), this.#mac(octets, binding))) return 'forged';
    const issued = octets.readUIntBE(0, TIME);
    if (wall - issued >= this.#options.windowMs || issued > wall + this.#options.windowMs) return 'stale';
    return issued <= this.#floor && !this.#used.has(nonce) ? 'stale' : 'good';
  }

  /**
   * Uses up one nonce count. Call it after the response proved right: then only those who know a password can
   * fill the table. Credentials without a count (no qop) may use a nonce once: pass 1.
   */
  use(nonce: string, nc: number, wall: WallTime, binding = ''): NonceVerdict {
    const verdict = this.check(nonce, wall, binding);
    if (verdict !== 'good') return verdict;
    const entry = this.#used.get(nonce);
    if (entry === undefined) {
      this.#makeRoom();
      const issued = Buffer.from(nonce, 'base64url').readUIntBE(0, TIME);
      this.#used.set(nonce, { issued, highest: nc, seen: 1 });
      return 'good';
    }
    return countOnce(entry, nc) ? 'good' : 'replayed';
  }

  #makeRoom(): void {
    if (this.#used.size < this.#options.capacity) return;
    const [oldest] = this.#used;
    if (oldest === undefined) return;
    this.#used.delete(oldest[0]);
    this.#floor = Math.max(this.#floor, oldest[1].issued);
  }

  #mac(nonce: Buffer, binding: string): Buffer {
    return createHmac('sha256', this.#options.key)
      .update('sip digest nonce\0')
      .update(nonce.subarray(0, TIME + SALT))
      .update(binding)
      .digest()
      .subarray(0, MAC);
  }
}

/** A sliding window over nonce counts: bit n of `seen` is the count `highest - n`. */
function countOnce(entry: { highest: number; seen: number }, nc: number): boolean {
  const ahead = nc - entry.highest;
  if (ahead > 0) {
    entry.seen = ahead >= REORDER ? 1 : (entry.seen << ahead) | 1;
    entry.highest = nc;
    return true;
  }
  const bit = -ahead >= REORDER ? 0 : 1 << -ahead;
  if (bit === 0 || (entry.seen & bit) !== 0) return false;
  entry.seen |= bit;
  return true;
}
