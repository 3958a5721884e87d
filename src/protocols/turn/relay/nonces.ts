import { timingSafeEqual } from 'node:crypto';
import type { Monotonic } from '#kernel';
import { hmac, NONCE_COOKIE_BYTES, nonceCookie, readU32, writeU32 } from '#protocols/stun';
import type { TurnListener } from './turn-listener.ts';

const TIME_BYTES = 4;
const SEAL_BYTES = 8;

/** Octets of a nonce on the wire. Short, since a 401 goes to senders that have proved nothing. */
export const NONCE_BYTES = 16;

/** Whom a nonce is for. */
export interface NonceClient {
  readonly listener: TurnListener;
  readonly address: string;
  readonly port: number;
}

/**
 * Nonces that need no memory: the second they were made in and an HMAC over it and the client's transport
 * address (RFC 8489 §9.2.4 forbids one nonce for two sources), in base64url. A nonce cookie before it, with the
 * features that it says, is sealed too.
 */
export class Nonces {
  readonly #key: Uint8Array;

  /** @param key 32 unpredictable octets */
  constructor(key: Uint8Array) {
    this.#key = key;
  }
  /** @param features those of a nonce cookie (RFC 8489 §9.2); without, there is none */
  issue(
    listener: TurnListener,
    address: string,
    port: number,
    now: Monotonic,
    features?: number,
  ): Uint8Array {
    const cookie = features === undefined ? '' : nonceCookie(features);
    const nonce = Buffer.allocUnsafe(TIME_BYTES + SEAL_BYTES);
    writeU32(nonce, 0, seconds(now));
    this.#seal(nonce, cookie, { listener, address, port }).copy(nonce, TIME_BYTES, 0, SEAL_BYTES);
    return Buffer.from(cookie + nonce.toString('base64url'), 'latin1');
  }
  /** Whether the nonce is ours, for this client, and at most `lifetime` seconds old. */
  check(nonce: Uint8Array, client: NonceClient, now: Monotonic, lifetime: number): boolean {
    const made = this.madeAt(nonce, client);
    return made !== undefined && isFresh(made, now, lifetime);
  }
  /** The second in which the nonce was made; undefined when it is not ours, or not for this client. */
  madeAt(nonce: Uint8Array, client: NonceClient): number | undefined {
    const cookieBytes = nonce.length - NONCE_BYTES;
    if (cookieBytes !== 0 && cookieBytes !== NONCE_COOKIE_BYTES) return undefined;
    const text = Buffer.from(nonce.buffer, nonce.byteOffset, nonce.length).toString('latin1');
    const octets = Buffer.from(text.slice(cookieBytes), 'base64url');
    if (octets.length !== TIME_BYTES + SEAL_BYTES) return undefined;
    const seal = this.#seal(octets, text.slice(0, cookieBytes), client).subarray(0, SEAL_BYTES);
    return timingSafeEqual(seal, octets.subarray(TIME_BYTES)) ? readU32(octets, 0) : undefined;
  }
  #seal(time: Uint8Array, cookie: string, { listener, address, port }: NonceClient): Buffer {
    const client = `${cookie} ${listener.id} ${address} ${port}`;
    return hmac('sha256', this.#key, time.subarray(0, TIME_BYTES), client);
  }
}

/** Whether a nonce of that second is at most `lifetime` seconds old. */
export function isFresh(made: number, now: Monotonic, lifetime: number): boolean {
  const age = seconds(now) - made;
  return age >= 0 && age <= lifetime;
}

/** Whole seconds of the monotonic clock, in 32 bits. */
function seconds(now: Monotonic): number {
  return Math.floor(now / 1000) >>> 0;
}
