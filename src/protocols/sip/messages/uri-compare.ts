import type { SipUri } from './uri.ts';

const RESERVED = ';/?:@&=+$,';

/**
 * One spelling for all equivalent spellings of escaped text: %HH of a character that needs no escape becomes
 * that character, the others get upper-case digits (RFC 3261 §19.1.4).
 */
function canonicalEscapes(text: string): string {
  if (!text.includes('%')) return text;
  return text.replace(/%([0-9A-Fa-f]{2})/g, (written, digits: string) => {
    const code = Number.parseInt(digits, 16);
    const character = String.fromCharCode(code);
    const plain = code > 0x20 && code < 0x7f && character !== '%' && !RESERVED.includes(character);
    return plain ? character : written.toUpperCase();
  });
}

/**
 * The address-of-record behind a URI, as a key for tables and for comparing identities: scheme, user and host
 * (with a port only where one is written), without password, parameters and headers (RFC 3261 §10.3 step 5).
 */
export function addressOfRecord(uri: SipUri): string {
  const user = uri.user === undefined ? '' : `${canonicalEscapes(uri.user)}@`;
  return `${uri.scheme}:${user}${uri.host}${uri.port === undefined ? '' : `:${uri.port}`}`;
}

/** Parameters that make two URIs differ when only one of them has it. */
const NEVER_ALONE = ['user', 'ttl', 'method', 'maddr', 'transport'];

/** Equivalence of SIP and SIPS URIs (RFC 3261 §19.1.4). Not transitive: no key can replace it. */
export function sameSipUri(a: SipUri, b: SipUri): boolean {
  return (
    a.scheme === b.scheme &&
    sameText(a.user, b.user) &&
    sameText(a.password, b.password) &&
    a.host === b.host &&
    a.port === b.port &&
    sameParameters(a, b) &&
    sameHeaders(a, b)
  );
}

function sameText(a: string | undefined, b: string | undefined): boolean {
  if (a === b) return true;
  return a !== undefined && b !== undefined && canonicalEscapes(a) === canonicalEscapes(b);
}

function sameParameters(a: SipUri, b: SipUri): boolean {
  for (const name of NEVER_ALONE) {
    if (a.parameters.has(name) !== b.parameters.has(name)) return false;
  }
  for (const [name, value] of a.parameters) {
    if (!b.parameters.has(name)) continue;
    if (!sameText(value?.toLowerCase(), b.parameters.get(name)?.toLowerCase())) return false;
  }
  return true;
}

function sameHeaders(a: SipUri, b: SipUri): boolean {
  const key = (uri: SipUri) =>
    (uri.headers ?? [])
      .map(([name, value]) => `${canonicalEscapes(name).toLowerCase()}=${canonicalEscapes(value)}`)
      .sort()
      .join('&');
  return key(a) === key(b);
}
