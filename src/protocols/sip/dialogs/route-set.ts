import { err, ok, type Result } from '#kernel';
import type { SipMessage } from '../messages/message.ts';
import { parseNameAddress } from '../messages/name-address.ts';
import { parseSipUri } from '../messages/uri.ts';

/** One element of a route set. */
export interface Route {
  /** As received, brackets and parameters included. */
  readonly text: string;
  readonly uri: string;
  /** Has `lr`: follows RFC 3261 §16.4 rather than RFC 2543. */
  readonly loose: boolean;
}

/** More proxies than this between two parties are a loop or an attack. */
const LONGEST_ROUTE_SET = 64;

/** The Record-Route values in the order in which they stand in the message. */
export function readRouteSet(message: SipMessage): Result<Route[], 'route'> {
  return readRoutes(message.values('Record-Route'));
}

export function readRoutes(texts: readonly string[]): Result<Route[], 'route'> {
  const routes: Route[] = [];
  for (const text of texts) {
    const address = parseNameAddress(text);
    if (!address.ok) return err('route');
    const uri = parseSipUri(address.value.uri);
    if (!uri.ok || routes.length >= LONGEST_ROUTE_SET) return err('route');
    routes.push({ text, uri: address.value.uri, loose: uri.value.parameters.has('lr') });
  }
  return ok(routes);
}

/** The URI of the first Contact. */
export function readTarget(message: SipMessage): Result<string, 'contact'> {
  const [contact] = message.values('Contact');
  const address = contact === undefined ? undefined : parseNameAddress(contact);
  if (address === undefined || !address.ok) return err('contact');
  return parseSipUri(address.value.uri).ok ? ok(address.value.uri) : err('contact');
}

/** RFC 3261 §12.2.1.1: Request-URI and Route values for a route set. */
export function requestRouting(
  routeSet: readonly Route[],
  remoteTarget: string,
): { readonly uri: string; readonly routes: readonly string[] } {
  const [first, ...rest] = routeSet;
  if (first === undefined) return { uri: remoteTarget, routes: [] };
  if (first.loose) return { uri: remoteTarget, routes: routeSet.map((route) => route.text) };
  // A strict router replaces the Request-URI by the next Route, so the target goes last.
  return { uri: first.uri, routes: [...rest.map((route) => route.text), `<${remoteTarget}>`] };
}
