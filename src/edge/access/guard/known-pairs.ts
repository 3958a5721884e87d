import type { Monotonic } from '#kernel';
import { LeastRecent } from './recent.ts';
import type { Attempt } from './sign-in-guard.ts';

/** Ways of signing in that one source has for one address: other names, other realms. */
const MOST_IDENTITIES = 4;

interface Known {
  readonly until: Monotonic;
  /** The newest last. */
  readonly identities: readonly string[];
}

/**
 * Which sources signed in as whom. Exactly what was accepted is remembered: a name that is only spelled alike may be another
 * person's, and whoever signed in as one is no better than a stranger to the other.
 */
export class KnownPairs {
  /** Only a right password adds to it. */
  readonly #pairs: LeastRecent<Known>;
  readonly #sources: LeastRecent<Monotonic>;

  constructor(most: number) {
    this.#pairs = new LeastRecent(most);
    this.#sources = new LeastRecent(most);
  }

  add(attempt: Attempt, until: Monotonic): void {
    const { source, identity } = attempt;
    if (identity === undefined) return;
    const before = this.#pairs.get(keyOf(attempt))?.identities ?? [];
    const others = before.filter((one) => one !== identity).slice(1 - MOST_IDENTITIES);
    this.#pairs.set(keyOf(attempt), { until, identities: [...others, identity] });
    this.#sources.set(source, until);
  }

  /** Whether it signed in like this before; before there are credentials, whether its address did. */
  has(attempt: Attempt, now: Monotonic): boolean {
    const known = this.#pairs.get(keyOf(attempt));
    if (known === undefined || known.until <= now || attempt.identity === undefined) return false;
    return attempt.guesses === 0 || known.identities.includes(attempt.identity);
  }
  hasSource(source: string, now: Monotonic): boolean {
    return (this.#sources.get(source) ?? Number.NEGATIVE_INFINITY) > now;
  }
}

function keyOf({ source, address }: Attempt): string {
  return `${source} ${address}`;
}
