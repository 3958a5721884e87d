import { BoundedMap, type Monotonic, TokenBucket } from '#kernel';
import type { XmlElement } from '#protocols/xml';
import type { Refusal } from './refusals.ts';

export interface BudgetLimits {
  readonly stanzasPerSecond: number;
  readonly subscriptionsPerMinute: number;
}

interface Budget {
  readonly stanzas: TokenBucket;
  readonly subscriptions: TokenBucket;
}

/** So many seconds' stanzas, and minutes' subscriptions, may come at once. */
const STANZA_BURST_SECONDS = 10;
const SUBSCRIPTION_BURST_MINUTES = 2;
const MOST_PARTNERS = 1000;

/** What each partner may still send (X10): a flood of one takes nothing from the others, nor from us. */
export class Budgets {
  #limits: BudgetLimits;
  #budgets = new BoundedMap<string, Budget>(MOST_PARTNERS);

  constructor(limits: BudgetLimits) {
    this.#limits = limits;
  }
  configure(limits: BudgetLimits): void {
    const same = JSON.stringify(limits) === JSON.stringify(this.#limits);
    this.#limits = limits;
    if (!same) this.#budgets = new BoundedMap(MOST_PARTNERS);
  }

  /** Takes one stanza out of the partner's budget, or says which one is used up. */
  take(partner: string, stanza: XmlElement, now: Monotonic): Refusal | undefined {
    const budget = this.#budgets.get(partner) ?? this.#open(partner, now);
    if (!budget.stanzas.take(now)) return 'partner-rate';
    const subscribes = stanza.name === 'presence' && stanza.attributes.get('type') === 'subscribe';
    return subscribes && !budget.subscriptions.take(now) ? 'subscription-rate' : undefined;
  }

  #open(partner: string, now: Monotonic): Budget {
    const { stanzasPerSecond, subscriptionsPerMinute } = this.#limits;
    const budget = {
      stanzas: new TokenBucket(stanzasPerSecond, stanzasPerSecond * STANZA_BURST_SECONDS, now),
      subscriptions: new TokenBucket(
        subscriptionsPerMinute / 60,
        subscriptionsPerMinute * SUBSCRIPTION_BURST_MINUTES,
        now,
      ),
    };
    // More names than there are places: the one that began first begins anew, rather than each newcomer every time.
    const [oldest] = this.#budgets.keys();
    if (this.#budgets.full && oldest !== undefined) this.#budgets.delete(oldest);
    this.#budgets.set(partner, budget);
    return budget;
  }
}
