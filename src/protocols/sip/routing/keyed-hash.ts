/** 64 bits that only those know who compare prints. */
export interface HashKey {
  readonly low: number;
  readonly high: number;
}

/** @param octets at least eight; the first eight count */
export function hashKey(octets: Uint8Array): HashKey {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  return { low: view.getInt32(0, true), high: view.getInt32(4, true) };
}

/**
 * HalfSipHash-2-4 with 64 bits of output: SipHash of J.-P. Aumasson and D. J. Bernstein for words of 32 bits. Without the key nobody
 * can look for two inputs with the same print, or try inputs against one. It is here because a digest of the
 * runtime costs more for the call alone than this does for all that routes a request.
 *
 * @returns 16 hexadecimal digits
 */
export function keyedHash(octets: Uint8Array, length: number, { low, high }: HashKey): string {
  let v0 = low;
  let v1 = high ^ 0xee;
  let v2 = low ^ 0x6c796765;
  let v3 = high ^ 0x74656462;
  let first = 0;
  const whole = length & ~3;
  const end = whole + 4 * FINAL;
  // One loop over the words, the last of which has the length, and the rounds of both halves of the output.
  for (let at = 0; at <= end; at += 4) {
    let word = 0;
    if (at < whole) word = wordAt(octets, at);
    else if (at === whole) word = lastWord(octets, whole, length);
    else if (at === whole + 4) v2 ^= 0xee;
    else if (at === whole + 12) {
      first = v1 ^ v3;
      v1 ^= 0xdd;
    }
    v3 ^= word;
    for (let round = 0; round < 2; round++) {
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
    }
    v0 ^= word;
  }
  return hexadecimal(first) + hexadecimal(v1 ^ v3);
}

/** Pairs of rounds at the end: four rounds for each half of the output. */
const FINAL = 4;

function wordAt(octets: Uint8Array, at: number): number {
  const low = (octets[at] as number) | ((octets[at + 1] as number) << 8);
  return low | ((octets[at + 2] as number) << 16) | ((octets[at + 3] as number) << 24);
}

function lastWord(octets: Uint8Array, whole: number, length: number): number {
  let word = length << 24;
  for (let at = whole; at < length; at++) word |= (octets[at] as number) << ((at - whole) << 3);
  return word;
}

const PAIRS = Array.from({ length: 256 }, (_, octet) => octet.toString(16).padStart(2, '0'));

/** The lowest octet first, as SipHash writes its output. */
function hexadecimal(word: number): string {
  const pair = (shift: number) => PAIRS[(word >>> shift) & 255] as string;
  return pair(0) + pair(8) + pair(16) + pair(24);
}
