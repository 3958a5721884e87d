/** Notes to rows and to scenarios: where the original is odd, and what people get wrong. */
export type NoteId =
  | 'routed'
  | 'translated'
  | 'hairpin'
  | 'balancer'
  | 'balancer-node-only'
  | 'balancer-443-out'
  | 'single-address'
  | 'both-families'
  | 'source-corrected'
  | 'range-is-source'
  | 'udp-range'
  | 'range-inbound'
  | 'stun-outbound'
  | 'xmpp-role'
  | 'xmpp-outbound'
  | 'xmpp-gateway'
  | 'xmpp-source'
  | 'destination-wording'
  | 'internal-wording'
  | 'each-server'
  | 'two-facts'
  | 'logging-ports'
  | 'federation-half'
  | 'sign-in-not-public'
  | 'public-source'
  | 'public-history'
  | 'not-on-the-page'
  | 'two-4443';

/** The rows that a note belongs to; a note without rows belongs to the scenario, see `notes.ts` of the room. */
export const notedRows: Readonly<Record<NoteId, readonly string[]>> = {
  routed: [],
  translated: [],
  hairpin: [],
  balancer: [],
  'balancer-node-only': [],
  'balancer-443-out': [],
  'single-address': [],
  'both-families': [],
  'source-corrected': ['ext-09'],
  'range-is-source': ['ext-09', 'ext-10', 'pic-04'],
  'udp-range': ['ext-10'],
  'range-inbound': ['ext-11', 'ext-12'],
  'stun-outbound': ['ext-13'],
  'xmpp-role': ['ext-01', 'xmpp-01', 'xmpp-02', 'xmpp-03'],
  'xmpp-outbound': ['ext-01', 'xmpp-02'],
  'xmpp-gateway': ['int-01'],
  'xmpp-source': ['xmpp-03'],
  'destination-wording': ['ext-06'],
  'internal-wording': ['int-02'],
  'each-server': ['int-04'],
  'two-facts': ['int-07'],
  'logging-ports': ['int-09', 'int-10', 'int-11'],
  'federation-half': ['fed-01'],
  'sign-in-not-public': ['pic-03'],
  'public-source': ['pic-04', 'pic-05', 'pic-06'],
  'public-history': ['pic-01', 'pic-02', 'pic-04', 'pic-05', 'pic-06'],
  'not-on-the-page': ['more-01', 'more-03', 'more-04', 'more-05', 'more-06'],
  'two-4443': ['int-08', 'more-09'],
};

export const noteIds = Object.keys(notedRows) as readonly NoteId[];
