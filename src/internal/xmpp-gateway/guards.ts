import { randomToken } from '#kernel';
import { bareOf } from '#protocols/sip-xmpp';
import { element, type XmlElement } from '#protocols/xml';
import { jidText, NS, parseJid } from '#protocols/xmpp';
import type { GatewayContext } from './gateway-context.ts';
import { jidOfBare } from './party.ts';
import type { Watch } from './watch.ts';

/** How long the other side has to say that it is not there any more, before a renewal. */
export const GUARD_MS = 3000;

/** RFC 8048 §8.1: nobody renews for ever what nobody reads; the other side's server is asked first. */
export class Guards {
  readonly #context: GatewayContext;
  readonly #watches = new Map<string, Watch>();

  constructor(context: GatewayContext) {
    this.#context = context;
  }

  /** @param silent nobody has objected */
  ask(watch: Watch, silent: () => void): void {
    const { xmpp, random, clock } = this.#context;
    const id = `guard-${randomToken(random, 16)}`;
    const cancel = clock.after(GUARD_MS, () => {
      this.end(watch);
      silent();
    });
    watch.guard = { id, cancel };
    this.#watches.set(id, watch);
    const from = jidOfBare(watch.local).domain;
    xmpp.send(element(NS.server, 'presence', { from, to: watch.remote, id, type: 'probe' }));
  }
  end(watch: Watch): void {
    if (watch.guard === undefined) return;
    watch.guard.cancel();
    this.#watches.delete(watch.guard.id);
    watch.guard = undefined;
  }
  /** The watch of which an error says that the other side is not there; the question went out in the name of the domain. */
  handleError({ attributes }: XmlElement): Watch | undefined {
    const watch = this.#watches.get(attributes.get('id') ?? '');
    const from = parseJid(attributes.get('from') ?? '');
    if (watch === undefined || from === undefined) return undefined;
    if (bareOf(from) !== watch.remote && jidOfBare(watch.remote).domain !== jidText(from)) return undefined;
    this.end(watch);
    return watch;
  }
}
