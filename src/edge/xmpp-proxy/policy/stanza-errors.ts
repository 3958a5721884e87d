import { element, type XmlElement } from '#protocols/xml';
import { NS, returnedKindOf } from '#protocols/xmpp';
import type { Refusal } from './refusals.ts';

type ErrorType = 'cancel' | 'modify' | 'wait' | 'auth';

/** What the sender is told for each refusal (RFC 6120 §8.3.3). */
const ANSWERS: Readonly<Record<Refusal, readonly [ErrorType, string, string]>> = {
  'address-malformed': ['modify', 'jid-malformed', 'the address is not one of a person'],
  'not-im-or-presence': [
    'cancel',
    'service-unavailable',
    'only messages between two people and presence pass here',
  ],
  'iq-not-served': ['cancel', 'service-unavailable', 'this request is not served here'],
  'iq-answer-unasked': ['cancel', 'unexpected-request', 'nothing was asked'],
  'too-large': ['modify', 'policy-violation', 'the stanza is too large'],
  'partner-rate': ['wait', 'resource-constraint', 'too many stanzas from this domain'],
  'subscription-rate': ['wait', 'resource-constraint', 'too many subscriptions from this domain'],
  'no-gateway': ['wait', 'recipient-unavailable', 'the service is not available at the moment'],
  'not-a-partner': ['cancel', 'not-allowed', 'this domain is no partner'],
  'partner-not-found': ['cancel', 'remote-server-not-found', 'no server of this domain was found'],
  'partner-not-reached': ['wait', 'remote-server-timeout', 'the server of this domain was not reached'],
  // Not of type wait: whoever tries again may be read twice.
  'delivery-unknown': [
    'cancel',
    'remote-server-timeout',
    'it is not known whether the message arrived: a connection broke before an answer',
  ],
  'partner-busy': ['wait', 'resource-constraint', 'too much waits for this domain'],
};

/**
 * The error that goes back for a stanza, or nothing where none may: errors are not answered (RFC 6120 §8.3.1), nor are
 * answers to an IQ, nor presence that asks for nothing.
 */
export function errorFor(stanza: XmlElement, refusal: Refusal): XmlElement | undefined {
  const { name, attributes } = stanza;
  const type = attributes.get('type');
  return type === 'error' || !mayBeAnswered(name, type) ? undefined : errorOf(stanza, refusal);
}

/**
 * The error that goes back to a gateway, for every stanza but errors: also for presence that asks for nothing, since the
 * gateway has to know what nobody was told. It goes no further than there.
 */
export function returnFor(stanza: XmlElement, refusal: Refusal): XmlElement | undefined {
  return returnedKindOf(stanza) === undefined ? undefined : errorOf(stanza, refusal);
}

function errorOf({ name, attributes }: XmlElement, refusal: Refusal): XmlElement {
  const [kind, condition, text] = ANSWERS[refusal];
  const said = element(NS.stanzaErrors, 'text', { 'xml:lang': 'en' }, [text]);
  const error = element(NS.server, 'error', { type: kind }, [element(NS.stanzaErrors, condition), said]);
  const { from, to, id } = Object.fromEntries(attributes);
  return element(NS.server, name, { from: to, to: from, id, type: 'error' }, [error]);
}

function mayBeAnswered(name: string, type: string | undefined): boolean {
  if (name === 'iq') return type === 'get' || type === 'set';
  return name === 'message' || type === 'subscribe';
}
