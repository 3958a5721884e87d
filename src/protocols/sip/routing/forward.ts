import { MessageEdit } from '../messages/edit.ts';
import type { SipRequest } from '../messages/message.ts';
import { formatNameAddress } from '../messages/name-address.ts';
import { formatVia } from '../messages/via.ts';
import { type Source, viaWithSource } from '../messages/via-source.ts';
import { maxBreadth } from './max-breadth.ts';
import type { NextHop } from './route.ts';

export interface ForwardOptions {
  readonly hop: NextHop;
  /** Our own Via, complete with its branch ({@link formatVia} writes one). */
  readonly via: string;
  /** Where the request came from. */
  readonly source: Source;
  /** Record-Route values for dialogs to come back through us; the last one will stand on top. */
  readonly recordRoutes?: readonly string[] | undefined;
  /** Path values of a REGISTER (RFC 3327 §5.2); the last one will stand on top. */
  readonly paths?: readonly string[] | undefined;
  /** Max-Breadth to write, where the request is forked; default: what it came with. */
  readonly breadth?: number | undefined;
}

/** Max-Forwards of a request that came without one (RFC 3261 §16.6 step 3). */
const FIRST_HOPS = 70;

/**
 * The copy of a request that a proxy sends on (RFC 3261 §16.6 steps 1 to 8). Further changes can be made on
 * the edit that is returned; everything else leaves octet for octet as it came.
 */
export function forwardRequest(request: SipRequest, options: ForwardOptions): MessageEdit {
  const edit = new MessageEdit(request);
  const { hop } = options;
  if (hop.uri !== request.uri) edit.requestUri(hop.uri);
  const hops = request.maxForwards;
  edit.replace('Max-Forwards', String(hops === undefined ? FIRST_HOPS : Math.max(hops - 1, 0)));
  edit.replace('Max-Breadth', String(options.breadth ?? maxBreadth(request)));
  writeRoutes(edit, request, hop);
  for (const value of options.recordRoutes ?? []) edit.prepend('Record-Route', value);
  for (const value of options.paths ?? []) edit.prepend('Path', value);
  const previous = viaWithSource(request.topVia, options.source);
  if (previous !== undefined) edit.removeFirst('Via').prepend('Via', formatVia(previous));
  return edit.prepend('Via', options.via);
}

/**
 * Takes off what is no longer there; only a strict router's rearrangement needs the values written afresh.
 */
function writeRoutes(edit: MessageEdit, request: SipRequest, hop: NextHop): void {
  const before = request.routes();
  if (!before.ok) return;
  const removed = before.value.length - hop.routes.length;
  if (removed >= 0 && hop.routes.every((route, i) => route.uri === before.value[removed + i]?.uri)) {
    for (let i = 0; i < removed; i++) edit.removeFirst('Route');
    return;
  }
  edit.remove('Route');
  for (const route of hop.routes) edit.append('Route', formatNameAddress(route));
}
