import {
  eventOf,
  nextHop,
  type ProxyRefusalReason,
  parseSipUri,
  preprocessRoutes,
  type RoutePlan,
  type SipRequest,
  type Via,
  validateForProxy,
} from '#protocols/sip';
import { parseAor } from './account.ts';
import { mrasId, parseMrasUri, provisioningEvent } from './provisioning.ts';

/** What routing knows of this front end's surroundings. Hosts are lower case, without port. */
export interface Surroundings {
  /** Names and addresses of this front end. */
  readonly hosts: ReadonlySet<string>;
  readonly domains: ReadonlySet<string>;
  /** Names and internal addresses of edges, each with the edge's name. */
  readonly edges: ReadonlyMap<string, string>;
  /** Domains that trusted peers answer for, each with the peer's key (`peerKey`). */
  readonly peers: ReadonlyMap<string, string>;
  /** Those of them whose addresses are conferences of ours. */
  readonly conferences: ReadonlySet<string>;
}

export const refusalReasons = [
  'uri-scheme',
  'request-uri',
  'too-many-hops',
  'loop',
  'proxy-require',
  'route',
  'foreign-route',
  'foreign-domain',
  'unknown-service',
  /** A trusted peer speaks for a domain that is not its own. */
  'not-of-peer',
  /** The user's external access policy says no. */
  'not-remote',
  'not-federated',
  /** Calls with users of public providers are not allowed to the user. */
  'no-provider-media',
  /** Somebody without an account wants something else than a conference. */
  'guest',
] as const satisfies readonly (ProxyRefusalReason | string)[];
export type RefusalReason = (typeof refusalReasons)[number];

/** Where a request goes. */
export type Destination =
  | { readonly kind: 'registrar' }
  | { readonly kind: 'provisioning' }
  | { readonly kind: 'options' }
  /** The presence agent. */
  | { readonly kind: 'presence' }
  /** The A/V Authentication service of this edge. */
  | { readonly kind: 'relay-credentials'; readonly edge: string }
  /** A user of ours, by address of record. */
  | { readonly kind: 'user'; readonly aor: string }
  /** Somebody at another organisation, by way of an edge. */
  | { readonly kind: 'partner' }
  /** Somebody, or a conference, in a domain of this trusted peer. */
  | { readonly kind: 'peer'; readonly peer: string; readonly conference: boolean }
  /** Into a dialog, on a client's own connection. `tokens` are the flow tokens of our Record-Route entries. */
  | { readonly kind: 'flow'; readonly tokens: readonly string[] }
  /** Into a dialog, through this edge, which the topmost remaining Route names. */
  | { readonly kind: 'edge'; readonly edge: string; readonly tokens: readonly string[] }
  | Refusal;

export interface Refusal {
  readonly kind: 'refused';
  readonly status: number;
  readonly reason: RefusalReason;
  readonly headers: readonly (readonly [string, string])[];
}

export interface Routed {
  readonly destination: Destination;
  /** The request without the routes that were ours. */
  readonly plan: Pick<RoutePlan, 'uri' | 'rest'>;
}

/** `ms-benotify` asks for nothing that a proxy does. */
const SUPPORTED = new Set(['ms-benotify']);

/** RFC 3261 §16.3 and §16.4, then the choice of §16.5. */
export function routeRequest(request: SipRequest, around: Surroundings): Routed {
  const asIs = { uri: request.uri, rest: [] };
  const valid = validateForProxy(request, {
    supported: SUPPORTED,
    isOurVia: (via: Via) => around.hosts.has(via.host),
  });
  if (!valid.ok) return { destination: { kind: 'refused', ...valid.error }, plan: asIs };
  const plan = preprocessRoutes(request, (uri) => around.hosts.has(uri.host) && uri.parameters.has('lr'));
  if (!plan.ok) return { destination: { kind: 'refused', ...plan.error }, plan: asIs };
  const tokens = plan.value.own.flatMap(({ user }) => (user === undefined ? [] : [user]));
  return { destination: choose(request, around, plan.value, tokens), plan: plan.value };
}

function choose(
  request: SipRequest,
  around: Surroundings,
  plan: RoutePlan,
  tokens: readonly string[],
): Destination {
  if (plan.rest.length > 0) {
    const next = parseSipUri(nextHop(plan).target);
    if (!next.ok) return refused(400, 'route');
    const edge = around.edges.get(next.value.host);
    return edge === undefined ? refused(403, 'foreign-route') : { kind: 'edge', edge, tokens };
  }
  return tokens.length > 0 ? { kind: 'flow', tokens } : serve(request, around, plan.uri);
}

/** A request without routes, by its method and Request-URI. */
function serve(request: SipRequest, around: Surroundings, target: string): Destination {
  const parsed = parseSipUri(target);
  if (!parsed.ok) return refused(400, 'request-uri');
  const { user, host } = parsed.value;
  if (request.method === 'SERVICE') {
    const edge = edgeOfMras(target, around);
    return edge === undefined ? refused(404, 'unknown-service') : { kind: 'relay-credentials', edge };
  }
  if (!around.domains.has(host) && !around.hosts.has(host)) {
    const peer = around.peers.get(host);
    if (peer !== undefined && user !== undefined && request.method !== 'REGISTER')
      return { kind: 'peer', peer, conference: around.conferences.has(host) };
    const elsewhere = user !== undefined && request.method !== 'REGISTER' && !around.edges.has(host);
    return elsewhere ? { kind: 'partner' } : refused(403, 'foreign-domain');
  }
  if (request.method === 'REGISTER') return { kind: 'registrar' };
  if (request.method === 'OPTIONS' && user === undefined) return { kind: 'options' };
  if (isProvisioning(request)) return { kind: 'provisioning' };
  if (isAboutPresence(request)) return { kind: 'presence' };
  const aor = user === undefined ? undefined : parseAor(`${user}@${host}`)?.aor;
  return aor === undefined ? refused(404, 'request-uri') : { kind: 'user', aor };
}

function edgeOfMras(target: string, around: Surroundings): string | undefined {
  const mras = parseMrasUri(target);
  if (mras === undefined || !around.domains.has(mras.domain)) return undefined;
  for (const edge of around.edges.values()) if (mrasId(edge) === mras.id) return edge;
  return undefined;
}

/** A user's SUBSCRIBE to the own address for what a client needs to know. */
function isProvisioning(request: SipRequest): boolean {
  return request.method === 'SUBSCRIBE' && request.header('event')?.toLowerCase() === provisioningEvent;
}

/** What the presence agent answers; whatever else may be subscribed to is the business of devices. */
function isAboutPresence(request: SipRequest): boolean {
  if (request.method === 'PUBLISH') return true;
  const name = request.method === 'SUBSCRIBE' ? eventOf(request)?.package : undefined;
  return name === 'presence' || name === 'presence.winfo';
}

function refused(status: number, reason: RefusalReason): Refusal {
  return { kind: 'refused', status, reason, headers: [] };
}
