import type { Clock, Monotonic } from '#kernel';
import type { StanzaOrigin } from '#protocols/xmpp';
import type { GatewayStore } from './gateway-store.ts';

/** How long a stanza is known after it was dealt with; a proxy sends nothing again that is older. */
const REMEMBERED_MS = 600_000;
/** Entries that are kept at most: two thousand stanzas a second for ten minutes. */
const MOST_REMEMBERED = 1_200_000;
const SWEEP_MS = 60_000;

/** A stanza that is to be dealt with now. */
export interface Taken {
  /** Call it once, when the stanza is safe, or its sender was answered. */
  readonly done: () => void;
  /** Call it before anything leaves that a user would see twice; when it returns, that is written down. */
  readonly begin: () => void;
  /** A process before this one had begun, and nothing says what became of it: it must not be passed on again. */
  readonly uncertain: boolean;
}

/**
 * Stanzas that were dealt with, by stream and number (docs/protocols/xmpp-link.md, "Origin"). What a link did not get
 * acknowledged before it broke comes once more; it is acknowledged then, and goes no further.
 */
export class Seen {
  readonly #store: GatewayStore;
  readonly #clock: Clock;
  readonly #underWay = new Map<string, (() => void)[]>();
  #swept: Monotonic = Number.NEGATIVE_INFINITY as Monotonic;

  constructor(store: GatewayStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }
  get underWay(): number {
    return this.#underWay.size;
  }

  /** Undefined for a stanza that was dealt with already, or is just being so; its own `done` is called when that is so. */
  take(origin: StanzaOrigin, done: () => void): Taken | undefined {
    const { stream, number } = origin;
    const key = `${stream} ${number}`;
    const waiting = this.#underWay.get(key);
    if (waiting !== undefined) {
      waiting.push(done);
      return undefined;
    }
    const fate = this.#store.fateOf(stream, number);
    if (fate === 'done') {
      done();
      return undefined;
    }
    const all = [done];
    this.#underWay.set(key, all);
    let begun = fate === 'begun';
    return {
      uncertain: begun,
      begin: () => {
        if (!begun) this.#store.noteFate(origin, this.#clock.wall(), 'begun');
        begun = true;
      },
      done: () => {
        if (!this.#underWay.delete(key)) return;
        this.#store.noteFate(origin, this.#clock.wall(), 'done');
        for (const one of all) one();
      },
    };
  }

  sweep(): void {
    if (this.#clock.now() - this.#swept < SWEEP_MS) return;
    this.#swept = this.#clock.now();
    this.#store.forgetSeen(this.#clock.wall() - REMEMBERED_MS, MOST_REMEMBERED);
  }
}
