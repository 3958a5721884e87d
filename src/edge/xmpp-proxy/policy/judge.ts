import type { XmlElement } from '#protocols/xml';
import { fitsLink, type Jid, parseJid } from '#protocols/xmpp';
import { answerIq } from './iq-answers.ts';
import type { Refusal } from './refusals.ts';

/** What becomes of a stanza. */
export type Verdict =
  | { readonly outcome: 'pass' }
  /** The edge answers it itself. */
  | { readonly outcome: 'answer'; readonly answer: XmlElement }
  /** An answer to something that the edge has asked. */
  | { readonly outcome: 'reply'; readonly id: string }
  | { readonly outcome: 'refuse'; readonly refusal: Refusal };

const MESSAGES: ReadonlySet<string> = new Set(['normal', 'chat', 'headline', 'error']);
const PRESENCES: ReadonlySet<string> = new Set([
  'unavailable',
  'subscribe',
  'subscribed',
  'unsubscribe',
  'unsubscribed',
  'probe',
  'error',
]);

const pass: Verdict = { outcome: 'pass' };
const refuse = (refusal: Refusal): Verdict => ({ outcome: 'refuse', refusal });

/** A stanza of a partner whose domain is proven. */
export function judgeInward(stanza: XmlElement): Verdict {
  const [from, to] = [jidOf(stanza, 'from'), jidOf(stanza, 'to')];
  if (from === undefined || to === undefined) return refuse('address-malformed');
  if (stanza.name === 'iq') return judgeIq(stanza, to);
  if (!isImOrPresence(stanza)) return refuse('not-im-or-presence');
  if (to.local === undefined || from.local === undefined) return refuse('address-malformed');
  return fitsLink(stanza) ? pass : refuse('too-large');
}

/** A stanza of a gateway, whose domain is one of ours. */
export function judgeOutward(stanza: XmlElement): Verdict {
  const [from, to] = [jidOf(stanza, 'from'), jidOf(stanza, 'to')];
  if (from === undefined || to?.local === undefined) return refuse('address-malformed');
  return isImOrPresence(stanza) ? pass : refuse('not-im-or-presence');
}

function judgeIq(stanza: XmlElement, to: Jid): Verdict {
  const type = stanza.attributes.get('type');
  const id = stanza.attributes.get('id');
  if (type === 'result' || type === 'error') {
    return id === undefined ? refuse('iq-answer-unasked') : { outcome: 'reply', id };
  }
  const answer = answerIq(stanza, to);
  return answer === undefined ? refuse('iq-not-served') : { outcome: 'answer', answer };
}

/** RFC 6121 §5.2.2, §4.7.1: between two people, so no groupchat, and of presence every type that there is. */
function isImOrPresence({ name, attributes }: XmlElement): boolean {
  const type = attributes.get('type');
  if (name === 'message') return type === undefined || MESSAGES.has(type);
  return name === 'presence' && (type === undefined || PRESENCES.has(type));
}

function jidOf({ attributes }: XmlElement, name: 'from' | 'to'): Jid | undefined {
  const text = attributes.get(name);
  return text === undefined ? undefined : parseJid(text);
}
