/**
 * Added by a next hop to what it sends outward for one of its users: with whom elsewhere the user may exchange anything.
 * The edge, which alone knows who is a partner and who a public provider, holds the request to it. A request without the
 * field is from a next hop that leaves this to the edge's document. Nobody outside sees it, and clients cannot write it.
 */
export const SENDER_RIGHTS = 'Sallyport-Sender-Rights';

/** With whom elsewhere a user may exchange anything. */
export interface SenderRights {
  /** Users of other organisations. */
  readonly federation: boolean;
  /** Users of public providers. */
  readonly publicProviders: boolean;
  /** Calls with users of public providers. */
  readonly publicProviderMedia: boolean;
}

const WORDS = {
  federation: 'federation',
  publicProviders: 'public-providers',
  publicProviderMedia: 'public-provider-media',
} as const satisfies Record<keyof SenderRights, string>;
const RIGHTS = Object.keys(WORDS) as readonly (keyof SenderRights)[];

/** `federation, public-providers`; `none` for somebody who may do nothing. */
export function formatSenderRights(rights: SenderRights): string {
  const words = RIGHTS.filter((right) => rights[right]).map((right) => WORDS[right]);
  return words.length === 0 ? 'none' : words.join(', ');
}

/** What the field grants; words that are not known grant nothing. */
export function parseSenderRights(text: string): SenderRights {
  const words = new Set(text.split(',').map((word) => word.trim().toLowerCase()));
  const has = (right: keyof SenderRights) => words.has(WORDS[right]);
  return {
    federation: has('federation'),
    publicProviders: has('publicProviders'),
    publicProviderMedia: has('publicProviderMedia'),
  };
}
