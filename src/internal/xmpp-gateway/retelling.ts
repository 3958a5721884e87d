import { type Monotonic, pauseAfter, TokenBucket } from '#kernel';
import type { GatewayContext, SendFailure } from './gateway-context.ts';
import type { OwedKind } from './gateway-metrics.ts';
import type { Pair } from './gateway-store.ts';

/**
 * What somebody at a partner ought to know: the presence of a user of ours (`state`), that a user of ours asks
 * (`question`), or that a user of ours shows nothing any more (`refusal`).
 */
export interface Owed extends Pair {
  readonly kind: OwedKind;
}

export interface RetellingUser {
  /** Says what is so at this moment; false when nothing was to be said, or not yet. */
  retell(owed: Owed): boolean;
}

/** One domain of a partner. */
interface Debt {
  readonly domain: string;
  readonly owed: Map<string, Owed>;
  readonly budget: TokenBucket;
  /** Stanzas came back: one at a time is tried until one does not. */
  away: boolean;
  failures: number;
  /** Nothing is said before. */
  due: Monotonic;
  /** Since when one attempt is under way. */
  trial: Monotonic | undefined;
  /** When everything at once was, or will be, said again. */
  planned: Monotonic;
  missed: Monotonic;
}

/** The first pause is longer than the time for which a proxy remembers that it could not reach a partner. */
const PAUSES = { firstMs: 8000, longestMs: 120_000 };
/** Pauses differ by so much, up and down, so that gateways do not come together. */
const JITTER = 0.25;
/** An attempt of which nothing came back for so long has arrived; a proxy has given up by then. */
const TRIAL_MS = 30_000;
/** A sign of life brings the next attempt forward, but no closer to the last than this. */
const EAGER_MS = 5000;
/** Streams that broke are no longer than this in being followed by what they lost. */
const SETTLE_MS = 1000;
/** Everything at once is said again at most so often. */
const EVERYTHING_MS = 60_000;
/** Stanzas a second and domain, those that may come at once, and those of all domains in one sweep. */
const RATE = 50;
const BURST = 200;
const MOST_A_SWEEP = 1000;
/** A domain at which nothing went wrong for so long is one as any other. */
const FORGIVEN_MS = 60_000;
/** An attempt may find pairs of which there is nothing to say. */
const MOST_TRIED = 20;

/**
 * Presence that partners may have missed, told again when they can hear it (docs/protocols/xmpp-link.md, "Presence that
 * did not arrive"). Kept is *that* something is to be told, never what: it is read when it is said. No more is owed than
 * there are subscriptions; the owners of these take what is over out by `forget`.
 */
export class Retelling {
  readonly #context: GatewayContext;
  readonly #user: RetellingUser;
  readonly #debts = new Map<string, Debt>();
  #repeating = false;

  constructor(context: GatewayContext, user: RetellingUser) {
    this.#context = context;
    this.#user = user;
  }

  /** Pairs that something is owed to. */
  get size(): number {
    let size = 0;
    for (const { owed } of this.#debts.values()) size += owed.size;
    return size;
  }
  count(kind: OwedKind, domain: string): number {
    let count = 0;
    for (const one of this.#debts.get(domain)?.owed.values() ?? []) if (one.kind === kind) count += 1;
    return count;
  }

  /** Whether this may be said now; otherwise it is owed from here on. */
  admits(owed: Owed): boolean {
    if (this.#repeating) return true;
    const debt = this.#debts.get(domainOf(owed)) ?? this.#open(domainOf(owed));
    if (!debt.away && debt.budget.take(this.#now)) {
      debt.owed.delete(keyOf(owed));
      return true;
    }
    debt.owed.set(keyOf(owed), owed);
    return false;
  }
  /** What to call when it is known what became of a stanza. */
  settled(owed: Owed): (failed: SendFailure | undefined) => void {
    return (failed) => {
      if (failed !== undefined) this.missed(owed);
    };
  }
  /** It was said, and came back. */
  missed(owed: Owed): void {
    const debt = this.#debts.get(domainOf(owed)) ?? this.#open(domainOf(owed));
    debt.owed.set(keyOf(owed), owed);
    debt.missed = this.#now;
    if (debt.away && debt.trial === undefined) return;
    if (!debt.away) this.#context.log.info('presence does not reach a partner', { domain: debt.domain });
    debt.away = true;
    debt.trial = undefined;
    debt.failures += 1;
    debt.due = this.#now + this.#pause(debt.failures);
  }
  forget(owed: Owed): void {
    this.#debts.get(domainOf(owed))?.owed.delete(keyOf(owed));
  }

  /** Something may have been lost of which nobody was told: each of these is said again, if it still is so. */
  suspect(all: Iterable<Owed>): void {
    for (const owed of all) {
      const debt = this.#debts.get(domainOf(owed)) ?? this.#open(domainOf(owed));
      debt.owed.set(keyOf(owed), owed);
      if (debt.away) this.#hurry(debt);
      if (debt.planned > this.#now || debt.away) continue;
      const soon = this.#now + SETTLE_MS * (1 + this.#chance());
      debt.planned = Math.max(soon, debt.planned + EVERYTHING_MS);
      debt.due = debt.planned;
    }
  }
  /** Stanzas can be sent to the domain again. */
  opened(domain: string): void {
    const debt = this.#debts.get(domain);
    if (debt?.away !== true) return;
    this.#reached(debt);
  }
  /** Something came from the domain, so that an attempt is worth its while. */
  heard(domain: string): void {
    const debt = this.#debts.get(domain);
    if (debt?.away === true) this.#hurry(debt);
  }
  #hurry(debt: Debt): void {
    if (debt.trial !== undefined) return;
    debt.due = Math.min(debt.due, Math.max(this.#now + SETTLE_MS, debt.missed + EAGER_MS));
  }

  /** Call it about once a second. */
  sweep(): void {
    let left = MOST_A_SWEEP;
    for (const debt of [...this.#debts.values()]) {
      if (debt.owed.size === 0) this.#close(debt);
      else if (debt.due <= this.#now && left > 0) {
        if (debt.away) left -= this.#try(debt);
        else left -= this.#repay(debt, left);
        // Who was served waits behind the others.
        this.#debts.delete(debt.domain);
        this.#debts.set(debt.domain, debt);
      }
    }
  }

  #try(debt: Debt): number {
    if (debt.trial !== undefined) {
      this.#reached(debt);
      return 0;
    }
    debt.trial = this.#now;
    debt.due = this.#now + TRIAL_MS;
    let tried = 0;
    for (const owed of [...debt.owed.values()].slice(0, MOST_TRIED)) {
      tried += 1;
      if (this.#repeat(debt, owed)) return tried;
    }
    debt.trial = undefined;
    debt.due = this.#now;
    return tried;
  }
  #reached(debt: Debt): void {
    this.#context.log.info('presence reaches a partner again', { domain: debt.domain });
    debt.away = false;
    debt.trial = undefined;
    debt.due = this.#now;
  }
  #repay(debt: Debt, most: number): number {
    let said = 0;
    for (const owed of [...debt.owed.values()]) {
      if (said >= most || debt.away || !debt.budget.take(this.#now)) break;
      this.#repeat(debt, owed);
      said += 1;
    }
    return said;
  }
  #repeat(debt: Debt, owed: Owed): boolean {
    debt.owed.delete(keyOf(owed));
    this.#repeating = true;
    const said = this.#user.retell(owed);
    this.#repeating = false;
    if (said) this.#context.metrics.retold.inc(owed.kind);
    return said;
  }

  #open(domain: string): Debt {
    const never = Number.NEGATIVE_INFINITY;
    const debt: Debt = {
      domain,
      owed: new Map(),
      budget: new TokenBucket(RATE, BURST, this.#now),
      away: false,
      failures: 0,
      due: this.#now,
      trial: undefined,
      planned: never,
      missed: never,
    };
    this.#debts.set(domain, debt);
    return debt;
  }
  #close(debt: Debt): void {
    const last = Math.max(debt.missed, debt.planned);
    if (this.#now - last < FORGIVEN_MS || !debt.budget.take(this.#now, BURST)) return;
    this.#debts.delete(debt.domain);
  }
  #pause(failures: number): number {
    return pauseAfter(failures, PAUSES) * (1 - JITTER + 2 * JITTER * this.#chance());
  }
  /** 0 to 1. */
  #chance(): number {
    return (this.#context.random.bytes(1)[0] ?? 0) / 255;
  }
  get #now(): Monotonic {
    return this.#context.clock.now();
  }
}

function keyOf({ kind, local, remote }: Owed): string {
  return `${kind} ${local} ${remote}`;
}
function domainOf({ remote }: Owed): string {
  return remote.slice(remote.lastIndexOf('@') + 1);
}
