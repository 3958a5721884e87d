import type { SipRequest } from '#protocols/sip';
import type { FederationReason } from './federation-reasons.ts';
import type { Provider } from './settings.ts';

/** What people at a public provider and ours may send one another: messages, presence, and calls if allowed. */
const METHODS: ReadonlySet<string> = new Set([
  ...['INVITE', 'ACK', 'CANCEL', 'BYE', 'MESSAGE', 'INFO', 'OPTIONS', 'UPDATE', 'PRACK'],
  ...['SUBSCRIBE', 'NOTIFY', 'BENOTIFY'],
]);
const PRESENCE = /^presence(\.winfo)?$/i;
const MESSAGES: ReadonlySet<string> = new Set(['message']);
const CALLS: ReadonlySet<string> = new Set(['message', 'audio', 'video']);
/** `user(elsewhere.example)@…`: somebody whose own address is of another domain. */
const DECORATED = /^[^()@]+\([a-z0-9-]+(?:\.[a-z0-9-]+)+\)$/i;

/**
 * Why a request may not pass to or from a public provider; undefined when it may. From one to one only: no conferences,
 * no files, no sharing, and no offer of which nobody knows yet what it will be.
 *
 * @param media whether the document allows calls with public providers at all
 */
export function providerRestriction(
  request: SipRequest,
  provider: Provider,
  media: boolean,
): FederationReason | undefined {
  if (provider.kind === 'hosting') return undefined;
  if (!METHODS.has(request.method)) return 'provider-method';
  if (/SUBSCRIBE|NOTIFY/.test(request.method) && !isPresence(request)) return 'provider-method';
  if (isConference(request)) return 'provider-conference';
  const calls = media && provider.audioVideo;
  if (request.method === 'INVITE' && request.body.length === 0) return calls ? undefined : 'provider-media';
  return hasOnly(request, calls ? CALLS : MESSAGES) ? undefined : 'provider-media';
}

/** Whether an address at the provider is written as it has to be: under the domain of decorated names, with one. */
export function isWellDecorated(user: string | undefined, domain: string, provider: Provider): boolean {
  if (domain !== provider.decorationDomain || provider.domains.includes(domain)) return true;
  return user !== undefined && DECORATED.test(user);
}

function isPresence(request: SipRequest): boolean {
  return PRESENCE.test((request.header('Event') ?? '').split(';')[0]?.trim() ?? '');
}

function isConference(request: SipRequest): boolean {
  if (/;\s*opaque=app:conf/i.test(request.uri)) return true;
  if (request.values('Contact').some((contact) => /;\s*isfocus\b/i.test(contact))) return true;
  return request.values('Require').some((option) => option.toLowerCase() === 'ms-conf-invite');
}

/** Every media line of a session description is of these kinds; what cannot be looked into is none of them. */
function hasOnly(request: SipRequest, kinds: ReadonlySet<string>): boolean {
  if (request.body.length === 0) return true;
  const type = (request.header('Content-Type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (type.startsWith('multipart/')) return false;
  if (type !== 'application/sdp') return true;
  const media = [...request.body.toString('latin1').matchAll(/^m=([^\s]*)/gm)].map(([, kind = '']) => kind);
  return media.every((kind) => kinds.has(kind.toLowerCase()));
}
