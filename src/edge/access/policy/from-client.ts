import { RecentMap } from '#kernel';
import { headerId, parseNameAddress, parseSipUri, type SipRequest } from '#protocols/sip';
import type { AccessSettings } from '../settings.ts';
import { BEHIND } from '../topology-hiding/index.ts';
import { checkProxiable, formsDialog, isForUs, leadsElsewhere, senderOf, targetPast } from './common.ts';
import { type Refusal, refuse } from './refusal.ts';

/** What the decision needs to know of the connection and of our keys. */
export interface ClientKnowledge {
  /** True for an address that the next hop accepted on this connection. */
  accepts(address: string): boolean;
  /** Somebody is signed in on it. */
  readonly signedIn: boolean;
  /** True for a flow token that we made, of whichever connection. */
  isOurToken(token: string): boolean;
  /** The routes behind ours, when we sealed them. */
  unfold(behind: string): readonly string[] | undefined;
  /** The real target, when `uri` is a hidden one. */
  openTarget(uri: string): string | undefined;
}

export interface ForwardInward {
  readonly kind: 'forward';
  /** The Route entries that the request leaves with. */
  readonly routes: readonly string[];
  /** The Request-URI that it leaves with; undefined: as it came. */
  readonly requestUri: string | undefined;
  /** The address of its From, if it was accepted on this connection: the request is marked with it. */
  readonly asserted: string | undefined;
  /** The sender has no account, and is marked as a guest. */
  readonly guest?: boolean;
  /** A sign-in that must come to nothing, and look like any other until the password was right. */
  readonly inVain?: boolean;
  /** Its credentials are not passed on: they could be guesses whose outcome nobody hears. */
  readonly unproven?: boolean;
  /**
   * Within a dialog of somebody who is signed in, the From is an address that we hid: the one that the inside called by. It is
   * nobody's proof, so the request is not marked.
   */
  readonly hiddenSender?: boolean;
  readonly recordRoute: boolean;
  /** `outbound` when the edge is the first hop of an RFC 5626 registration. */
  readonly path: 'none' | 'flow' | 'outbound';
}

export type ClientDecision = Refusal | { readonly kind: 'answer' } | ForwardInward;

/**
 * What becomes of a request from a client. Wherever its Request-URI and its routes point, it goes to the next hop or
 * nowhere; routes of ours are consumed, routes of others are refused.
 */
export function decideClientRequest(
  request: SipRequest,
  known: ClientKnowledge,
  settings: AccessSettings,
): ClientDecision {
  // RFC 3261 §8.2.1; compression is hop by hop, so this method never goes on.
  if (request.method === 'NEGOTIATE') return refuse(501, 'negotiate');
  if (isForUs(request, settings.externalHosts) && !request.has('Route')) return { kind: 'answer' };
  const problem = checkProxiable(request);
  if (problem !== undefined) return problem;
  const routed = consumeRoutes(request, known, settings);
  if ('kind' in routed) return routed;
  const recordRoute = formsDialog(request);
  if (recordRoute && request.has(RECORD_ROUTE) && !request.recordRoutes().ok) return refuse(400, 'bad-route');
  const target = known.openTarget(routed.target) ?? targetPast(routed.target, settings.externalHosts);
  const requestUri = target === request.uri ? undefined : target;
  const registers = request.method === 'REGISTER';
  if (registers && request.has(PATH) && !request.values(PATH).every(isRoute)) return refuse(400, 'bad-route');
  if (registers && !isForRegistrar(target, settings)) return refuse(403, 'register-target');
  // What we hid is an address of the inside, or one that somebody chose: nobody signs in as that.
  const hidden = known.openTarget(request.from.uri) !== undefined;
  if (hidden && (registers || request.to.tag === undefined || !known.signedIn))
    return refuse(403, 'hidden-sender');
  if (registers && known.openTarget(request.to.uri) !== undefined) return refuse(403, 'hidden-sender');
  const address = senderOf(request);
  return {
    kind: 'forward',
    // A domain is all that a registrar is found by: by the routes of a dialog a REGISTER would come to whoever is behind it.
    routes: registers ? NO_ROUTES : routed.behind,
    requestUri,
    ...(hidden ? { hiddenSender: true } : {}),
    asserted: address !== undefined && known.accepts(address) ? address : undefined,
    recordRoute,
    path: registers ? pathOf(request) : 'none',
  };
}

/**
 * RFC 3261 §10.2: a REGISTER is addressed to a domain, and to nobody there. A next hop that passes any other on like a call
 * would let who is called, perhaps the sender's own device, accept it in the registrar's place.
 */
function isForRegistrar(target: string, settings: AccessSettings): boolean {
  const uri = parseSipUri(target);
  if (leadsElsewhere(target)) return false;
  return uri.ok && uri.value.user === undefined && settings.externalHosts.has(uri.value.host);
}

interface Routed {
  readonly behind: readonly string[];
  readonly target: string;
}

function consumeRoutes(
  request: SipRequest,
  known: ClientKnowledge,
  settings: AccessSettings,
): Routed | Refusal {
  if (!request.has('Route')) return { behind: NO_ROUTES, target: request.uri };
  const parsed = request.routes();
  if (!parsed.ok) return refuse(400, 'bad-route');
  let entries = parsed.value.map((route) => route.uri);
  let target = request.uri;
  if (isStrictlyRouted(request, known, settings)) {
    // RFC 3261 §16.4: our URI stands in the Request-URI and the target behind the routes.
    target = entries.at(-1) ?? target;
    entries = [request.uri, ...entries.slice(0, -1)];
  }
  let behind: readonly string[] = NO_ROUTES;
  for (const entry of entries) {
    const hop = hopOf(entry);
    if (hop === undefined) return refuse(400, 'bad-route');
    if (!settings.externalHosts.has(hop.host)) return refuse(403, 'foreign-route');
    if (hop.token !== undefined && !known.isOurToken(hop.token)) return refuse(403, 'forged-token');
    if (hop.behind === undefined) continue;
    const unfolded = known.unfold(hop.behind);
    if (unfolded === undefined) return refuse(403, 'forged-token');
    behind = behind.length === 0 ? unfolded : [...behind, ...unfolded];
  }
  return { behind, target };
}

function isStrictlyRouted(request: SipRequest, known: ClientKnowledge, settings: AccessSettings): boolean {
  const parsed = request.parsedUri();
  if (!parsed.ok || !parsed.value.parameters.has('lr') || parsed.value.user === undefined) return false;
  return parsed.value.host === settings.external.host && known.isOurToken(parsed.value.user);
}

const RECORD_ROUTE = headerId('Record-Route');
const PATH = headerId('Path');
/** Unlike a Contact, a route has no form without angle brackets (RFC 3261 §25.1, RFC 3327 §4). */
function isRoute(text: string): boolean {
  return text.includes('<') && parseNameAddress(text).ok;
}
const NO_ROUTES: readonly string[] = [];

/** What a Route entry says; whether it is ours, and still good, is asked each time. */
interface Hop {
  readonly host: string;
  readonly token: string | undefined;
  /** Sealed routes. */
  readonly behind: string | undefined;
}

/** Undefined for what is no SIP URI. The requests of a dialog come with the same routes again and again. */
function hopOf(entry: string): Hop | undefined {
  const known = hops.get(entry);
  if (known !== undefined) return known;
  const uri = parseSipUri(entry);
  if (!uri.ok) return undefined;
  const { host, user, parameters } = uri.value;
  const hop = { host, token: user, behind: parameters.get(BEHIND) };
  if (entry.length <= LONGEST_REMEMBERED) hops.set(entry, hop);
  return hop;
}
/** Entries of one generation, and the longest URI that is worth one: together some megabytes. */
const REMEMBERED = 2048;
const LONGEST_REMEMBERED = 512;
const hops = new RecentMap<string, Hop>(REMEMBERED);

/** RFC 5626 §5.1: the first hop promises outbound support to a client that registers a flow. */
function pathOf(request: SipRequest): 'flow' | 'outbound' {
  const firstHop = request.vias().length === 1;
  const flow = request.values('Contact').some((contact) => /;\s*reg-id\s*=/i.test(contact));
  return firstHop && flow ? 'outbound' : 'flow';
}
