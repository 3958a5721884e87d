import { timingSafeEqual } from 'node:crypto';
import type { Monotonic } from '#kernel';
import {
  hmac,
  NONCE_COOKIE_BYTES,
  nonceCookie,
  readU32,
  securityFeatures,
  writeText,
  writeU16,
  writeU32,
} from '#protocols/stun';
import type { TurnListener } from './turn-listener.ts';

const TIME_BYTES = 4;
const SEAL_BYTES = 8;
/** What a seal says of a nonce without a cookie: no set of features is as large. */
const NO_FEATURES = 0xffffffff;
/** Time, features, listener and port; the client's address follows as text. */
const SEALED_HEAD_BYTES = 4 + 4 + 4 + 2;
/** Of an IPv6 address with a zone. */
const ADDRESS_BYTES = 64;

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
  /** What is sealed is written here each time. */
  readonly #sealed = new Uint8Array(SEALED_HEAD_BYTES + ADDRESS_BYTES);

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
    const nonce = Buffer.allocUnsafe(TIME_BYTES + SEAL_BYTES);
    const time = seconds(now);
    writeU32(nonce, 0, time);
    this.#seal(time, features, { listener, address, port }).copy(nonce, TIME_BYTES, 0, SEAL_BYTES);
    const cookie = features === undefined ? '' : nonceCookie(features);
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
    const features = cookieBytes === 0 ? undefined : securityFeatures(nonce);
    if (cookieBytes !== 0 && features === undefined) return undefined;
    const own = Buffer.from(nonce.buffer, nonce.byteOffset + cookieBytes, NONCE_BYTES);
    const octets = Buffer.from(own.toString('latin1'), 'base64url');
    if (octets.length !== TIME_BYTES + SEAL_BYTES) return undefined;
    const time = readU32(octets, 0);
    const seal = this.#seal(time, features, client).subarray(0, SEAL_BYTES);
    return timingSafeEqual(seal, octets.subarray(TIME_BYTES)) ? time : undefined;
  }
  #seal(time: number, features: number | undefined, { listener, address, port }: NonceClient): Buffer {
    const room = this.#sealed;
    if (address.length > ADDRESS_BYTES) throw new RangeError('no IP address is as long');
    writeU32(room, 0, time);
    writeU32(room, 4, features ?? NO_FEATURES);
    writeU32(room, 8, listener.id);
    writeU16(room, 12, port);
    writeText(room, SEALED_HEAD_BYTES, address);
    return hmac('sha256', this.#key, room.subarray(0, SEALED_HEAD_BYTES + address.length));
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
