import { parseNameAddress, type SipMessage, type SipRequest, type SipResponse } from '#protocols/sip';

/** When nobody says how long (RFC 3261 §10.2.1.1 leaves it to the registrar). */
const DEFAULT_SECONDS = 3600;
/** No sign-in is believed for longer than this without being repeated. */
const LONGEST_SECONDS = 86_400;

/**
 * For how long a 2xx to this REGISTER proves its address: 0 when it took every binding away, undefined when it
 * only asked for the bindings (RFC 3261 §10.2.3).
 */
export function provenSeconds(request: SipRequest, response: SipResponse): number | undefined {
  const asked = request.values('Contact');
  if (asked.length === 0) return undefined;
  const fallback = seconds(request.header('Expires'));
  if (asked.every((contact) => contact === '*' || (expiresOf(contact) ?? fallback) === 0)) return 0;
  return Math.min(grantedSeconds(response) ?? fallback ?? DEFAULT_SECONDS, LONGEST_SECONDS);
}

function grantedSeconds(response: SipMessage): number | undefined {
  let longest = seconds(response.header('Expires'));
  for (const contact of response.values('Contact')) {
    const granted = expiresOf(contact);
    if (granted !== undefined && granted > (longest ?? 0)) longest = granted;
  }
  return longest;
}

function expiresOf(contact: string): number | undefined {
  const address = parseNameAddress(contact);
  return address.ok ? seconds(address.value.parameters.get('expires')) : undefined;
}

function seconds(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}
