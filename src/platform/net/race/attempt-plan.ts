import type { Monotonic } from '#kernel';
import type { Endpoint } from '../endpoint.ts';

export interface RaceLimits {
  /** From the start of an attempt to the next one beside it (RFC 8305 §5: 250 recommended, 100 at least). Milliseconds. */
  readonly staggerMs: number;
  /** How long IPv4 addresses wait for the IPv6 ones (RFC 8305 §3: 50). Milliseconds. */
  readonly resolutionMs: number;
  /** Addresses tried in one race. */
  readonly attempts: number;
}

export const usualRaceLimits: RaceLimits = { staggerMs: 250, resolutionMs: 50, attempts: 8 };

export type RaceAction =
  | { readonly do: 'start'; readonly endpoint: Endpoint }
  /** Call handleTimer then; replaces the time set before. */
  | { readonly do: 'wait'; readonly until: Monotonic }
  /** Nothing is left to try, and nothing is under way. */
  | { readonly do: 'give-up' };

/**
 * Which address is tried when (RFC 8305): IPv6 first, the families in turn, the next one when one failed or after a
 * while; addresses may still arrive while others are tried. Pure; whoever connects first has won, which is the
 * caller's business.
 */
export class AttemptPlan {
  readonly #limits: RaceLimits;
  readonly #waiting: { 4: Endpoint[]; 6: Endpoint[] } = { 4: [], 6: [] };
  readonly #known = new Set<string>();
  #pendingSources: number;
  #underWay = 0;
  #started = 0;
  #lastFamily: 4 | 6 = 4;
  /** When the next attempt may begin beside those under way. */
  #next: Monotonic = 0;
  #holdUntil: Monotonic | undefined;

  /** @param sources how many times handleAddresses will be called */
  constructor(sources: number, limits: RaceLimits) {
    this.#pendingSources = sources;
    this.#limits = limits;
  }

  /** A source has said its addresses, perhaps none. */
  handleAddresses(endpoints: readonly Endpoint[], now: Monotonic): RaceAction[] {
    this.#pendingSources -= 1;
    for (const endpoint of endpoints) {
      const key = `${endpoint.address} ${endpoint.port}`;
      if (this.#known.has(key) || this.#known.size >= this.#limits.attempts) continue;
      this.#known.add(key);
      this.#waiting[endpoint.address.includes(':') ? 6 : 4].push(endpoint);
    }
    const onlyIpv4 = this.#waiting[6].length === 0 && this.#waiting[4].length > 0;
    if (this.#started === 0 && onlyIpv4 && this.#pendingSources > 0)
      this.#holdUntil ??= now + this.#limits.resolutionMs;
    return this.#advance(now);
  }

  /** An attempt has failed: the next one need not wait. */
  handleFailure(now: Monotonic): RaceAction[] {
    this.#underWay -= 1;
    this.#next = now;
    return this.#advance(now);
  }

  handleTimer(now: Monotonic): RaceAction[] {
    return this.#advance(now);
  }

  #advance(now: Monotonic): RaceAction[] {
    if (this.#waiting[4].length + this.#waiting[6].length === 0)
      return this.#pendingSources <= 0 && this.#underWay === 0 ? [{ do: 'give-up' }] : [];
    const held = this.#pendingSources > 0 && this.#waiting[6].length === 0 ? this.#holdUntil : undefined;
    const from = Math.max(this.#next, this.#started === 0 && held !== undefined ? held : 0);
    if (now < from) return [{ do: 'wait', until: from }];
    const endpoint = this.#take();
    this.#started += 1;
    this.#underWay += 1;
    this.#next = now + this.#limits.staggerMs;
    return [
      { do: 'start', endpoint },
      { do: 'wait', until: this.#next },
    ];
  }

  #take(): Endpoint {
    const other = this.#lastFamily === 4 ? 6 : 4;
    const family = this.#waiting[other].length > 0 ? other : this.#lastFamily;
    this.#lastFamily = family;
    return this.#waiting[family].shift()!;
  }
}
