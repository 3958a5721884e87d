import { federationReasons } from '../federation/policy/federation-reasons.ts';

/**
 * Why a message went no further, or a connection was closed: every refusal of this service has one of these, and
 * each is counted under it.
 */
export const refusalReasons = [
  // requests of clients and of the next hop
  'negotiate',
  'max-forwards',
  'max-breadth',
  'proxy-require',
  'loop',
  'bad-uri',
  'bad-route',
  'foreign-route',
  'forged-token',
  /** A REGISTER to anybody but a registrar, or from inside to a client. */
  'register-target',
  /** Its sender, or whom it would register, is an address that we have hidden. */
  'hidden-sender',
  'dead-flow',
  'no-flow',
  'no-next-hop',
  'next-hop-busy',
  /** Messages wait too long for this process. */
  'overloaded',
  /** This edge is drained, and another one is to be asked. */
  'draining',
  'bad-ack',
  /** The worker process that it belongs to is not there, or has too much to do. */
  'worker-away',
  'worker-busy',
  // connections
  'pre-sign-in-messages',
  'pre-sign-in-bytes',
  'pre-sign-in-seconds',
  'wrong-peer-name',
  'connections-full',
  ...federationReasons,
  /** HTTP on the port of the clients that became no WebSocket. */
  'http',
  'http-origin',
  // gates and guests
  'remote-access-off',
  'user-not-listed',
  'not-signed-in',
  'guests-off',
  'guests-full',
  'guest-request',
  /** On a guest's connection, a sender that is no name for a guest. */
  'guest-sender',
  'guest-target',
  'guest-other-conference',
  'guest-budget',
  // credentials, and brute force
  /** Too many of one source sign in at once, or those before it are not answered. */
  'many-sign-ins',
  /** Two readers could understand them differently. */
  'bad-credentials',
  'many-credentials',
  /** One request that would sign in as two people. */
  'several-users',
  'blocked-pair',
  'blocked-source',
] as const;
export type RefusalReason = (typeof refusalReasons)[number];

export interface Refusal {
  readonly kind: 'refuse';
  readonly status: number;
  readonly reason: RefusalReason;
  readonly headers?: readonly (readonly [string, string])[];
}

/** RFC 3261 §16.3 step 4. */
export const LOOPED: Refusal = { kind: 'refuse', status: 482, reason: 'loop' };

export function refuse(
  status: number,
  reason: RefusalReason,
  headers?: readonly (readonly [string, string])[],
): Refusal {
  return headers === undefined
    ? { kind: 'refuse', status, reason }
    : { kind: 'refuse', status, reason, headers };
}
