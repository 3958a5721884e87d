/** Randomness, injected. */
export interface Random {
  /** `count` unpredictable bytes (0..65536). */
  bytes(count: number): Uint8Array;
}

export class SystemRandom implements Random {
  bytes(count: number): Uint8Array {
    return crypto.getRandomValues(new Uint8Array(count));
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
