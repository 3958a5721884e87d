import { element } from '#protocols/xml';
import { NS } from '#protocols/xmpp';
import type { GatewayContext } from './gateway-context.ts';
import type { Pair } from './gateway-store.ts';
import { shareOf } from './partner-share.ts';
import type { Retelling } from './retelling.ts';

/** Refusals that are kept for partners that cannot be reached. */
const MOST_REFUSALS = 1000;

/**
 * That a user of ours shows somebody nothing any more (`unsubscribed`). Nothing else remembers it, so that one that did
 * not arrive is kept, over restarts too, until it can be said again.
 */
export class Refusals {
  readonly #context: GatewayContext;
  readonly #retelling: Retelling;

  constructor(context: GatewayContext, retelling: Retelling) {
    this.#context = context;
    this.#retelling = retelling;
  }
  load(): void {
    this.#retelling.suspect(this.#context.store.refusals().map(owedOf));
  }
  say(pair: Pair): void {
    if (this.#retelling.admits(owedOf(pair))) this.#send(pair);
    else this.#keep(pair);
  }
  missed(pair: Pair): void {
    if (this.#keep(pair)) this.#retelling.missed(owedOf(pair));
  }
  /** The other side asks again: whatever it did not hear is over. */
  forget(pair: Pair): void {
    this.#retelling.forget(owedOf(pair));
    this.#context.store.deleteRefusal(pair);
  }
  retell(pair: Pair): boolean {
    this.#context.store.deleteRefusal(pair);
    this.#send(pair);
    return true;
  }

  #send({ local, remote }: Pair): void {
    const stanza = element(NS.server, 'presence', { from: local, to: remote, type: 'unsubscribed' });
    this.#context.xmpp.send(stanza, (failed) => {
      if (failed !== undefined) this.missed({ local, remote });
    });
  }
  #keep(pair: Pair): boolean {
    const { store, settings } = this.#context;
    const domain = pair.remote.slice(pair.remote.lastIndexOf('@') + 1);
    const kept = this.#retelling.count('refusal', domain) < shareOf(MOST_REFUSALS, settings().partnerPercent);
    if (kept) store.saveRefusal(pair);
    else this.#retelling.forget(owedOf(pair));
    return kept;
  }
}

function owedOf({ local, remote }: Pair) {
  return { kind: 'refusal', local, remote } as const;
}
