import {
  parseNameAddress,
  parseSipUri,
  type SipMessage,
  type SipRequest,
  type SipResponse,
  sameSipUri,
} from '#protocols/sip';

/** When nobody says how long (RFC 3261 §10.2.1.1 leaves it to the registrar). */
const DEFAULT_SECONDS = 3600;
/** No sign-in is believed for longer than this without being repeated. */
const LONGEST_SECONDS = 86_400;
/** Bindings of one address over one connection that are known. */
const MOST_BINDINGS = 8;
/** Of the Contacts of a response so many are read; far more than one person has devices. */
const MOST_LISTED = 128;

/** What a 2xx to a REGISTER proves of its address. */
export interface Registration {
  /** For how long it is to be believed; 0 when nothing of this connection is bound any more. */
  readonly seconds: number;
  /** URIs of the bindings that came over this connection and are there, the newest last. */
  readonly contacts: readonly string[];
}

/**
 * What this connection has registered, after `response`; undefined when it only asked for the bindings (RFC 3261 §10.2.3).
 * Who takes a binding of before away keeps the one that is used (RFC 3261 §10.2.2), as long as the registrar lists it.
 * @param before URIs that this connection had bound for the address
 */
export function registrationOf(
  request: SipRequest,
  response: SipResponse,
  before: readonly string[] = [],
): Registration | undefined {
  const asked = request.values('Contact');
  if (asked.length === 0) return undefined;
  const fallback = seconds(request.header('Expires'));
  const wanted = asked
    .filter((contact) => contact !== '*')
    .map(bindingOf)
    .filter(({ expires }) => (expires ?? fallback) !== 0);
  const listed = response.values('Contact').slice(0, MOST_LISTED).map(bindingOf);
  const there = listed.filter(({ expires }) => expires !== 0);
  const kept = asked.includes('*') ? [] : before.filter((uri) => there.some((one) => isSame(uri, one.uri)));
  const fresh = wanted.map(({ uri }) => uri).filter((uri) => uri !== undefined);
  if (wanted.length === 0 && kept.length === 0) return { seconds: 0, contacts: [] };
  const contacts = [...kept.filter((uri) => !fresh.includes(uri)), ...fresh].slice(-MOST_BINDINGS);
  const own = listed.filter((one) => contacts.some((uri) => isSame(uri, one.uri)));
  // A registrar may write a Contact in its own way: then the longest of all counts.
  const granted = grantedSeconds(own.length > 0 ? own : listed, response) ?? fallback ?? DEFAULT_SECONDS;
  return { seconds: Math.min(granted, LONGEST_SECONDS), contacts };
}

interface Binding {
  readonly uri: string | undefined;
  readonly expires: number | undefined;
}

function grantedSeconds(bindings: readonly Binding[], response: SipMessage): number | undefined {
  let longest = seconds(response.header('Expires'));
  for (const { expires } of bindings) {
    if (expires !== undefined && expires > (longest ?? 0)) longest = expires;
  }
  return longest;
}

function bindingOf(contact: string): Binding {
  const address = parseNameAddress(contact);
  if (!address.ok) return { uri: undefined, expires: undefined };
  return { uri: address.value.uri, expires: seconds(address.value.parameters.get('expires')) };
}

function isSame(one: string, other: string | undefined): boolean {
  if (other === undefined || one === other) return other !== undefined;
  const [left, right] = [parseSipUri(one), parseSipUri(other)];
  return left.ok && right.ok && sameSipUri(left.value, right.value);
}

function seconds(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}
