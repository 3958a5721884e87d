import type { Random } from '#kernel';
import type { ProxyHandler } from '#platform/sip-endpoint';
import {
  forwardRequest,
  loopPrint,
  type NameAddress,
  newBranch,
  nextHop,
  type SipRequest,
} from '#protocols/sip';
import { ASSERTED_SOURCE } from '#protocols/trust-marking';

/** How this front end names itself to others. */
export interface OwnUri {
  /** Name or address, with brackets where IPv6 needs them. */
  readonly host: string;
  readonly port: number;
}

export interface Forwarding {
  /** Where the request came from, for `received` and `rport` on its Via (RFC 3261 §18.2.1, RFC 3581 §4). */
  readonly source: { readonly address: string; readonly port: number };
  /** The Request-URI to write. */
  readonly uri: string;
  /** The Route entries to write, in order. */
  readonly rest: readonly NameAddress[];
  /** Flow tokens for Record-Route, the caller's first. */
  readonly recordRoute?: readonly string[];
  /** Max-Breadth of this branch of a fork. */
  readonly breadth?: number;
}

export interface Forwarded {
  readonly branch: string;
  readonly bytes: Buffer;
}

/** The request as it leaves (RFC 3261 §16.6, steps 1 to 8). */
export function forwarded(
  request: SipRequest,
  own: OwnUri,
  { source, uri, rest, recordRoute = [], breadth }: Forwarding,
  random: Random,
): Forwarded {
  const branch = newBranch(random, loopPrint(request));
  const edit = forwardRequest(request, {
    hop: nextHop({ uri, rest }),
    via: `SIP/2.0/TLS ${own.host}:${own.port};branch=${branch}`,
    source,
    breadth,
    recordRoutes: recordRoute.map((token) => `<sip:${token}@${own.host}:${own.port};transport=tls;lr>`),
  });
  edit.remove(ASSERTED_SOURCE);
  // Whoever is behind us has no use for credentials: nobody but this front end asks for them.
  edit.remove('Authorization');
  edit.remove('Proxy-Authorization');
  return { branch, bytes: edit.toBytes() };
}

/**
 * A response on its way back to who sent the request. Callees do not ask for passwords: one who could would get a
 * digest of the caller's password to work on, over a nonce and by an algorithm of the callee's choice.
 */
export const keepsChallenges: ProxyHandler = {
  editResponse: (edit) => edit.remove('WWW-Authenticate').remove('Proxy-Authenticate'),
};
