import { hmac } from '@noble/hashes/hmac.js';
import { md5 } from '@noble/hashes/legacy.js';
import { sha256, sha512_256 } from '@noble/hashes/sha2.js';
import { Buffer } from 'buffer';

/*
 * What `protocols/sip` takes of node:crypto. It wants its hashes at once, which the browser's own (crypto.subtle) never
 * are, and MD5, which the browser has not.
 */
const hashes = { md5, sha256, 'sha512-256': sha512_256 };

export function hash(algorithm: keyof typeof hashes, data: string | Uint8Array, _encoding: 'hex'): string {
  const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
  return Buffer.from(hashes[algorithm](bytes)).toString('hex');
}

export function timingSafeEqual(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) throw new RangeError('not of the same length');
  let different = 0;
  for (const [index, octet] of one.entries()) different |= octet ^ (other[index] ?? 0);
  return different === 0;
}

export function createHmac(algorithm: keyof typeof hashes, key: Uint8Array) {
  const made = hmac.create(hashes[algorithm], key);
  const self = {
    update: (data: string | Uint8Array) => {
      made.update(typeof data === 'string' ? new TextEncoder().encode(data) : data);
      return self;
    },
    digest: () => Buffer.from(made.digest()),
  };
  return self;
}
