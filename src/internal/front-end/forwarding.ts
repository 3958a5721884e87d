import type { Random } from '#kernel';
import type { ProxyHandler } from '#platform/sip-endpoint';
import {
  forwardRequest,
  loopPrint,
  type MessageEdit,
  type NameAddress,
  newBranch,
  nextHop,
  type SipRequest,
} from '#protocols/sip';
import { ASSERTED_SOURCE, SENDER_RIGHTS } from '#protocols/trust-marking';

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
  /** Ends for Record-Route, the caller's first. */
  readonly recordRoute?: readonly RecordedEnd[];
  /** Max-Breadth of this branch of a fork. */
  readonly breadth?: number;
  /** The next hop speaks WebSocket (RFC 7118 §5.2). */
  readonly webSocket?: boolean;
  /** Last changes, after what must not pass was taken out. */
  readonly finish?: (edit: MessageEdit) => void;
}

/** A connection that the requests of a dialog have to find again. */
export interface RecordedEnd {
  readonly token: string;
  readonly webSocket: boolean;
}

export interface Forwarded {
  readonly branch: string;
  readonly bytes: Buffer;
}

/** The request as it leaves (RFC 3261 §16.6, steps 1 to 8). */
export function forwarded(
  request: SipRequest,
  own: OwnUri,
  { source, uri, rest, recordRoute = [], breadth, webSocket = false, finish }: Forwarding,
  random: Random,
): Forwarded {
  const branch = newBranch(random, loopPrint(request));
  const edit = forwardRequest(request, {
    hop: nextHop({ uri, rest }),
    via: `SIP/2.0/${webSocket ? 'WSS' : 'TLS'} ${own.host}:${own.port};branch=${branch}`,
    source,
    breadth,
    recordRoutes: recordRoute.map(
      (end) => `<sip:${end.token}@${own.host}:${own.port};transport=${end.webSocket ? 'ws' : 'tls'};lr>`,
    ),
  });
  edit.remove(ASSERTED_SOURCE);
  edit.remove(SENDER_RIGHTS);
  // Whoever is behind us has no use for credentials: nobody but this front end asks for them, and conferences ask guests.
  edit.remove('Authorization');
  edit.remove('Proxy-Authorization');
  finish?.(edit);
  return { branch, bytes: edit.toBytes() };
}

/**
 * A response on its way back to who sent the request. Callees do not ask for passwords: one who could would get a
 * digest of the caller's password to work on, over a nonce and by an algorithm of the callee's choice.
 */
export const keepsChallenges: ProxyHandler = {
  editResponse: (edit) => edit.remove('WWW-Authenticate').remove('Proxy-Authenticate'),
};
