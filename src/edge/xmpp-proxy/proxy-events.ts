import type { EventStream } from '#platform/telemetry';
import type { StreamNotice } from '#platform/xmpp-endpoint';
import type { LinkNotice } from '#platform/xmpp-link';
import type { XmlElement } from '#protocols/xml';
import type { Refusal } from './policy/refusals.ts';

const FROM_PEER = 64;

/** What an operator may ask about later; each refusal names its rule. */
export class ProxyEvents {
  readonly #events: EventStream;

  constructor(events: EventStream) {
    this.#events = events;
  }

  refused(direction: 'inward' | 'outward', partner: string, stanza: XmlElement, rule: Refusal): void {
    const type = (stanza.attributes.get('type') ?? '').slice(0, FROM_PEER);
    this.#events.emit({
      provider: 'XmppProxy',
      component: 'xmpp-proxy',
      level: 'warning',
      kind: 'decision',
      name: 'xmpp-stanza-refused',
      direction: direction === 'inward' ? 'in' : 'out',
      fields: { rule, direction, partner, kind: stanza.name, type },
      keys: { domain: [partner] },
    });
  }
  /** A stream with a partner was refused, or broke. */
  streamEnded({ direction, peer = '', address, reason, detail = '' }: StreamNotice): void {
    this.#events.emit({
      provider: 'XmppProxy',
      component: 'xmpp-proxy',
      level: 'warning',
      kind: 'decision',
      name: 'xmpp-stream-refused',
      direction,
      remote: address,
      fields: { rule: reason, direction, peer, address, detail: detail.slice(0, 400) },
      keys: { ...(peer === '' ? {} : { domain: [peer] }), ...(address === '' ? {} : { address: [address] }) },
    });
  }
  gatewayConnected(gateway: string, address: string): void {
    this.#state('xmpp-gateway-connected', { gateway, address });
  }
  /** The certificate is good, and none of the gateways that the document lists. */
  gatewayRefused(address: string): void {
    this.#state('xmpp-gateway-refused', { address, rule: 'not-a-gateway' });
  }
  gatewayLeft({ peer, address, reason, detail = '' }: LinkNotice): void {
    this.#state('xmpp-gateway-left', { gateway: peer, address, rule: reason, detail: detail.slice(0, 400) });
  }

  #state(name: string, fields: Readonly<Record<string, string>>): void {
    this.#events.emit({
      provider: 'XmppProxy',
      component: 'gateway-links',
      level: 'info',
      kind: 'state',
      name,
      fields,
    });
  }
}
