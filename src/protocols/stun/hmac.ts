import { hash } from 'node:crypto';
import { writeText } from './octets.ts';

const encoder = new TextEncoder();

export type HmacAlgorithm = 'sha1' | 'sha256';

/** Octets that both algorithms work through at a time. */
const BLOCK_BYTES = 64;
const INNER = 0x36;
const OUTER = 0x5c;
/** Messages that are longer get a buffer of their own. */
const COMMON_BYTES = 2_048;

/** No buffers: a part of one is made by a constructor of its own, at several times the price. */
const common = new Uint8Array(BLOCK_BYTES + COMMON_BYTES);
const outside = {
  sha1: new Uint8Array(BLOCK_BYTES + 20),
  sha256: new Uint8Array(BLOCK_BYTES + 32),
} as const;

/**
 * HMAC (RFC 2104 §2) over the parts one after the other, as the two hashes that it is defined by: the runtime's own makes an
 * object for each, which is three times the work of hashing, and leaves it for the garbage collector.
 */
export function hmac(
  algorithm: HmacAlgorithm,
  key: Uint8Array,
  ...parts: readonly (Uint8Array | string)[]
): Buffer {
  let length = 0;
  for (const part of parts) length += typeof part === 'string' ? Buffer.byteLength(part) : part.length;
  const inside = room(length);
  let at = BLOCK_BYTES;
  for (const part of parts) {
    if (typeof part === 'string') at += encoder.encodeInto(part, inside.subarray(at)).written;
    else {
      inside.set(part, at);
      at += part.length;
    }
  }
  return Buffer.from(sealed(algorithm, key, inside, at), 'latin1');
}

/**
 * HMAC over `bytes[0, end)`, in which the octets 2 and 3 are taken to say `length`, and so many zeros behind it: the message
 * integrity of both dialects.
 * @returns octets, one a character
 */
export function messageHmac(
  algorithm: HmacAlgorithm,
  key: Uint8Array,
  bytes: Uint8Array,
  end: number,
  length: number,
  zeros = 0,
): string {
  const inside = room(end + zeros);
  inside.set(bytes.subarray(0, end), BLOCK_BYTES);
  inside[BLOCK_BYTES + 2] = length >>> 8;
  inside[BLOCK_BYTES + 3] = length;
  const filled = BLOCK_BYTES + end;
  inside.fill(0, filled, filled + zeros);
  return sealed(algorithm, key, inside, filled + zeros);
}

/** For a message of so many octets, behind a block for the key. */
function room(octets: number): Uint8Array {
  return octets <= COMMON_BYTES ? common : new Uint8Array(BLOCK_BYTES + octets);
}

/** @param inside the message stands behind its first block, up to `end` */
function sealed(algorithm: HmacAlgorithm, key: Uint8Array, inside: Uint8Array, end: number): string {
  const outer = outside[algorithm];
  const used = key.length <= BLOCK_BYTES ? key : hash(algorithm, key, 'buffer');
  let at = 0;
  for (; at < used.length; at++) {
    const octet = used[at] ?? 0;
    inside[at] = octet ^ INNER;
    outer[at] = octet ^ OUTER;
  }
  // The zeros behind a short key: to read beyond its end instead would make the loop above slow for every key.
  for (; at < BLOCK_BYTES; at++) {
    inside[at] = INNER;
    outer[at] = OUTER;
  }
  writeText(outer, BLOCK_BYTES, hash(algorithm, inside.subarray(0, end), 'binary'));
  return hash(algorithm, outer, 'binary');
}
