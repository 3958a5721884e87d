import type { XmlElement } from '#protocols/xml';
import { canonicalDomain } from '../jid.ts';
import { NS } from '../namespaces.ts';
import type { DomainPair } from './actions.ts';

export function isStanza({ namespace, name }: XmlElement): boolean {
  return namespace === NS.server && (name === 'message' || name === 'presence' || name === 'iq');
}

/**
 * Whether a user would read it twice if it came twice. Who lost the word whether such a stanza arrived may not send it again,
 * but tells its sender; presence, and errors, which name the message that they are about, say nothing new the second time.
 */
export function isReadOnce({ name, attributes }: XmlElement): boolean {
  return name === 'message' && attributes.get('type') !== 'error';
}

/** The domains of `from` and `to` as they stand; undefined when one is missing or none. */
export function pairOf({ attributes }: XmlElement): DomainPair | undefined {
  const from = domainOf(attributes.get('from'));
  const to = domainOf(attributes.get('to'));
  return from === undefined || to === undefined ? undefined : { from, to };
}

function domainOf(address: string | undefined): string | undefined {
  if (address === undefined) return undefined;
  const slash = address.indexOf('/');
  const bare = slash < 0 ? address : address.slice(0, slash);
  return canonicalDomain(bare.slice(bare.indexOf('@') + 1));
}

/** The domain of a header or dialback attribute, which holds nothing but a domain. */
export function domainAttribute({ attributes }: Pick<XmlElement, 'attributes'>, name: 'from' | 'to') {
  const text = attributes.get(name);
  return text === undefined ? undefined : canonicalDomain(text);
}
