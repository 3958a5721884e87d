import { hash } from 'node:crypto';

export type HmacAlgorithm = 'sha1' | 'sha256';

/** Octets that both algorithms work through at a time. */
const BLOCK_BYTES = 64;
const INNER = 0x36;
const OUTER = 0x5c;
/** Messages that are longer get a buffer of their own. */
const COMMON_BYTES = 2_048;

const common = Buffer.alloc(BLOCK_BYTES + COMMON_BYTES);
const outside = Buffer.alloc(BLOCK_BYTES + 32);

/**
 * HMAC (RFC 2104 §2) over the parts one after the other, as the two hashes that it is defined by: the runtime's own makes an
 * object for each, which is three times the work of hashing, and leaves it for the garbage collector.
 */
export function hmac(
  algorithm: HmacAlgorithm,
  key: Uint8Array,
  ...parts: readonly (Uint8Array | string)[]
): Buffer {
  let length = BLOCK_BYTES;
  for (const part of parts) length += typeof part === 'string' ? Buffer.byteLength(part) : part.length;
  const inside = length <= common.length ? common : Buffer.alloc(length);
  const used = key.length <= BLOCK_BYTES ? key : hash(algorithm, key, 'buffer');
  for (let at = 0; at < BLOCK_BYTES; at++) {
    const octet = used[at] ?? 0;
    inside[at] = octet ^ INNER;
    outside[at] = octet ^ OUTER;
  }
  let at = BLOCK_BYTES;
  for (const part of parts) {
    if (typeof part === 'string') at += inside.write(part, at);
    else {
      inside.set(part, at);
      at += part.length;
    }
  }
  const inner = hash(algorithm, inside.subarray(0, length), 'binary');
  const octets = outside.write(inner, BLOCK_BYTES, 'latin1');
  return Buffer.from(hash(algorithm, outside.subarray(0, BLOCK_BYTES + octets), 'binary'), 'latin1');
}
