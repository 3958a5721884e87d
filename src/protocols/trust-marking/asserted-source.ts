import { parseNameAddress } from '#protocols/sip';

/**
 * Added by an edge, inward, to a request whose From was accepted on the connection that it came from. The next hop
 * may take it as proof of the sender when a trusted edge sent it; a request without it is to be challenged. An edge
 * removes the field from whatever comes from outside.
 */
export const ASSERTED_SOURCE = 'Sallyport-Asserted-Source';

/** Who stands behind a request that an edge passed on. */
export type SourceKind = 'remote-user';

export interface AssertedSource {
  /** `user@domain`, lower case. */
  readonly address: string;
  readonly source: SourceKind;
  /** The edge's own name. */
  readonly edge: string;
}

/** `<sip:alice@example.com>;source=remote-user;edge=edge1.internal.example` */
export function formatAssertedSource(mark: AssertedSource): string {
  return `<sip:${mark.address}>;source=${mark.source};edge=${mark.edge}`;
}

/** The mark, or undefined for anything that an edge would not have written. */
export function parseAssertedSource(text: string): AssertedSource | undefined {
  const parsed = parseNameAddress(text);
  if (!parsed.ok) return undefined;
  const { uri, parameters } = parsed.value;
  const edge = parameters.get('edge');
  if (!uri.startsWith('sip:') || edge === undefined || parameters.get('source') !== 'remote-user')
    return undefined;
  return { address: uri.slice(4).toLowerCase(), source: 'remote-user', edge };
}
