import { element, type XmlElement } from '#protocols/xml';
import { NS } from '../namespaces.ts';

/** How far a partner is trusted; what follows from it is the gateway's. */
export const partnerTypes = ['federated', 'public-verified', 'public-unverified'] as const;
export type PartnerType = (typeof partnerTypes)[number];

/** What a stanza was that comes back because it did not arrive: a message, or presence by its type. */
export const returnedKinds = [
  'message',
  'available',
  'unavailable',
  'subscribe',
  'subscribed',
  'unsubscribe',
  'unsubscribed',
  'probe',
] as const;
export type ReturnedKind = (typeof returnedKinds)[number];

/** What the proxy says about a stanza that it brings: docs/protocols/xmpp-link.md, "Origin". */
export interface StanzaOrigin {
  /** Of the partner's stream that brought it, unguessable; a stanza that comes twice bears the same stream and number. */
  readonly stream: string;
  readonly number: number;
  /** The main domain of the partner. */
  readonly partner: string;
  readonly type: PartnerType;
  /** Only on an error of the proxy itself: what it could not deliver. */
  readonly undelivered?: ReturnedKind;
  /** Only together with it: nobody knows whether it arrived. */
  readonly fate?: 'unknown';
}

const MOST_NUMBER = 2 ** 48;

/** The stanza with its origin, and with no other word of the link's namespace. */
export function withOrigin(stanza: XmlElement, said: StanzaOrigin): XmlElement {
  const { number, ...words } = said;
  const origin = element(NS.link, 'origin', { ...words, number: String(number) });
  return { ...stanza, children: [...withoutOrigin(stanza).children, origin] };
}

/** The stanza without anything of the link's namespace. */
export function withoutOrigin(stanza: XmlElement): XmlElement {
  const isOwn = (item: XmlElement | string) => typeof item !== 'string' && item.namespace === NS.link;
  return stanza.children.some(isOwn)
    ? { ...stanza, children: stanza.children.filter((item) => !isOwn(item)) }
    : stanza;
}

/** The one origin of a stanza that came over the link; undefined when there is none, more than one, or one that is malformed. */
export function originOf({ children }: XmlElement): StanzaOrigin | undefined {
  const own = children.filter((item) => typeof item !== 'string' && item.namespace === NS.link);
  const [origin] = own;
  if (own.length !== 1 || origin === undefined || typeof origin === 'string' || origin.name !== 'origin')
    return undefined;
  const { attributes } = origin;
  const [stream, partner] = [attributes.get('stream'), attributes.get('partner')];
  const digits = attributes.get('number') ?? '';
  const number = /^\d{1,15}$/.test(digits) ? Number(digits) : MOST_NUMBER;
  const type = partnerTypes.find((known) => known === attributes.get('type'));
  if (!stream || !partner || type === undefined || number >= MOST_NUMBER) return undefined;
  const undelivered = returnedKinds.find((known) => known === attributes.get('undelivered'));
  if (undelivered === undefined && attributes.has('undelivered')) return undefined;
  const fate = attributes.get('fate') === 'unknown' ? ({ fate: 'unknown' } as const) : {};
  return { stream, number, partner, type, ...(undelivered === undefined ? {} : { undelivered, ...fate }) };
}

/** The word for a stanza that comes back; undefined for one of which nobody is told. */
export function returnedKindOf({ name, attributes }: XmlElement): ReturnedKind | undefined {
  const type = attributes.get('type');
  if (type === 'error') return undefined;
  if (name === 'message') return 'message';
  if (name !== 'presence') return undefined;
  return type === undefined ? 'available' : returnedKinds.find((known) => known === type);
}
