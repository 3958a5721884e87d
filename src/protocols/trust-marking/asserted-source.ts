import { parseNameAddress } from '#protocols/sip';

/**
 * Added by an edge, inward, to a request whose From it knows: accepted on the connection that it came from, or of a
 * domain that the partner's certificate speaks for. The next hop may take it as proof of the sender when a trusted edge
 * sent it; a request without it is to be challenged. An edge removes the field from whatever comes from outside.
 */
export const ASSERTED_SOURCE = 'Sallyport-Asserted-Source';

/** Who stands behind a request that an edge passed on. */
const sourceKinds = ['remote-user', 'federated', 'provider', 'guest'] as const;
export type SourceKind = (typeof sourceKinds)[number];

export interface AssertedSource {
  /** `user@domain`, the domain in lower case. */
  readonly address: string;
  readonly source: SourceKind;
  /** Of a sender outside the organisation: whether the name counts as verified. Absent for our own users. */
  readonly verified?: boolean | undefined;
  /** The edge's own name. */
  readonly edge: string;
  /** Present when the document has the sender's messages and calls delivered only to users who have the sender on their contact list. */
  readonly contactsOnly?: true | undefined;
}

/** Stands last, where next hops that know nothing of it do not stumble over it. */
const CONTACTS_ONLY = ';deliver=contacts';

/** `<sip:bob@partner.example>;source=federated;verified=yes;edge=edge1.internal.example` */
export function formatAssertedSource({ address, ...mark }: AssertedSource): string {
  const [begin, end] = assertedSourceAround(mark);
  return begin + address + end;
}
/** What stands before and behind the address, the same for all senders of one kind. */
export function assertedSourceAround(
  mark: Omit<AssertedSource, 'address'>,
): readonly [begin: string, end: string] {
  const { source, verified, edge, contactsOnly } = mark;
  const level = verified === undefined ? '' : `;verified=${verified ? 'yes' : 'no'}`;
  const whom = contactsOnly === true ? CONTACTS_ONLY : '';
  return ['<sip:', `>;source=${source}${level};edge=${edge}${whom}`];
}

/** The mark, or undefined for anything that an edge would not have written. */
export function parseAssertedSource(text: string): AssertedSource | undefined {
  const parsed = parseNameAddress(text);
  if (!parsed.ok) return undefined;
  const { uri, parameters } = parsed.value;
  const edge = parameters.get('edge');
  const source = sourceKinds.find((kind) => kind === parameters.get('source'));
  const level = parameters.get('verified');
  if (!uri.startsWith('sip:') || edge === undefined || source === undefined) return undefined;
  if (level !== undefined && level !== 'yes' && level !== 'no') return undefined;
  const whom = parameters.get('deliver');
  if (parameters.has('deliver') && whom !== 'contacts') return undefined;
  return {
    address: uri.slice(4).toLowerCase(),
    source,
    ...(level === undefined ? {} : { verified: level === 'yes' }),
    edge,
    ...(whom === undefined ? {} : { contactsOnly: true }),
  };
}
