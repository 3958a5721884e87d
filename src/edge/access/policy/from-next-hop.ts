import type { SipRequest } from '#protocols/sip';
import { nextHop, parseSipUri, type SipUri } from '#protocols/sip';
import type { AccessSettings } from '../settings.ts';
import { BEHIND } from '../topology-hiding/index.ts';
import { checkProxiable, formsDialog, isForUs } from './common.ts';
import { type Refusal, refuse } from './refusal.ts';

export interface DeliverOutward {
  readonly kind: 'deliver';
  /** Names the connection; not yet checked. */
  readonly token: string;
  /** The Route entries behind ours, which only the client's own side can have recorded. */
  readonly routes: readonly string[];
  /** The Request-URI that it leaves with; undefined: as it came. */
  readonly requestUri: string | undefined;
  readonly recordRoute: boolean;
}

export type NextHopDecision = Refusal | { readonly kind: 'answer' } | DeliverOutward;

/**
 * What becomes of a request from the next hop: it goes to the connection that our topmost Route entry names, and
 * nowhere else.
 */
export function decideNextHopRequest(request: SipRequest, settings: AccessSettings): NextHopDecision {
  if (request.method === 'NEGOTIATE') return refuse(501, 'negotiate');
  // A client's 200 would pass for a registrar's, and prove an address to whoever sent it.
  if (request.method === 'REGISTER') return refuse(403, 'register-target');
  const routes = request.has('Route') ? request.routes() : undefined;
  if (routes === undefined) {
    if (isForUs(request, settings.internalHosts)) return { kind: 'answer' };
    return refuse(404, 'no-flow');
  }
  if (!routes.ok) return refuse(400, 'bad-route');
  const problem = checkProxiable(request);
  if (problem !== undefined) return problem;
  const entries = routes.value.map((route) => route.uri);
  const strict = ownToken(request.uri, settings);
  if (strict !== undefined) return fromStrictRouter(request, strict, entries, settings);
  const token = entries[0] === undefined ? undefined : ownToken(entries[0], settings);
  if (token === undefined) return refuse(404, 'no-flow');
  return deliver(request, token, request.uri, behindOurs(token, entries.slice(1), settings));
}

/** Where the first route left is of a strict router, target and route change places (RFC 3261 §16.6 step 6). */
function deliver(
  request: SipRequest,
  token: string,
  target: string,
  rest: readonly string[],
): DeliverOutward {
  const { uri, routes } = rest.length === 0 ? { uri: target, routes: NO_ROUTES } : past(target, rest);
  const requestUri = uri === request.uri ? undefined : uri;
  return { kind: 'deliver', token, routes, requestUri, recordRoute: formsDialog(request) };
}
function past(uri: string, rest: readonly string[]): { uri: string; routes: readonly string[] } {
  const hop = nextHop({ uri, rest: rest.map((route) => ({ uri: route, parameters: new Map() })) });
  return { uri: hop.uri, routes: hop.routes.map((route) => bracketed(route.uri)) };
}

/** RFC 3261 §16.4: a strict router put our URI into the Request-URI and the target behind the routes. */
function fromStrictRouter(
  request: SipRequest,
  token: string,
  entries: readonly string[],
  settings: AccessSettings,
): NextHopDecision {
  const target = entries.at(-1);
  if (target === undefined) return refuse(404, 'no-flow');
  return deliver(request, token, target, behindOurs(token, entries.slice(0, -1), settings));
}

/**
 * Drops what we recorded of a dialog from behind the entry that was read: the other one of the two, for the other interface
 * (RFC 5658). Further ones of ours are of a client that passed the call on to us again: it is to send it the same way.
 */
function behindOurs(
  token: string,
  [next, ...others]: readonly string[],
  settings: AccessSettings,
): readonly string[] {
  if (next === undefined) return NO_ROUTES;
  const parsed = parseSipUri(next);
  const ours = parsed.ok && isOurs(parsed.value, settings) && parsed.value.user === token;
  return ours && !parsed.value.parameters.has(BEHIND) ? others : [next, ...others];
}
const NO_ROUTES: readonly string[] = [];

/** The user part of a URI at one of our two interfaces. */
function ownToken(uri: string, settings: AccessSettings): string | undefined {
  const parsed = parseSipUri(uri);
  return parsed.ok && isOurs(parsed.value, settings) ? parsed.value.user : undefined;
}
function isOurs({ host, parameters }: SipUri, settings: AccessSettings): boolean {
  return parameters.has('lr') && (settings.internalHosts.has(host) || host === settings.external.host);
}

function bracketed(uri: string): string {
  return `<${uri}>`;
}
