import { formatVia, MessageEdit, type SipRequest, viaWithSource } from '#protocols/sip';
import { ASSERTED_SOURCE } from '#protocols/trust-marking';

/** How this front end names itself to others. */
export interface OwnUri {
  /** Name or address, with brackets where IPv6 needs them. */
  readonly host: string;
  readonly port: number;
}

export interface Forwarding {
  readonly branch: string;
  /** Where the request came from, for `received` and `rport` on its Via (RFC 3261 §18.2.1, RFC 3581 §4). */
  readonly source: { readonly address: string; readonly port: number };
  /** How many Route entries of ours are on top. */
  readonly ownRoutes: number;
  /** The new Request-URI, when it changes. */
  readonly requestUri?: string;
  /** Route entries to put on top, in order (a binding's Path). */
  readonly routes?: readonly string[];
  /** Flow tokens for Record-Route, the caller's first. */
  readonly recordRoute?: readonly string[];
}

const DEFAULT_MAX_FORWARDS = 70;

/** The request as it leaves (RFC 3261 §16.6, steps 1 to 8). */
export function forwardedRequest(request: SipRequest, own: OwnUri, forwarding: Forwarding): Buffer {
  const edit = new MessageEdit(request);
  if (forwarding.requestUri !== undefined) edit.requestUri(forwarding.requestUri);
  for (let count = 0; count < forwarding.ownRoutes; count++) edit.removeFirst('Route');
  for (const route of [...(forwarding.routes ?? [])].reverse()) edit.prepend('Route', route);
  edit.replace('Max-Forwards', `${(request.maxForwards ?? DEFAULT_MAX_FORWARDS + 1) - 1}`);
  edit.remove(ASSERTED_SOURCE);
  // Credentials for this domain end here: whoever is behind us has no use for them.
  edit.remove('Proxy-Authorization');
  for (const token of forwarding.recordRoute ?? []) {
    edit.prepend('Record-Route', `<sip:${token}@${own.host}:${own.port};transport=tls;lr>`);
  }
  const previous = viaWithSource(request.topVia, forwarding.source);
  if (previous !== undefined) edit.removeFirst('Via').prepend('Via', formatVia(previous));
  edit.prepend('Via', `SIP/2.0/TLS ${own.host}:${own.port};branch=${forwarding.branch}`);
  return edit.toBytes();
}
