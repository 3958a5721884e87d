import { parseNameAddress, parseSipUri, type SipRequest } from '#protocols/sip';
import { ASSERTED_SOURCE, parseAssertedSource } from '#protocols/trust-marking';
import type { ParticipantKind } from '../conferences.ts';

/** Who sends a request, as the next hop says. */
export interface Caller {
  /** `user@domain` */
  readonly address: string;
  /** As the caller wrote it; '' without one. */
  readonly displayName: string;
  readonly kind: ParticipantKind;
  readonly outside: boolean;
  /** Tells devices of one address apart. */
  readonly device: string;
}

const LONGEST_DEVICE = 200;

/**
 * The next hop marks whom an edge has let in; what it does not mark is a user of ours inside, whom it has proven itself.
 * Undefined for anybody else: a mark that is not about the From, or a From that is none of ours without one.
 */
export function callerOf(request: SipRequest, domains: ReadonlySet<string>): Caller | undefined {
  const from = parseSipUri(request.from.uri);
  if (!from.ok || from.value.user === undefined || from.value.password !== undefined) return undefined;
  const domain = from.value.host.toLowerCase();
  const address = `${from.value.user}@${domain}`.toLowerCase();
  const who = { address, displayName: request.from.display ?? '', device: deviceOf(request) };
  const field = request.header(ASSERTED_SOURCE);
  if (field === undefined) return domains.has(domain) ? { ...who, kind: 'user', outside: false } : undefined;
  const mark = parseAssertedSource(field);
  if (mark === undefined || mark.address !== address) return undefined;
  switch (mark.source) {
    case 'guest':
      return domains.has(domain) ? undefined : { ...who, kind: 'guest', outside: true };
    case 'remote-user':
      return domains.has(domain) ? { ...who, kind: 'user', outside: true } : undefined;
    case 'federated':
    case 'provider':
      return domains.has(domain) ? undefined : { ...who, kind: 'federated', outside: true };
  }
}

/** RFC 5626 §4.1, else where it wants to be reached. */
function deviceOf(request: SipRequest): string {
  const contact = parseNameAddress(request.values('Contact')[0] ?? '');
  if (!contact.ok) return request.from.tag ?? '';
  return (contact.value.parameters.get('+sip.instance') ?? contact.value.uri).slice(0, LONGEST_DEVICE);
}
