import {
  headerId,
  type MessageEdit,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from '#protocols/sip';
import { formsDialog } from '../policy/common.ts';
import { replaceWith } from './lists.ts';
import { externalUri, internalUri, type Scene } from './scene.ts';

/*
 * Route sets of dialogs. Whoever is outside may be a proxy with devices behind it, as a private branch exchange or a partner's
 * edge, and record routes, among them ours where it sends back what it was sent (RFC 3261 §16.6 step 4). Whatever they say, they lead nowhere but
 * back to it: in the set of whoever is inside they stand behind ours, the flow token in ours says where a request goes, and
 * what stands behind ours is only handed over there. What then comes back to us as Route is judged as any Route is.
 */

export const RECORD_ROUTE = headerId('Record-Route');
const PATH = headerId('Path');
/** Entries of the outside's own side that are kept in one response; far above what anybody has. */
const MOST_ROUTES = 32;
/** Of a dialog we record two, one for each interface (RFC 5658). */
const OWN_ROUTES = 2;

/** Ours in a request on its way inward, the one nearer to the next hop first. @param shown of the internal one */
export function ownRoutes(token: string, { settings }: Scene, shown = ''): [string, string] {
  return [`<${internalUri(settings, token, shown)}>`, `<${externalUri(settings, token)}>`];
}

/** What a request from outside came with, as far as it goes on. */
export function routesOf(request: SipRequest): readonly string[] {
  return formsDialog(request) && request.has(RECORD_ROUTE) ? request.values(RECORD_ROUTE) : [];
}

/** By which way a REGISTER came, likewise (RFC 3327 §5.2): what comes for a device goes by the same proxies. */
export function pathOf(request: SipRequest): readonly string[] {
  return request.has(PATH) ? request.values(PATH) : [];
}

/**
 * What stands above ours in a response from outside: recorded behind us, nearest last. Whoever was before us is not shown
 * outside, so ours was the lowest; above it may be others of ours, by which the same request went back inward.
 */
export function routesAboveOurs(response: SipMessage, token: string): readonly string[] {
  const own = isOwn(token);
  const values = response.values(RECORD_ROUTE);
  return values.slice(0, Math.min(Math.max(values.findLastIndex(own), 0), MOST_ROUTES));
}

/**
 * The route set in a response to somebody outside: what the inside recorded goes behind ours, and what stands below ours is
 * what the request came with.
 */
export function foldRecordRoute(
  edit: MessageEdit,
  response: SipResponse,
  { request, token }: { readonly request: SipRequest; readonly token: string },
  scene: Scene,
): void {
  const theirs = routesOf(request);
  const inside = insideOf(response.values(RECORD_ROUTE), theirs, isOwn(token));
  const ours = `<${externalUri(scene.settings, token, scene.hiding.foldRoutes(inside.reverse()))}>`;
  replaceWith(edit, 'Record-Route', [ours, ...theirs]);
}

/** Counted from below: two people may be behind one connection, and then it stands above ours once more. */
function insideOf(values: string[], theirs: readonly string[], own: (value: string) => boolean): string[] {
  const at = values.length - theirs.length - OWN_ROUTES;
  const ours = values.slice(Math.max(at, 0), at + OWN_ROUTES);
  if (ours.length === OWN_ROUTES && ours.every(own)) return values.slice(0, at);
  // Within a dialog nobody of us is recorded, and some servers of the inside write the set anew.
  return values.filter((value) => !own(value) && !theirs.includes(value));
}

function isOwn(token: string): (value: string) => boolean {
  return (value) => value.includes(`:${token}@`);
}
