const BITS_A_KEY = 12;
const PROBES = 8;
const MOST_BYTES = 1 << 20;

export const KEY_TOKEN = /^zk[0-9a-f]{16}$/;

/**
 * A key in the index: letters and digits only, so that the tokenizer keeps it whole. 64 bits of a hash that is quick and
 * not secret: whatever two keys share, every hit is read before it counts.
 */
export function keyToken(name: string, value: string): string {
  let one = 0x811c9dc5 ^ name.length;
  let other = 0x9e3779b9 ^ name.charCodeAt(0);
  for (let at = 0; at < value.length; at++) {
    const unit = value.charCodeAt(at);
    one = Math.imul(one ^ unit, 0x01000193);
    other = Math.imul(other ^ unit, 0x85ebca6b) ^ (other >>> 15);
  }
  for (let at = 0; at < name.length; at++) other = Math.imul(other ^ name.charCodeAt(at), 0xc2b2ae35);
  one = Math.imul(one ^ (one >>> 16) ^ other, 0x85ebca6b);
  other = Math.imul(other ^ (other >>> 13) ^ one, 0xc2b2ae35);
  return `zk${hexadecimal(one ^ (one >>> 13))}${hexadecimal(other ^ (other >>> 16))}`;
}
function hexadecimal(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
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
