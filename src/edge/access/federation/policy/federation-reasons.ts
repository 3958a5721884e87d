/** Why a message from or to a partner went no further. */
export const federationReasons = [
  // who
  /** The organisation's own switch, policy.federation.enabled. */
  'federation-not-allowed',
  /** The flag of the topology, policy.features.federation. */
  'federation-off',
  'own-domain',
  'blocked-domain',
  'unlisted-domain',
  'provider-off',
  'from-not-verified',
  'asserted-identity',
  'via-host',
  'record-route-host',
  'foreign-sender',
  /** The user's external access policy: partners, public providers. */
  'user-not-enabled',
  'user-not-for-providers',
  // what
  'partner-method',
  'no-transit',
  'provider-method',
  'provider-conference',
  'provider-media',
  'provider-address',
  // how much
  'partner-rate',
  'partner-users',
  'partner-suspicious',
  // where to
  'partner-unresolvable',
  'partner-name',
  'partner-address',
  'partner-certificate',
  'partner-unreachable',
  'partner-busy',
] as const;
export type FederationReason = (typeof federationReasons)[number];
