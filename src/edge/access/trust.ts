import { knownHeaderNames, type SipMessage } from '#protocols/sip';
import { ASSERTED_LEVEL, ASSERTED_SOURCE, MESSAGE_TRUST } from '#protocols/trust-marking';

/** Header families in which trust is carried: nothing of them passes unless it is listed in `HARMLESS`. */
const FAMILIES = ['p-', 'x-', 'ms-', 'sallyport-', 'remote-'] as const;

/** What clients may say in those families. Lower case. */
const HARMLESS: ReadonlySet<string> = new Set([
  'p-preferred-identity',
  'p-early-media',
  'ms-keep-alive',
  'ms-text-format',
  'ms-body',
  'ms-sender',
  'ms-subnet',
  'ms-conversation-id',
  'ms-client-diagnostics',
  'ms-endpoint-location-data',
  'ms-device-info',
]);

/** Fields outside those families that only servers write; lower case. */
const SERVERS_ONLY: ReadonlySet<string> = new Set([
  'path',
  'record-route',
  'service-route',
  'history-info',
  'diversion',
  'identity',
  'identity-info',
  'flow-timer',
  // Only the next hop asks clients for their passwords: a callee who could would get a digest to work on.
  'www-authenticate',
  'proxy-authenticate',
  'authentication-info',
  'proxy-authentication-info',
]);

/**
 * Proofs of a password, which are for the next hop alone. Whoever else sees one has something to try passwords against, and a
 * partner has no account here: what it brings can only be a guess. Lower case.
 */
const CREDENTIALS: ReadonlySet<string> = new Set(['authorization', 'proxy-authorization']);

/** Fields of the inside that clients are not shown, besides those of our own family; lower case. */
const INSIDE_ONLY: ReadonlySet<string> = new Set([
  'path',
  'ms-diagnostics',
  ASSERTED_LEVEL,
  MESSAGE_TRUST,
  ASSERTED_SOURCE.toLowerCase(),
]);

/** True for a field that a client must not send inward, by the name as `SipMessage.names` spells it. */
export const isNotForClients = remembered((lower) => {
  return SERVERS_ONLY.has(lower) || isOfTrustFamily(lower);
});

function isOfTrustFamily(lower: string): boolean {
  return FAMILIES.some((family) => lower.startsWith(family)) && !HARMLESS.has(lower);
}

/** What partners may say that clients may not: their own side's routes, and why something failed. Lower case. */
const PARTNERS_TOO: ReadonlySet<string> = new Set([
  'record-route',
  'ms-diagnostics-public',
  'p-asserted-identity',
]);

/**
 * Fields that have a device ring in another way, or answer by itself (RFC 3261 §20.4, RFC 5373 §7): who is not of the house has no
 * right to that, for a call that nobody has answered hears a room. Lower case.
 */
const RINGING: ReadonlySet<string> = new Set(['alert-info', 'answer-mode', 'priv-answer-mode']);

/** True for a field that a partner must not send inward. */
export const isNotForPartners = remembered((lower) => {
  // RFC 3325 §9.2: a wish of a user to the proxy that is to assert it, and theirs is not here.
  if (CREDENTIALS.has(lower) || RINGING.has(lower) || lower === 'p-preferred-identity') return true;
  return !PARTNERS_TOO.has(lower) && (SERVERS_ONLY.has(lower) || isOfTrustFamily(lower));
});

/** True for a field of the inside that nobody outside is shown. */
export const isNotForOutside = remembered(
  (lower) => INSIDE_ONLY.has(lower) || CREDENTIALS.has(lower) || lower.startsWith('sallyport-'),
);

/** Verdicts that are kept; peers choose header names, so there is an end to it. */
const REMEMBERED = 1024;

/** What is thought of a field, by its name as `SipMessage.names` spells it. */
interface NameVerdict {
  (name: string): boolean;
  /** The same of a field line of a message. */
  at(message: SipMessage, field: number): boolean;
}

/** The same names come in every message, so their verdicts are kept. */
function remembered(judge: (lower: string) => boolean): NameVerdict {
  const byId = knownHeaderNames.map((name) => judge(name.toLowerCase()));
  const verdicts = new Map<string, boolean>();
  const byName = (name: string): boolean => {
    const known = verdicts.get(name);
    if (known !== undefined) return known;
    const verdict = judge(name.toLowerCase());
    if (verdicts.size < REMEMBERED) verdicts.set(name, verdict);
    return verdict;
  };
  const at = (message: SipMessage, field: number): boolean => {
    const id = message.fieldId(field);
    return id === 0 ? byName(message.fieldName(field)) : byId[id] === true;
  };
  return Object.assign(byName, { at });
}
