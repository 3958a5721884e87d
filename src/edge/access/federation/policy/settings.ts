import type { EdgeDocument } from '#platform/topology';

type Federation = EdgeDocument['policy']['federation'];
export type VerificationLevel = Federation['allowed'][number]['verification'];
export type Discovery = Federation['discovery'];
/** A public or hosting provider, as the document has it. */
export type Provider = EdgeDocument['policy']['publicProviders'][number];

/** What federation takes from the document. */
export interface FederationSettings {
  /** policy.federation.enabled: the organisation's own switch for everybody elsewhere. */
  readonly enabled: boolean;
  /** policy.features.federation, a flag of the topology: partners, and hosting providers with them, have a way. */
  readonly routed: boolean;
  /** policy.features: public providers, and calls with their users. */
  readonly publicProviders: boolean;
  readonly providerMedia: boolean;
  readonly port: number;
  readonly allowed: Federation['allowed'];
  readonly blocked: Federation['blocked'];
  readonly providers: readonly Provider[];
  readonly discovery: Discovery;
  readonly routing: Federation['routing'];
  readonly defaultRoute: Federation['defaultRoute'];
  readonly connectionsPerPartner: number;
  readonly markOutgoing: boolean;
  readonly archivingDisclaimer: boolean;
  readonly limits: Federation['limits'];
}

export function federationSettings({ policy }: EdgeDocument): FederationSettings {
  const { federation, features, ports } = policy;
  return {
    ...federation,
    routed: features.federation,
    publicProviders: features.publicProviders,
    providerMedia: features.publicProviderMedia,
    port: ports.accessFederation,
    providers: policy.publicProviders,
  };
}
