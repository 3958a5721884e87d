import { element, type XmlElement } from '#protocols/xml';
import { NS } from '../namespaces.ts';
import type { DomainPair } from './actions.ts';

/** `<db:result/>` or `<db:verify/>` (XEP-0220 §2.1). */
export function dialback(
  name: 'result' | 'verify',
  { from, to }: DomainPair,
  more: { readonly id?: string; readonly type?: 'valid' | 'invalid' | 'error'; readonly key?: string },
): XmlElement {
  const { id, type, key } = more;
  return element(NS.dialback, name, { from, to, id, type }, key === undefined ? [] : [key]);
}
