import { err, ok, type Result } from '#kernel';
import { formatSipUri, parseSipUri } from '#protocols/sip';
import { type Jid, jidText, parseJid } from '#protocols/xmpp';

/** Why an address of one side has no counterpart on the other. */
export type AddressProblem =
  | 'not-sip'
  /** A domain alone, or a user part where none may be. */
  | 'no-user'
  /** Percent escapes that are no UTF-8. */
  | 'not-utf-8'
  /** What the other side cannot express: controls, blanks at the ends, an IP address, too long. */
  | 'not-a-jid'
  | 'not-a-sip-uri';

/** What a localpart must not hold and XEP-0106 §2 writes as an escape; RFC 7247 §6 needs the first three. */
const ESCAPES = new Map([
  ['&', '\\26'],
  ["'", '\\27'],
  ['/', '\\2f'],
  [' ', '\\20'],
  ['"', '\\22'],
  [':', '\\3a'],
  ['<', '\\3c'],
  ['>', '\\3e'],
  ['@', '\\40'],
]);
const UNESCAPED = new Map<string, string>([
  ...[...ESCAPES].map(([plain, written]) => [written, plain] as const),
  ['\\5c', '\\'],
]);
const LOOKS_ESCAPED = /\\(?=20|22|26|27|2f|3a|3c|3e|40|5c)/gi;
const NEEDS_ESCAPE = /[&'/ ":<>@]/g;
const ESCAPE = /\\(?:20|22|26|27|2f|3a|3c|3e|40|5c)/gi;

/** Characters of a SIP user part that stand as they are (RFC 3261 §25.1: unreserved and user-unreserved). */
const PLAIN_IN_USER = /[A-Za-z0-9\-_.!~*'()&=+$,;?/]/;
const PLAIN_IN_PARAMETER = /[A-Za-z0-9\-_.!~*'()]/;
const LONGEST_URI = 4096;

/** RFC 7247 §6.4: the address of a SIP user as XMPP writes it; the GRUU (RFC 5627) names the resource. */
export function jidOfSip(text: string): Result<Jid, AddressProblem> {
  const parsed = parseSipUri(text);
  if (!parsed.ok) return err('not-sip');
  const { user, host, parameters } = parsed.value;
  if (user === undefined || user === '') return err('no-user');
  const local = decoded(user);
  if (local === undefined) return err('not-utf-8');
  const gruu = parameters.get('gr');
  const resource = gruu === undefined || gruu === '' ? undefined : decoded(gruu);
  if (gruu !== undefined && gruu !== '' && resource === undefined) return err('not-utf-8');
  if (local.startsWith(' ') || local.endsWith(' ')) return err('not-a-jid');
  const bare = `${escapeLocal(local)}@${host}`;
  const jid = parseJid(resource === undefined ? bare : `${bare}/${resource}`);
  return jid?.local === undefined ? err('not-a-jid') : ok(jid);
}

/**
 * RFC 7247 §6.5: the address of an XMPP user as SIP writes it.
 * @param resource whether the resource goes along, as `gr`
 */
export function sipOfJid(jid: Jid, resource = false): Result<string, AddressProblem> {
  if (jid.local === undefined) return err('no-user');
  const user = encoded(unescapeLocal(jid.local), PLAIN_IN_USER);
  const gruu = resource && jid.resource !== undefined ? encoded(jid.resource, PLAIN_IN_PARAMETER) : undefined;
  const parameters = new Map(gruu === undefined ? [] : [['gr', gruu]]);
  const uri = formatSipUri({ scheme: 'sip', user, host: jid.domain, parameters });
  return uri.length <= LONGEST_URI && parseSipUri(uri).ok ? ok(uri) : err('not-a-sip-uri');
}

/** `user@domain` of a SIP URI in the form in which both sides compare it: that of the bare JID. */
export function bareOfSip(text: string): Result<string, AddressProblem> {
  const jid = jidOfSip(text);
  return jid.ok ? ok(bareOf(jid.value)) : jid;
}

export function bareOf({ local, domain }: Jid): string {
  return jidText(local === undefined ? { domain } : { local, domain });
}

function escapeLocal(text: string): string {
  return text.replace(LOOKS_ESCAPED, '\\5c').replace(NEEDS_ESCAPE, (found) => ESCAPES.get(found) ?? found);
}

function unescapeLocal(text: string): string {
  return text.replace(ESCAPE, (found) => UNESCAPED.get(found.toLowerCase()) ?? found);
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function encoded(text: string, plain: RegExp): string {
  let written = '';
  for (const byte of Buffer.from(text)) {
    const character = String.fromCharCode(byte);
    const asIs = byte < 0x80 && plain.test(character);
    written += asIs ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return written;
}
