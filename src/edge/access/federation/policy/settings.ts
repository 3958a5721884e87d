import type { EdgeDocument } from '#platform/topology';

type Federation = EdgeDocument['policy']['federation'];
export type VerificationLevel = Federation['allowed'][number]['verification'];

/** What federation takes from the document. */
export interface FederationSettings {
  readonly enabled: boolean;
  readonly port: number;
  readonly allowed: Federation['allowed'];
  readonly blocked: Federation['blocked'];
  readonly connectionsPerPartner: number;
  readonly markOutgoing: boolean;
  readonly limits: Federation['limits'];
}

export function federationSettings({ policy }: EdgeDocument): FederationSettings {
  const { federation, features, ports } = policy;
  return {
    enabled: features.federation,
    port: ports.accessFederation,
    allowed: federation.allowed,
    blocked: federation.blocked,
    connectionsPerPartner: federation.connectionsPerPartner,
    markOutgoing: federation.markOutgoing,
    limits: federation.limits,
  };
}
