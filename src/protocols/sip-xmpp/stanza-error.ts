import { child, element, textOf, type XmlElement } from '#protocols/xml';
import { NS } from '#protocols/xmpp';
import { errorTypes, type StanzaCondition, stanzaConditions } from './conditions.ts';

/** What an error stanza says (RFC 6120 §8.3). */
export interface StanzaError {
  readonly condition: StanzaCondition;
  readonly text?: string | undefined;
  /** What `<gone/>` and `<redirect/>` hold: an XMPP URI. */
  readonly address?: string | undefined;
}

const LONGEST_TEXT = 256;

/** The error that answers a stanza, or undefined for one that must not be answered (RFC 6120 §8.3.1). */
export function errorReply(stanza: XmlElement, error: StanzaError): XmlElement | undefined {
  const { attributes, name } = stanza;
  const type = attributes.get('type');
  if (type === 'error' || (name === 'iq' && type === 'result')) return undefined;
  const { condition, text, address } = error;
  const told =
    text === undefined ? [] : [element(NS.stanzaErrors, 'text', {}, [text.slice(0, LONGEST_TEXT)])];
  const inside = address === undefined ? [] : [address];
  const reply = { from: attributes.get('to'), to: attributes.get('from'), id: attributes.get('id') };
  const problem = element(NS.server, 'error', { type: errorTypes[condition] }, [
    element(NS.stanzaErrors, condition, {}, inside),
    ...told,
  ]);
  return element(NS.server, name, { ...reply, type: 'error' }, [problem]);
}

/** What a stanza of type error says; a condition that is unknown counts as `undefined-condition`. */
export function stanzaErrorOf(stanza: XmlElement): StanzaError {
  const problem = child(stanza, 'error', NS.server);
  if (problem === undefined) return { condition: 'undefined-condition' };
  const text = child(problem, 'text', NS.stanzaErrors);
  for (const condition of stanzaConditions) {
    const found = child(problem, condition, NS.stanzaErrors);
    if (found === undefined) continue;
    const inside = textOf(found).trim();
    return {
      condition,
      ...(text === undefined ? {} : { text: textOf(text).slice(0, LONGEST_TEXT) }),
      ...(inside === '' ? {} : { address: inside }),
    };
  }
  return { condition: 'undefined-condition' };
}
