/** Bounds of everything that peers can make the relay hold. */
export interface RelayLimits {
  /** Allocations at once in this relay (508 beyond). */
  readonly allocations: number;
  /** Allocations at once of one user (486 beyond). */
  readonly allocationsPerUser: number;
  /** Allocations at once from one client IP address (486 beyond). */
  readonly allocationsPerAddress: number;
  /** Permissions at once in one allocation (508 beyond). */
  readonly permissionsPerAllocation: number;
  /** Channels at once in one allocation (508 beyond). */
  readonly channelsPerAllocation: number;
  /** TCP connections with peers at once of one allocation (508 beyond; RFC 6062). */
  readonly connectionsPerAllocation: number;
  /** What one user may send, and receive, in all allocations together, kbit/s of application data. */
  readonly userKilobits: number;
  /** What one allocation may send, and receive, kbit/s. */
  readonly portKilobits: number;
  /** How much of both may be saved up for a burst, in milliseconds of the rate. */
  readonly burstMilliseconds: number;
  /** Peers have this port or a higher one, or 443, on which relays and firewalls meet: media goes nowhere else. */
  readonly lowestPeerPort: number;
  /** Ports tried for one Allocate before it is answered 508. */
  readonly bindAttempts: number;
  /** Answers a second to senders that have proved nothing, per source prefix (IPv4 /24, IPv6 /48). */
  readonly unprovenAnswersPerSecond: number;
  /** Such answers that a quiet prefix may save up. */
  readonly unprovenAnswerBurst: number;
  /** BANDWIDTH that clients of the Microsoft dialect are told, kbit/s. */
  readonly msBandwidth: number;
}

export const defaultRelayLimits: RelayLimits = {
  allocations: 10_000,
  allocationsPerUser: 20,
  allocationsPerAddress: 1_000,
  permissionsPerAllocation: 1_024,
  channelsPerAllocation: 256,
  connectionsPerAllocation: 64,
  userKilobits: 10_000,
  portKilobits: 3_000,
  burstMilliseconds: 1_000,
  lowestPeerPort: 1_024,
  bindAttempts: 8,
  unprovenAnswersPerSecond: 200,
  unprovenAnswerBurst: 1_000,
  msBandwidth: 3_000,
};

/** Times of the relay, all in seconds. */
export interface RelayTimes {
  /** LIFETIME granted when the client asks for none or less (RFC 8656 §3.2). */
  readonly defaultLifetime: number;
  /** Greatest LIFETIME granted (RFC 8656 §7.2). */
  readonly maximumLifetime: number;
  /** RFC 8656 §9. */
  readonly permission: number;
  /** RFC 8656 §12. */
  readonly channel: number;
  /** A nonce is stale after this (RFC 8656 §5 asks for at most an hour). */
  readonly nonce: number;
  /** A port that was just closed is not given to anyone for this long, while others are free. */
  readonly portRest: number;
  /** A port reserved by EVEN-PORT waits this long for its RESERVATION-TOKEN (RFC 8656 §7.2). */
  readonly reservation: number;
}

export const defaultRelayTimes: RelayTimes = {
  defaultLifetime: 600,
  maximumLifetime: 3_600,
  permission: 300,
  channel: 600,
  nonce: 3_600,
  portRest: 60,
  reservation: 30,
};

/** One address that relayed transport addresses are on. At most one a family. */
export interface RelayAddress {
  /** Canonical IP text; sockets are bound to it. */
  readonly address: string;
  /** What clients and peers are told instead, when a NAT translates the address one to one. */
  readonly advertised?: string;
}
