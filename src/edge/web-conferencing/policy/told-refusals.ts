import { BoundedMap, type Monotonic, TokenBucket } from '#kernel';

/** Of one source and rule: told at once, and then so many a second. */
const AT_ONCE = 10;
const PER_SECOND = 0.1;
/** Of all together. */
const ALL_AT_ONCE = 500;
const ALL_PER_SECOND = 50;
/** Sources and rules that are remembered; the one that came first makes room. */
const KEYS = 2000;

interface Told {
  readonly bucket: TokenBucket;
  held: number;
}

/** Which refusals operators are told of one by one: whoever is refused without end fills no log. Metrics count all. */
export class ToldRefusals {
  readonly #told = new BoundedMap<string, Told>(KEYS);
  readonly #all: TokenBucket;
  /** Held back, and of sources that are not remembered any more. */
  #forgotten = 0;

  constructor(now: Monotonic) {
    this.#all = new TokenBucket(ALL_PER_SECOND, ALL_AT_ONCE, now);
  }

  /** How many like this one were held back since the last that was told; undefined: this one is held back, too. */
  tell(source: string, rule: string, now: Monotonic): number | undefined {
    const told = this.#of(`${source} ${rule}`, now);
    if (!told.bucket.take(now) || !this.#all.take(now)) {
      told.held += 1;
      return undefined;
    }
    const held = told.held + this.#forgotten;
    told.held = 0;
    this.#forgotten = 0;
    return held;
  }

  #of(key: string, now: Monotonic): Told {
    const known = this.#told.get(key);
    if (known !== undefined) return known;
    const [oldest] = this.#told;
    if (this.#told.full && oldest !== undefined) {
      this.#forgotten += oldest[1].held;
      this.#told.delete(oldest[0]);
    }
    const made = { bucket: new TokenBucket(PER_SECOND, AT_ONCE, now), held: 0 };
    this.#told.set(key, made);
    return made;
  }
}
