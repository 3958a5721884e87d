import { type NameAddress, parseNameAddress, parseSipUri, type SipRequest } from '#protocols/sip';
import {
  canonicalAddress,
  checkProxiable,
  formsDialog,
  isForUs,
  leadsElsewhere,
  targetPast,
} from '../../policy/common.ts';
import type { Rights } from '../../policy/external-access.ts';
import { type Refusal, refuse } from '../../policy/refusal.ts';
import type { AccessSettings } from '../../settings.ts';
import { BEHIND } from '../../topology-hiding/index.ts';
import { addressee } from './addressee.ts';
import type { FederationReason } from './federation-reasons.ts';
import { domainOfHost } from './identity.ts';
import { refuseFederation } from './refuse.ts';

/** Rights of a user that open the way to and from somebody elsewhere: at a partner, at a public provider. */
export type ExchangeRight = 'federation' | 'publicProviders';

/** What the decision needs to know of the connection that a request came by, and of our keys. */
export interface PartnerKnowledge {
  /** True for a domain that the connection's certificate was found to speak for. */
  speaksFor(domain: string): boolean;
  /** True for a host that the connection may name as itself. */
  isOwnHost(host: string): boolean;
  /** The partner domain that one of our route tokens names; undefined for a token that we did not make. */
  openToken(token: string): string | undefined;
  /** The routes behind ours, when we sealed them. */
  unfold(behind: string): readonly string[] | undefined;
  /** The real target, when `uri` is a hidden one. */
  openTarget(uri: string): string | undefined;
  /** What users of ours need to be reached from there. */
  readonly right: ExchangeRight;
}

export interface PartnerInward {
  readonly kind: 'forward';
  /** `user@domain` of the From, which the connection speaks for. */
  readonly sender: string;
  /** The domain of the sender. */
  readonly domain: string;
  /** Whom of ours it names, by `addressee`; undefined: a device that the partner was shown, and so nobody new. */
  readonly addressed: string | undefined;
  /** The Route entries that the request leaves with. */
  readonly routes: readonly string[];
  /** The Request-URI that it leaves with; undefined: as it came. */
  readonly requestUri: string | undefined;
  readonly recordRoute: boolean;
  /** Whether whoever it is for may have calls with people at public providers. */
  readonly media: boolean;
}

export type PartnerDecision = Refusal | { readonly kind: 'answer' } | PartnerInward;

/** The rule that a user's policy is, by the right that is not there. */
export const NOT_FOR = {
  federation: 'user-not-enabled',
  publicProviders: 'user-not-for-providers',
} as const satisfies Record<ExchangeRight, FederationReason>;

/** The sender of a request as far as it is needed to find out who its partner is. */
export function senderOf(request: SipRequest): { address: string; domain: string } | undefined {
  const address = canonicalAddress(request.from.uri);
  const host = address?.slice(address.lastIndexOf('@') + 1);
  // In another spelling it would be on no list, and could be one that is blocked, or ours.
  if (address === undefined || host === undefined || domainOfHost(host) !== host) return undefined;
  return { address, domain: host };
}

/** What needs no knowledge of the sender: questions to this service itself, and what is never passed on. */
export function decideUnasked(
  request: SipRequest,
  settings: AccessSettings,
): Refusal | { readonly kind: 'answer' } | undefined {
  // RFC 3261 §8.2.1; compression is hop by hop, so this method never goes on.
  if (request.method === 'NEGOTIATE') return refuse(501, 'negotiate');
  if (isForUs(request, settings.externalHosts) && !request.has('Route')) return { kind: 'answer' };
  return isRefusedMethod(request) ? refuseFederation('partner-method') : undefined;
}

/** What becomes of a request from a partner: it goes to the next hop, for a domain of ours, or nowhere. */
export function decidePartnerRequest(
  request: SipRequest,
  known: PartnerKnowledge,
  settings: AccessSettings,
): PartnerDecision {
  const unasked = decideUnasked(request, settings) ?? checkProxiable(request);
  if (unasked !== undefined) return unasked;
  const sender = senderOf(request);
  if (sender === undefined || !known.speaksFor(sender.domain)) return refuseFederation('from-not-verified');
  const claims = checkClaims(request, known);
  if (claims !== undefined) return claims;
  const routed = consumeRoutes(request, sender.domain, known, settings);
  if ('kind' in routed) return routed;
  const opened = known.openTarget(routed.target);
  const target = opened ?? targetPast(routed.target, settings.externalHosts);
  if (opened === undefined && (!isOurs(target, settings) || leadsElsewhere(target)))
    return refuseFederation('no-transit');
  const addressed = opened === undefined ? [target, request.to.uri] : [request.to.uri];
  // Something new for a device, and by its To for nobody of ours: whoever that is has no more rights than who is not listed.
  const anybody = opened !== undefined && request.to.tag === undefined && !isOurs(request.to.uri, settings);
  const may = (right: keyof Rights) =>
    addressed.every((uri) => mayBeReached(uri, right, settings)) &&
    (!anybody || settings.externalAccess.others[right]);
  // Who loses the right in a call may still end it.
  const ends = request.method === 'BYE' && routed.inDialog;
  if (!ends && !may(known.right)) return refuseFederation(NOT_FOR[known.right]);
  return {
    kind: 'forward',
    sender: sender.address,
    domain: sender.domain,
    addressed: opened === undefined ? addressee(target) : undefined,
    routes: routed.behind,
    requestUri: target === request.uri ? undefined : target,
    recordRoute: formsDialog(request),
    media: may('publicProviderMedia'),
  };
}

/** Nobody outside registers, publishes or is provisioned here. */
const REFUSED_METHODS: ReadonlySet<string> = new Set(['REGISTER', 'SERVICE', 'PUBLISH']);
/**
 * Packages by which a server tells a client what it is: its settings and lists, whether it is signed in (RFC 3680), that it is to
 * begin anew. Clients believe a NOTIFY of these that they never subscribed to, so no method with one of them passes.
 */
const PROVISIONING = new RegExp(
  `^(?:${[
    'vnd-microsoft-(?:provisioning|roaming)[^;\\s]*',
    'registration(?:-notify)?',
    'reg(?:\\.winfo)?',
    ...['ua-profile', 'sip-profile', 'check-sync', 'resync', 'reboot', 'service-control', 'action-uri'],
  ].join('|')})(?:[;\\s]|$)`,
  'i',
);

export function isRefusedMethod(request: SipRequest): boolean {
  if (REFUSED_METHODS.has(request.method)) return true;
  return request.has('Event') && request.values('Event').some((event) => PROVISIONING.test(event.trim()));
}

/** What else a partner says of itself: whom it asserts, and which host it sent from. */
function checkClaims(request: SipRequest, known: PartnerKnowledge): Refusal | undefined {
  for (const text of request.values('P-Asserted-Identity')) {
    const asserted = parseNameAddress(text);
    if (!asserted.ok) return refuseFederation('asserted-identity');
    if (/^tel:/i.test(asserted.value.uri)) continue;
    const address = canonicalAddress(asserted.value.uri);
    const domain = address?.slice(address.lastIndexOf('@') + 1);
    if (domain === undefined || !known.speaksFor(domain)) return refuseFederation('asserted-identity');
  }
  if (!known.isOwnHost(request.topVia.host)) return refuseFederation('via-host');
  if (!request.has('Record-Route')) return undefined;
  const routes = request.recordRoutes();
  if (!routes.ok) return refuse(400, 'bad-route');
  const top = routes.value[0] && hostOf(routes.value[0]);
  return top !== undefined && known.isOwnHost(top) ? undefined : refuseFederation('record-route-host');
}

function hostOf(address: NameAddress): string | undefined {
  const uri = parseSipUri(address.uri);
  return uri.ok ? uri.value.host : undefined;
}

interface Routed {
  readonly behind: readonly string[];
  /** A route that we recorded for this partner is among them. */
  readonly inDialog: boolean;
  readonly target: string;
}

/** Routes of ours are consumed, when they are the partner's to use; routes of others are refused. */
function consumeRoutes(
  request: SipRequest,
  domain: string,
  known: PartnerKnowledge,
  settings: AccessSettings,
): Routed | Refusal {
  const parsed = request.routes();
  if (!parsed.ok) return refuse(400, 'bad-route');
  let entries = parsed.value.map((route) => route.uri);
  let target = request.uri;
  if (isStrictlyRouted(request.uri, known, settings)) {
    // RFC 3261 §16.4: our URI stands in the Request-URI and the target behind the routes.
    target = entries.at(-1) ?? target;
    entries = [request.uri, ...entries.slice(0, -1)];
  }
  const behind: string[] = [];
  let inDialog = false;
  for (const entry of entries) {
    const uri = parseSipUri(entry);
    if (!uri.ok) return refuse(400, 'bad-route');
    const { host, user, parameters } = uri.value;
    if (!settings.externalHosts.has(host)) return refuse(403, 'foreign-route');
    if (user !== undefined && known.openToken(user) !== domain) return refuse(403, 'forged-token');
    inDialog ||= user !== undefined;
    const sealed = parameters.get(BEHIND);
    if (sealed === undefined) continue;
    const unfolded = user === undefined ? undefined : known.unfold(sealed);
    if (unfolded === undefined) return refuse(403, 'forged-token');
    behind.push(...unfolded);
  }
  return { behind, inDialog, target };
}

function isStrictlyRouted(uri: string, known: PartnerKnowledge, settings: AccessSettings): boolean {
  const parsed = parseSipUri(uri);
  if (!parsed.ok || !parsed.value.parameters.has('lr') || parsed.value.user === undefined) return false;
  return parsed.value.host === settings.external.host && known.openToken(parsed.value.user) !== undefined;
}

/** Within a dialog the target is a device; then it is the To field that names the user. */
function mayBeReached(uri: string, right: keyof Rights, settings: AccessSettings): boolean {
  const address = addressee(uri);
  if (address === undefined || !isOurs(uri, settings)) return true;
  return settings.externalAccess.rightsOf(address)[right];
}

/** The target of a request that begins something is somebody of ours. */
function isOurs(uri: string, settings: AccessSettings): boolean {
  const parsed = parseSipUri(uri);
  return parsed.ok && settings.sipDomains.has(parsed.value.host);
}
