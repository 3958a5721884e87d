import type { SipFlow } from '#platform/sip-endpoint';
import { parseSipUri, type SipRequest } from '#protocols/sip';
import { ASSERTED_SOURCE, parseAssertedSource, type SenderRights } from '#protocols/trust-marking';
import { parseAor } from './account.ts';
import type { AccessRights } from './external-access.ts';
import { partyOf } from './parties.ts';

type Diagnostics = readonly [string, string];
const publicly = (text: string): Diagnostics => ['ms-diagnostics-public', text];

/** What a user is told who may not write to other organisations ([MS-OCER]). */
export const NOT_FEDERATED = publicly(
  '1002;reason="From URI not authorized to communicate with federated partners"',
);
/** What somebody outside is told, whether the user is not there or is not for outsiders: it is the same answer. */
export const NOT_REACHABLE = publicly(
  '4005;reason="Destination URI either not enabled for SIP or does not exist"',
);

/**
 * Who at another organisation sends this, as `user@domain`: an edge of ours has marked it with the very From, for which
 * the partner's certificate speaks, or a trusted peer says so of a domain that is its own. Undefined for everybody else.
 */
export function outsiderOf(
  request: SipRequest,
  flow: SipFlow,
  peers: ReadonlyMap<string, string>,
): string | undefined {
  const party = partyOf(flow);
  if (party.kind === 'client') return undefined;
  if (party.kind === 'peer') {
    const from = parseAddress(request.from.uri);
    return from !== undefined && peers.get(from.domain) === party.peer ? from.address : undefined;
  }
  const mark = parseAssertedSource(request.header(ASSERTED_SOURCE) ?? '');
  if (mark === undefined || (mark.source !== 'federated' && mark.source !== 'provider')) return undefined;
  return parseAor(request.from.uri)?.aor === mark.address ? mark.address : undefined;
}

/** By whom somebody outside comes: an edge, from a partner or a public provider, or a trusted peer. */
export type By = 'partner' | 'provider' | 'peer';

/** Where behind an edge a request of an outsider, as {@link outsiderOf} found it, has come from. */
export function cameByEdge(request: SipRequest): 'partner' | 'provider' {
  const mark = parseAssertedSource(request.header(ASSERTED_SOURCE) ?? '');
  return mark?.source === 'provider' ? 'provider' : 'partner';
}
/** By whom a request of an outsider, as {@link outsiderOf} found it, has come. */
export function cameBy(request: SipRequest, flow: SipFlow): By {
  return partyOf(flow).kind === 'peer' ? 'peer' : cameByEdge(request);
}

/**
 * Somebody whose messages and calls are for those only who have the sender on their list: whoever the edge says so of, by the
 * verification level that the document gives to the partner, and unverified senders at a public provider in any case.
 */
export function isForContactsOnly(request: SipRequest, flow: SipFlow): boolean {
  if (partyOf(flow).kind !== 'edge') return false;
  const mark = parseAssertedSource(request.header(ASSERTED_SOURCE) ?? '');
  return mark?.contactsOnly === true || (mark?.source === 'provider' && mark.verified !== true);
}

/** Whether a user may exchange anything with outsiders who come so. */
export function mayExchange(rights: AccessRights, by: By): boolean {
  if (by === 'provider') return rights.publicProviders;
  return rights.federation && (by === 'partner' || rights.xmpp);
}
/** Whether a user may exchange anything with somebody whom an edge leads to: at whichever it is, if that is known. */
export function mayLeaveByEdge(rights: AccessRights, by?: 'partner' | 'provider'): boolean {
  if (by !== undefined) return mayExchange(rights, by);
  return mayExchange(rights, 'partner') || mayExchange(rights, 'provider');
}
/**
 * What an edge is to hold a request to that leaves by it; it knows who is at a provider. Whatever belongs to a dialog was
 * allowed when that began, and only what it may become of is told.
 */
export function rightsToTell(rights: AccessRights, inDialog: boolean): SenderRights {
  const publicProviderMedia = rights.publicProviders && rights.publicProviderMedia;
  if (inDialog) return { federation: true, publicProviders: true, publicProviderMedia };
  return { federation: rights.federation, publicProviders: rights.publicProviders, publicProviderMedia };
}

const SPEAKS = /^m=(?:audio|video)\b/im;

/** Whether a request offers, or asks for an offer of, sound or pictures. What others there are no edge lets through. */
export function asksForMedia(request: SipRequest): boolean {
  if (request.method === 'INVITE' && request.body.length === 0) return true;
  if (!/^application\/sdp\b/i.test(request.header('Content-Type') ?? '')) return false;
  return SPEAKS.test(request.body.toString('latin1'));
}

/** A SIP address elsewhere: its user part may be anything, and keeps its case. */
export function parseAddress(uri: string): { readonly address: string; readonly domain: string } | undefined {
  const parsed = parseSipUri(uri);
  if (!parsed.ok || parsed.value.user === undefined || parsed.value.password !== undefined) return undefined;
  const domain = parsed.value.host.toLowerCase();
  return { address: `${parsed.value.user}@${domain}`, domain };
}
