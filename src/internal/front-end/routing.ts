import { parseSipUri, type SipRequest } from '#protocols/sip';
import { parseAor } from './account.ts';
import { edgeOfMrasUri, provisioningEvent } from './provisioning.ts';

/** What routing knows of this front end's surroundings. Hosts are lower case, without port. */
export interface Surroundings {
  /** Names and addresses of this front end. */
  readonly hosts: ReadonlySet<string>;
  readonly domains: ReadonlySet<string>;
  /** Names and internal addresses of edges, each with the edge's name. */
  readonly edges: ReadonlyMap<string, string>;
}

/** Where a request goes. */
export type Destination =
  | { readonly kind: 'registrar' }
  | { readonly kind: 'provisioning' }
  | { readonly kind: 'options' }
  /** The A/V Authentication service of this edge. */
  | { readonly kind: 'relay-credentials'; readonly edge: string }
  /** A user of ours, by address of record. */
  | { readonly kind: 'user'; readonly aor: string }
  /** Into a dialog, on a client's own connection. `tokens` are the flow tokens of our Record-Route entries. */
  | { readonly kind: 'flow'; readonly tokens: readonly string[] }
  /** Into a dialog, through this edge, which the topmost remaining Route names. */
  | { readonly kind: 'edge'; readonly edge: string; readonly tokens: readonly string[] }
  | { readonly kind: 'refused'; readonly status: number; readonly reason: RefusalReason };

export const refusalReasons = [
  'bad-uri',
  'bad-route',
  'foreign-route',
  'foreign-domain',
  'max-forwards',
  'proxy-require',
  'unknown-service',
] as const;
export type RefusalReason = (typeof refusalReasons)[number];

export interface Routed {
  readonly destination: Destination;
  /** How many of the topmost Route entries are ours and go. */
  readonly ownRoutes: number;
}

/** RFC 3261 §16.3 and §16.4, then the choice of §16.5. */
export function routeRequest(request: SipRequest, around: Surroundings): Routed {
  const refused = (status: number, reason: RefusalReason): Routed => ({
    destination: { kind: 'refused', status, reason },
    ownRoutes: 0,
  });
  const uri = request.parsedUri();
  if (!uri.ok) return refused(uri.error === 'unsupported-scheme' ? 416 : 400, 'bad-uri');
  if (request.maxForwards === 0 && request.method !== 'OPTIONS') return refused(483, 'max-forwards');
  if (unsupported(request).length > 0) return refused(420, 'proxy-require');
  const routes = request.routes();
  if (!routes.ok) return refused(400, 'bad-route');
  const hops = routes.value.map((route) => parseSipUri(route.uri));
  const tokens: string[] = [];
  let own = 0;
  for (const hop of hops) {
    if (!hop.ok) return refused(400, 'bad-route');
    if (!around.hosts.has(hop.value.host)) break;
    if (hop.value.user !== undefined) tokens.push(hop.value.user);
    own += 1;
  }
  const next = hops[own];
  if (next?.ok) {
    const edge = around.edges.get(next.value.host);
    if (edge === undefined) return refused(403, 'foreign-route');
    return { destination: { kind: 'edge', edge, tokens }, ownRoutes: own };
  }
  if (tokens.length > 0) return { destination: { kind: 'flow', tokens }, ownRoutes: own };
  return { destination: serve(request, around), ownRoutes: own };
}

/** Option tags of Proxy-Require that we do not know; `ms-benotify` asks for nothing that a proxy does. */
export function unsupported(request: SipRequest): string[] {
  return request.values('proxy-require').filter((tag) => tag.toLowerCase() !== 'ms-benotify');
}

/** A request without routes, by its method and Request-URI. */
function serve(request: SipRequest, around: Surroundings): Destination {
  const refused = (status: number, reason: RefusalReason): Destination => ({
    kind: 'refused',
    status,
    reason,
  });
  const parsed = request.parsedUri();
  if (!parsed.ok) return refused(400, 'bad-uri');
  const { user, host } = parsed.value;
  if (request.method === 'SERVICE') {
    const mras = edgeOfMrasUri(request.uri);
    const known = mras !== undefined && around.domains.has(mras.domain) && around.edges.has(mras.edge);
    return known ? { kind: 'relay-credentials', edge: mras.edge } : refused(404, 'unknown-service');
  }
  const here = around.domains.has(host) || around.hosts.has(host);
  if (!here) return refused(403, 'foreign-domain');
  if (request.method === 'REGISTER') return { kind: 'registrar' };
  if (request.method === 'OPTIONS' && user === undefined) return { kind: 'options' };
  if (isProvisioning(request)) return { kind: 'provisioning' };
  const aor = user === undefined ? undefined : parseAor(`${user}@${host}`)?.aor;
  return aor === undefined ? refused(404, 'bad-uri') : { kind: 'user', aor };
}

/** A user's SUBSCRIBE to the own address for what a client needs to know. */
function isProvisioning(request: SipRequest): boolean {
  return request.method === 'SUBSCRIBE' && request.header('event')?.toLowerCase() === provisioningEvent;
}
