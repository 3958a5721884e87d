/** Randomness, injected. */
export interface Random {
  /** `count` unpredictable bytes (0..65536). */
  bytes(count: number): Uint8Array;
}

/** Octets that are asked for at once: most of what is needed are a few, and each question to the system has its price. */
const DRAWN = 4_096;

export class SystemRandom implements Random {
  #drawn = new Uint8Array(0);
  #used = 0;

  bytes(count: number): Uint8Array {
    if (count > DRAWN >> 4) return crypto.getRandomValues(new Uint8Array(count));
    if (this.#used + count > this.#drawn.length) {
      this.#drawn = crypto.getRandomValues(new Uint8Array(DRAWN));
      this.#used = 0;
    }
    const bytes = this.#drawn.slice(this.#used, this.#used + count);
    // Nobody is given the same octets again, and nothing that was given stays here.
    this.#drawn.fill(0, this.#used, this.#used + count);
    this.#used += count;
    return bytes;
  }
}

/** Repeatable bytes for tests and fuzzing (xorshift32). Never for secrets. */
export class SeededRandom implements Random {
  #state: number;
  constructor(seed: number) {
    this.#state = seed >>> 0 || 0x9e3779b9;
  }
  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.integer(256));
  }
  /** An integer in 0..bound-1. */
  integer(bound: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    this.#state >>>= 0;
    return this.#state % bound;
  }
}

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

/** An unguessable token of `length` characters (5 bits each), safe in every protocol's token grammar. */
export function randomToken(random: Random, length: number): string {
  let token = '';
  for (const byte of random.bytes(length)) token += ALPHABET[byte & 31];
  return token;
}
