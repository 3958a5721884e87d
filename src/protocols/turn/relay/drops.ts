import { type MsDrop, msDrops, type StunDrop, stunDrops } from '#protocols/stun';

/** Why the relay ignored a datagram. Refusals that are answered are counted by error code instead. */
export type TurnDrop = StunDrop | MsDrop | (typeof relayDrops)[number];

const relayDrops = [
  /** A ChannelData whose length does not fit. */
  'malformed-channel-data',
  /** A Send indication without peer or data, or with a broken one. */
  'malformed-indication',
  /** A response, or a Data indication, sent to a server. */
  'unexpected-class',
  /** A method that is not for this server (RFC 8489 §6.3). */
  'unknown-method',
  /** An indication with an attribute that must be understood and is not (RFC 8489 §6.3.2). */
  'unknown-attribute',
  /** Data from a client that has no allocation (any more). */
  'no-allocation',
  /** A request while the relayed address of this client is still being bound. */
  'allocation-pending',
  /** ChannelData on a number that is not bound. */
  'no-channel',
  /** Data to a peer for which the client has no permission. */
  'no-permission',
  /** Data to a well-known port, where no media is expected. */
  'peer-port-refused',
  /** Data beyond what the allocation, or its user, may send or receive a second. */
  'over-bandwidth',
  /** Data to a peer of a family that the allocation has no relayed address of. */
  'no-relayed-address',
  /** Data to an address of this edge that is not a relayed transport address allocated right now. */
  'peer-own-address',
  /** Data from a peer for which the client has no permission. */
  'peer-without-permission',
  /** Data from a peer that are more than one Data indication can hold. */
  'data-too-long',
  /** Data that reached a relayed address from outside with an address of this edge as source. */
  'peer-claims-own-address',
  /** A peer's connection to a relayed address that has as many as it may. */
  'too-many-connections',
  /** Data or a bind result for a relayed address that was closed meanwhile. */
  'relay-closed',
  /** No answer was sent since the source prefix had used up its answers before proving anything. */
  'unproven-over-budget',
  /** Tunnel between edges: it is not spoken here. */
  'tunnel-off',
  /** Tunnel between edges: not a frame of it. */
  'tunnel-malformed',
  /** Tunnel between edges: a cookie that we did not give to this address, or long ago. */
  'tunnel-bad-cookie',
  /** Tunnel between edges: its sender names the relayed address of somebody else as source. */
  'tunnel-foreign-source',
  /** Tunnel between edges: its destination is no relayed address allocated right now. */
  'tunnel-no-target',
  /** Tunnel between edges: too much for an address that has not yet said whether it is an edge. */
  'tunnel-held-too-much',
  /** Microsoft dialect: a Send request without the allocation's username or integrity. */
  'ms-unproven',
  /** Microsoft dialect: a Send request of another allocation. */
  'ms-wrong-connection',
  /** Microsoft dialect: a Send request that was seen before. */
  'ms-duplicate',
  /** Microsoft dialect: a Send request to a peer that the policy refuses. */
  'ms-peer-refused',
  /** Microsoft dialect: a Send request that would need one permission too many. */
  'ms-no-room',
  /** Microsoft dialect: data before there is an active destination. */
  'ms-no-destination',
  /** Microsoft dialect over IPv6, for which this version has no allocations. */
  'ms-over-ipv6',
  /** Microsoft dialect over TCP: too much for a peer to whom the connection is still being made. */
  'ms-held-too-much',
  /** Microsoft dialect over TCP: half packets for too many peers at a time. */
  'ms-too-many-streams',
] as const;

/** Every reason, for metrics with closed label values. */
export const turnDrops: readonly TurnDrop[] = [...stunDrops, ...msDrops, ...relayDrops];
