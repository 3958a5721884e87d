import { parseSipUri, type SipRequest, type SipResponse } from '#protocols/sip';
import { unescaped } from './addressee.ts';
import type { FederationReason } from './federation-reasons.ts';
import { isAllowedContent } from './provider-content.ts';
import type { Provider } from './settings.ts';

/** What people at a public provider and ours may send one another: messages, presence, and calls if allowed. */
const METHODS: ReadonlySet<string> = new Set([
  ...['INVITE', 'ACK', 'CANCEL', 'BYE', 'MESSAGE', 'INFO', 'OPTIONS', 'UPDATE', 'PRACK'],
  ...['SUBSCRIBE', 'NOTIFY', 'BENOTIFY'],
]);
const PRESENCE = /^presence(\.winfo)?$/i;
/** `user(elsewhere.example)@…`: somebody whose own address is of another domain. */
const DECORATED = /^[^()@]+\([a-z0-9-]+(?:\.[a-z0-9-]+)+\)$/i;

/** What of the document the rules for providers need, beside the provider's own entry. */
export interface ProviderRules {
  /** policy.features.publicProviderMedia */
  readonly media: boolean;
  /** Domains all of whose addresses are conferences. */
  readonly conferences: ReadonlySet<string>;
}

/**
 * Why a request may not pass to or from a public provider; undefined when it may. From one to one only: no conferences,
 * no files, no sharing, and no offer of which nobody knows yet what it will be.
 */
export function providerRestriction(
  request: SipRequest,
  provider: Provider,
  rules: ProviderRules,
): FederationReason | undefined {
  if (provider.kind === 'hosting') return undefined;
  const { method } = request;
  if (!METHODS.has(method)) return 'provider-method';
  if (/SUBSCRIBE|NOTIFY/.test(method) && !isPresence(request)) return 'provider-method';
  if (isConference(request, rules)) return 'provider-conference';
  const calls = rules.media && provider.audioVideo;
  // The offer would come in the response.
  if (method === 'INVITE' && request.body.length === 0 && !calls) return 'provider-media';
  return isAllowedContent(request, method, calls) ? undefined : 'provider-media';
}

/**
 * What becomes of a response to or from a public provider: it passes; it passes without its body, when that says nothing
 * that the request needs; or the request is refused for a reason, when an answer to INVITE, which may be an offer, would begin
 * or change a session that may not be.
 */
export function providerAnswer(
  response: SipResponse,
  provider: Provider,
  rules: ProviderRules,
): 'passes' | 'without-body' | FederationReason {
  if (provider.kind === 'hosting') return 'passes';
  const { method } = response.cseq;
  const begins = method === 'INVITE' && response.status < 300;
  if (begins && isFocus(response)) return 'provider-conference';
  if (isAllowedContent(response, method, rules.media && provider.audioVideo)) return 'passes';
  return begins ? 'provider-media' : 'without-body';
}

/** Whether an address at the provider is written as it has to be: under the domain of decorated names, with one. */
export function isWellDecorated(user: string | undefined, domain: string, provider: Provider): boolean {
  if (domain !== provider.decorationDomain || provider.domains.includes(domain)) return true;
  return user !== undefined && DECORATED.test(user);
}

function isPresence(request: SipRequest): boolean {
  return PRESENCE.test((request.header('Event') ?? '').split(';')[0]?.trim() ?? '');
}

function isConference(request: SipRequest, { conferences }: ProviderRules): boolean {
  if ([request.uri, request.to.uri, request.from.uri].some((uri) => leadsToConference(uri, conferences)))
    return true;
  if (isFocus(request)) return true;
  return request.values('Require').some((option) => option.toLowerCase() === 'ms-conf-invite');
}

function leadsToConference(uri: string, conferences: ReadonlySet<string>): boolean {
  const parsed = parseSipUri(uri);
  if (!parsed.ok) return false;
  const { host, parameters } = parsed.value;
  return conferences.has(host) || /^app:conf/i.test(unescaped(parameters.get('opaque') ?? ''));
}

/** RFC 4579 §5.1: this side of the dialog is a conference. */
function isFocus(message: SipRequest | SipResponse): boolean {
  return message.values('Contact').some((contact) => /;\s*isfocus\b/i.test(contact));
}
