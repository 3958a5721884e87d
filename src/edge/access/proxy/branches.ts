import { type Random, randomToken } from '#kernel';

/** RFC 3261 §8.1.1.7. */
const COOKIE = 'z9hG4bK';

/** Branch parameters: unique by a count, and across processes by a random part drawn once. */
export class Branches {
  readonly #prefix: string;
  #count = 0;

  constructor(random: Random) {
    this.#prefix = `${COOKIE}${randomToken(random, 12)}`;
  }
  next(): string {
    this.#count += 1;
    return this.#prefix + this.#count.toString(36);
  }
}
