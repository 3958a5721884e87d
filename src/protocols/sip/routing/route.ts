import { err, ok, type Result } from '#kernel';
import type { SipRequest } from '../messages/message.ts';
import type { NameAddress } from '../messages/name-address.ts';
import { formatSipUri, parseSipUri, type SipUri } from '../messages/uri.ts';
import { type ProxyRefusal, refuse } from './validate.ts';

/** What the Route headers of a request say, once those that name this proxy are taken off. */
export interface RoutePlan {
  /** The Request-URI to go on with. */
  readonly uri: string;
  /** Our own Route values, topmost first; their user parts and parameters hold what we put there. */
  readonly own: readonly SipUri[];
  /** The Route values that are left, topmost first. */
  readonly rest: readonly NameAddress[];
  /** True when a strict router had moved our URI into the request line and the target to the end of Route. */
  readonly strict: boolean;
}

/**
 * Route preprocessing (RFC 3261 §16.4). All leading Route values that are ours are taken off, not only the
 * first: a proxy that inserts one for each side meets both (RFC 5658 §4).
 *
 * @param isOurs recognises a URI that this proxy puts into Record-Route or Path
 */
export function preprocessRoutes(
  request: SipRequest,
  isOurs: (uri: SipUri) => boolean,
): Result<RoutePlan, ProxyRefusal> {
  const routes = request.routes();
  if (!routes.ok) return err(refuse(400, 'route'));
  const rest = [...routes.value];
  const own: SipUri[] = [];
  let uri = request.uri;
  const target = request.parsedUri();
  const last = rest.at(-1);
  const strict = last !== undefined && target.ok && isOurs(target.value);
  if (strict) {
    own.push(target.value);
    uri = last.uri;
    rest.pop();
  }
  for (let first = rest[0]; first !== undefined; first = rest[0]) {
    const parsed = parseSipUri(first.uri);
    if (!parsed.ok || !isOurs(parsed.value)) break;
    own.push(parsed.value);
    rest.shift();
  }
  return ok({ uri: withoutOurMaddr(uri, isOurs), own, rest, strict });
}

/** A maddr that names us has done its work: it goes, with port and transport (RFC 3261 §16.4). */
export function withoutOurMaddr(text: string, isOurs: (uri: SipUri) => boolean): string {
  if (!text.toLowerCase().includes(';maddr=')) return text;
  const uri = parseSipUri(text);
  if (!uri.ok) return text;
  const maddr = uri.value.parameters.get('maddr');
  if (maddr === undefined || !isOurs({ ...uri.value, host: maddr.toLowerCase() })) return text;
  const parameters = new Map(uri.value.parameters);
  parameters.delete('maddr');
  parameters.delete('transport');
  return formatSipUri({ ...uri.value, port: undefined, parameters });
}

/** What to write and where to send (RFC 3261 §16.6 steps 6 and 7). */
export interface NextHop {
  /** The Request-URI to write. */
  readonly uri: string;
  /** The Route values to write. */
  readonly routes: readonly NameAddress[];
  /** The URI whose host gets the request. */
  readonly target: string;
}

/** Where the plan leads, with the exchange that a strict router needs (RFC 3261 §16.6 step 6). */
export function nextHop(plan: { readonly uri: string; readonly rest: readonly NameAddress[] }): NextHop {
  const [first, ...others] = plan.rest;
  if (first === undefined) return { uri: plan.uri, routes: [], target: plan.uri };
  if (isLooseRouter(first.uri)) return { uri: plan.uri, routes: plan.rest, target: first.uri };
  const target: NameAddress = { uri: plan.uri, parameters: new Map() };
  return { uri: first.uri, routes: [...others, target], target: first.uri };
}

function isLooseRouter(text: string): boolean {
  const uri = parseSipUri(text);
  return uri.ok && uri.value.parameters.has('lr');
}
