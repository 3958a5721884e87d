/** The conditions of stanza errors (RFC 6120 §8.3.3), each with the type that goes with it. */
export const errorTypes = {
  'bad-request': 'modify',
  conflict: 'cancel',
  'feature-not-implemented': 'cancel',
  forbidden: 'auth',
  gone: 'cancel',
  'internal-server-error': 'cancel',
  'item-not-found': 'cancel',
  'jid-malformed': 'modify',
  'not-acceptable': 'modify',
  'not-allowed': 'cancel',
  'not-authorized': 'auth',
  'policy-violation': 'modify',
  'recipient-unavailable': 'wait',
  redirect: 'modify',
  'registration-required': 'auth',
  'remote-server-not-found': 'cancel',
  'remote-server-timeout': 'wait',
  'resource-constraint': 'wait',
  'service-unavailable': 'cancel',
  'subscription-required': 'auth',
  'undefined-condition': 'modify',
  'unexpected-request': 'wait',
} as const;

export type StanzaCondition = keyof typeof errorTypes;

export const stanzaConditions = Object.keys(errorTypes) as readonly StanzaCondition[];

/** RFC 7247 §7.1, table 2: what SIP says for a condition that came from a full JID and from a bare one. */
const STATUSES: Readonly<Record<StanzaCondition, readonly [full: number, bare: number]>> = {
  'bad-request': [400, 400],
  conflict: [400, 400],
  'feature-not-implemented': [405, 501],
  forbidden: [403, 603],
  // 301 where the new address is known.
  gone: [410, 410],
  'internal-server-error': [500, 500],
  'item-not-found': [404, 604],
  'jid-malformed': [400, 400],
  'not-acceptable': [406, 606],
  'not-allowed': [403, 403],
  'not-authorized': [401, 401],
  'policy-violation': [403, 403],
  'recipient-unavailable': [480, 600],
  redirect: [302, 302],
  'registration-required': [407, 407],
  'remote-server-not-found': [404, 404],
  'remote-server-timeout': [408, 408],
  'resource-constraint': [500, 500],
  // Not 503, which would make a proxy try the next server for a user who simply is not there.
  'service-unavailable': [403, 403],
  'subscription-required': [400, 400],
  'undefined-condition': [400, 400],
  'unexpected-request': [491, 491],
};

/**
 * What a SIP user is answered for an error of the XMPP side.
 * @param moved whether the error told a new address
 */
export function statusOf(condition: StanzaCondition, bare: boolean, moved: boolean): number {
  if (condition === 'gone') return moved ? 301 : 410;
  // A redirection without an address, and a challenge without one, would be no answer in SIP.
  if (condition === 'redirect' && !moved) return 480;
  if (condition === 'not-authorized' || condition === 'registration-required') return 403;
  return STATUSES[condition][bare ? 1 : 0];
}

/** The same as RFC 7247 prints it, before what SIP needs besides (see {@link statusOf}). */
export function printedStatusOf(condition: StanzaCondition, bare: boolean): number {
  return STATUSES[condition][bare ? 1 : 0];
}

/** RFC 7247 §7.2, table 3; what stands in no row is decided by its class. */
const CONDITIONS: Readonly<Record<number, StanzaCondition>> = {
  300: 'redirect',
  301: 'gone',
  302: 'redirect',
  305: 'redirect',
  380: 'not-acceptable',
  400: 'bad-request',
  401: 'not-authorized',
  402: 'bad-request',
  403: 'forbidden',
  404: 'item-not-found',
  405: 'feature-not-implemented',
  406: 'not-acceptable',
  407: 'registration-required',
  408: 'remote-server-timeout',
  410: 'gone',
  413: 'policy-violation',
  414: 'policy-violation',
  415: 'not-acceptable',
  416: 'not-acceptable',
  420: 'feature-not-implemented',
  421: 'not-acceptable',
  423: 'resource-constraint',
  430: 'recipient-unavailable',
  439: 'feature-not-implemented',
  440: 'policy-violation',
  480: 'recipient-unavailable',
  481: 'item-not-found',
  482: 'not-acceptable',
  483: 'not-acceptable',
  484: 'item-not-found',
  485: 'item-not-found',
  486: 'recipient-unavailable',
  487: 'recipient-unavailable',
  488: 'not-acceptable',
  489: 'policy-violation',
  491: 'unexpected-request',
  493: 'bad-request',
  500: 'internal-server-error',
  501: 'feature-not-implemented',
  502: 'remote-server-not-found',
  503: 'internal-server-error',
  504: 'remote-server-timeout',
  505: 'not-acceptable',
  513: 'policy-violation',
  600: 'recipient-unavailable',
  603: 'recipient-unavailable',
  604: 'item-not-found',
  606: 'not-acceptable',
};

/** What an XMPP user is told for the final response of the SIP side; only for 300 and above. */
export function conditionOf(status: number): StanzaCondition {
  const listed = CONDITIONS[status];
  if (listed !== undefined) return listed;
  if (status < 400) return 'redirect';
  if (status < 500) return 'bad-request';
  return status < 600 ? 'internal-server-error' : 'recipient-unavailable';
}
