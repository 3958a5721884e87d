import { createHash } from 'node:crypto';

const BITS_A_KEY = 12;
const PROBES = 8;
const MOST_BYTES = 1 << 20;

export const KEY_TOKEN = /^zk[0-9a-f]{20}$/;

/** A key in the index: letters and digits only, so that the tokenizer keeps it whole. */
export function keyToken(name: string, value: string): string {
  return `zk${createHash('sha1').update(`${name}\n${value}`).digest('hex').slice(0, 20)}`;
}

/**
 * Which keys a sealed segment may have: a Bloom filter of about 12 bits a key. It never denies one that is there; of
 * those that are not, about one in 300 costs the opening of a segment that has nothing.
 */
export class KeyFilter {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
  static of(tokens: readonly string[]): KeyFilter {
    const length = Math.min(MOST_BYTES, Math.max(64, Math.ceil((tokens.length * BITS_A_KEY) / 8)));
    const filter = new KeyFilter(new Uint8Array(length));
    for (const token of tokens)
      for (const bit of filter.#bits(token)) filter.bytes[bit >>> 3]! |= 1 << (bit & 7);
    return filter;
  }
  mayHave(token: string): boolean {
    for (const bit of this.#bits(token)) if ((this.bytes[bit >>> 3]! & (1 << (bit & 7))) === 0) return false;
    return true;
  }
  /** The token is a hash already: two parts of it make all places (double hashing). */
  *#bits(token: string): Generator<number> {
    const size = this.bytes.length * 8;
    const start = Number.parseInt(token.slice(2, 10), 16);
    const step = Number.parseInt(token.slice(10, 17), 16) | 1;
    for (let probe = 0; probe < PROBES; probe++) yield (start + probe * step) % size;
  }
}
