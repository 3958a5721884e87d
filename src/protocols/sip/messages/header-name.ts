/**
 * Header field names as small numbers. A number is enough to find a header among the lines of a message,
 * so that scanning a message makes no string per header. 0 is every name that is not in the table.
 */

/** [canonical name, compact form, what the field's value is]. */
type Row = readonly [name: string, compact: string, kind: 'list' | 'single'];

// The first eight are watched for repetition while a message is scanned (WATCHED). RFC 3261 §20 and
// §7.3.3, and the extensions that an edge looks at. `list` fields have comma-separated values.
const rows: readonly Row[] = [
  ['Via', 'v', 'list'],
  ['From', 'f', 'single'],
  ['To', 't', 'single'],
  ['Call-ID', 'i', 'single'],
  ['CSeq', '', 'single'],
  ['Max-Forwards', '', 'single'],
  ['Content-Length', 'l', 'single'],
  ['Content-Type', 'c', 'single'],
  ['Contact', 'm', 'list'],
  ['Route', '', 'list'],
  ['Record-Route', '', 'list'],
  ['Path', '', 'list'],
  ['Service-Route', '', 'list'],
  ['Supported', 'k', 'list'],
  ['Require', '', 'list'],
  ['Proxy-Require', '', 'list'],
  ['Unsupported', '', 'list'],
  ['Allow', '', 'list'],
  ['Allow-Events', 'u', 'list'],
  ['Event', 'o', 'single'],
  ['Expires', '', 'single'],
  ['Min-Expires', '', 'single'],
  ['Authorization', '', 'single'],
  ['Proxy-Authorization', '', 'single'],
  ['WWW-Authenticate', '', 'single'],
  ['Proxy-Authenticate', '', 'single'],
  ['Authentication-Info', '', 'single'],
  ['Proxy-Authentication-Info', '', 'single'],
  ['Accept', '', 'list'],
  ['Accept-Encoding', '', 'list'],
  ['Accept-Language', '', 'list'],
  ['Alert-Info', '', 'list'],
  ['Call-Info', '', 'list'],
  ['Content-Disposition', '', 'single'],
  ['Content-Encoding', 'e', 'list'],
  ['Content-Language', '', 'list'],
  ['Date', '', 'single'],
  ['Error-Info', '', 'list'],
  ['In-Reply-To', '', 'list'],
  ['MIME-Version', '', 'single'],
  ['Organization', '', 'single'],
  ['Priority', '', 'single'],
  ['Reply-To', '', 'single'],
  ['Retry-After', '', 'single'],
  ['Server', '', 'single'],
  ['Subject', 's', 'single'],
  ['Timestamp', '', 'single'],
  ['User-Agent', '', 'single'],
  ['Warning', '', 'list'],
  ['RSeq', '', 'single'],
  ['RAck', '', 'single'],
  ['Refer-To', 'r', 'single'],
  ['Referred-By', 'b', 'single'],
  ['Replaces', '', 'single'],
  ['Session-Expires', 'x', 'single'],
  ['Min-SE', '', 'single'],
  ['Subscription-State', '', 'single'],
  ['SIP-ETag', '', 'single'],
  ['SIP-If-Match', '', 'single'],
  ['Reason', '', 'list'],
  ['Privacy', '', 'single'],
  ['P-Asserted-Identity', '', 'list'],
  ['P-Preferred-Identity', '', 'list'],
  ['History-Info', '', 'list'],
  ['Identity', 'y', 'single'],
  ['Accept-Contact', 'a', 'list'],
  ['Reject-Contact', 'j', 'list'],
  ['Request-Disposition', 'd', 'list'],
  ['Flow-Timer', '', 'single'],
  ['Max-Breadth', '', 'single'],
  ['Join', '', 'single'],
  ['Target-Dialog', '', 'single'],
];

export type HeaderId = number;
export const UNKNOWN: HeaderId = 0;

const byText = new Map<string, HeaderId>();
const canonical: string[] = [''];
const list: boolean[] = [false];
/** Lower-case octets of each spelling, and the id it stands for. */
const spellings: { readonly octets: Uint8Array; readonly id: HeaderId }[] = [];
// Open addressing, about one slot in six taken; slots hold an index into `spellings` plus one.
const SLOTS = 512;
const slots = new Uint8Array(SLOTS);

/**
 * A hash of a name that is not empty, for upper and lower case letters alike: of its length and three of its octets, since whoever
 * is found by it is compared as a whole.
 */
function nameHash(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  let hash = Math.imul(length, 31) + (bytes[start]! | 0x20);
  hash = Math.imul(hash, 31) + (bytes[start + (length >> 1)]! | 0x20);
  return Math.imul(hash, 31) + (bytes[end - 1]! | 0x20);
}
function slotOf(hash: number): number {
  return (hash ^ (hash >>> 9)) & (SLOTS - 1);
}

function learn(spelling: string, id: HeaderId): void {
  const octets = Uint8Array.from(spelling.toLowerCase(), (character) => character.charCodeAt(0));
  const index = spellings.push({ octets, id });
  let slot = slotOf(nameHash(octets, 0, octets.length));
  while (slots[slot] !== 0) slot = (slot + 1) & (SLOTS - 1);
  slots[slot] = index;
  byText.set(spelling, id);
  byText.set(spelling.toLowerCase(), id);
}
for (const [name, compact, kind] of rows) {
  const id = canonical.push(name) - 1;
  list.push(kind === 'list');
  learn(name, id);
  if (compact !== '') learn(compact, id);
}

/** The id of the name whose octets are `bytes[start..end)`; not empty. */
export function idOfOctets(bytes: Uint8Array, start: number, end: number): HeaderId {
  for (let slot = slotOf(nameHash(bytes, start, end)); slots[slot] !== 0; slot = (slot + 1) & (SLOTS - 1)) {
    const spelling = spellings[slots[slot]! - 1]!;
    if (sameName(bytes, start, end, spelling.octets)) return spelling.id;
  }
  return UNKNOWN;
}

/** True when `bytes[start..end)` is `lower` (lower-case octets) without regard to case. */
export function sameName(bytes: Uint8Array, start: number, end: number, lower: Uint8Array): boolean {
  if (end - start !== lower.length) return false;
  for (let i = 0; i < lower.length; i++) {
    const octet = bytes[start + i]!;
    const folded = octet >= 0x41 && octet <= 0x5a ? octet | 0x20 : octet;
    if (folded !== lower[i]) return false;
  }
  return true;
}

/** The names that have an id, in their usual spelling; the place of each is its id, and there is none at 0. */
export const knownNames: readonly string[] = canonical;

/** The id of a name in any case, in its full or its compact form. */
export function idOf(name: string): HeaderId {
  return byText.get(name) ?? byText.get(name.toLowerCase()) ?? UNKNOWN;
}

/**
 * The usual spelling: `Call-ID` for `call-id` and for `i`; a name that is not in the table is returned as it
 * is.
 */
export function canonicalName(name: string): string {
  const id = idOf(name);
  return id === UNKNOWN ? name : canonical[id]!;
}
export function nameOf(id: HeaderId): string {
  return canonical[id]!;
}

/** True for fields whose value is a comma-separated list (RFC 3261 §7.3.1). */
export function isListHeader(name: string): boolean {
  return list[idOf(name)]!;
}
export function isListId(id: HeaderId): boolean {
  return list[id]!;
}

export const VIA = idOf('Via');
export const FROM = idOf('From');
export const TO = idOf('To');
export const CALL_ID = idOf('Call-ID');
export const CSEQ = idOf('CSeq');
export const MAX_FORWARDS = idOf('Max-Forwards');
export const MAX_BREADTH = idOf('Max-Breadth');
export const CONTENT_LENGTH = idOf('Content-Length');
export const CONTENT_TYPE = idOf('Content-Type');
export const WATCHED = CONTENT_TYPE + 1;
export const ROUTE = idOf('Route');
export const RECORD_ROUTE = idOf('Record-Route');
export const TIMESTAMP = idOf('Timestamp');
