import type { Draft } from '../document/read-document.ts';
import type { EdgeDocument } from '../schema/edge-schema.ts';

/** Why a row is open: something that the document switches on. */
export type FeatureName =
  | 'always'
  | 'remoteUsers'
  | 'media'
  | 'partners'
  | 'publicProviders'
  | 'publicProviderMedia'
  | 'webConferencing'
  | 'xmpp'
  | 'replication'
  | 'logging'
  | 'relayToRelay'
  | 'mediaRangeOut'
  | 'mediaRangeIn'
  | 'timeServers'
  | 'remoteAdministration'
  | 'poolMedia'
  | 'reverseProxy'
  | 'reverseProxyHttp'
  | 'officeWebApps';

type Features = EdgeDocument['policy']['features'];

/** What `policy.features` knows, in the order of the reference. */
export const featureKeys = Object.keys({
  remoteUsers: 0,
  media: 0,
  federation: 0,
  publicProviders: 0,
  publicProviderMedia: 0,
  webConferencing: 0,
  xmpp: 0,
  replication: 0,
  logging: 0,
} satisfies Record<keyof Features, 0>) as readonly (keyof Features)[];

export type MediaProfile = EdgeDocument['policy']['federation']['mediaProfiles'][number];

/** Whether a feature is on, and which settings of the document say so. */
export interface FeatureState {
  readonly name: FeatureName;
  readonly on: boolean;
  /** The settings to change, such as `policy.features.federation`; those that are on when it is on. */
  readonly settings: readonly string[];
  /** The media profiles of partners that ask for it. */
  readonly profiles?: readonly MediaProfile[];
}

type Policy = Draft<EdgeDocument['policy']>;

/** What the document, or as much of it as could be read, asks for. */
export function featureState(name: FeatureName, document: Draft<EdgeDocument>): FeatureState {
  const policy: Policy = document.policy ?? {};
  const features = policy.features ?? {};
  const state = (on: boolean | undefined, ...settings: string[]): FeatureState => {
    return { name, on: on === true, settings };
  };
  switch (name) {
    case 'always':
      return state(true);
    case 'partners':
      return anyOf(name, features, ['federation', 'publicProviders']);
    case 'publicProviderMedia':
      return state(
        features.media && features.publicProviders && features.publicProviderMedia,
        'policy.features.publicProviderMedia',
      );
    case 'relayToRelay':
      return relayToRelay(policy);
    case 'mediaRangeOut':
      return mediaRange(name, policy, ['ice', 'legacy-ocs2007']);
    case 'mediaRangeIn':
      return mediaRange(name, policy, ['legacy-ocs2007']);
    case 'timeServers':
      return state((document.host?.timeServers?.length ?? 0) > 0, 'host.timeServers');
    case 'remoteAdministration': {
      const networks = document.host?.administration?.remote?.networks ?? [];
      return state(networks.length > 0, 'host.administration.remote.networks');
    }
    case 'poolMedia':
      return state(features.media && isPool(policy), 'policy.pool.members');
    case 'reverseProxy':
      return state(hasProxy(policy), 'policy.reverseProxy.addresses');
    case 'reverseProxyHttp':
      return state(hasProxy(policy) && policy.reverseProxy?.http, 'policy.reverseProxy.http');
    case 'officeWebApps': {
      const servers = policy.reverseProxy?.officeWebApps ?? [];
      return state(hasProxy(policy) && servers.length > 0, 'policy.reverseProxy.officeWebApps');
    }
    default:
      return state(features[name], `policy.features.${name}`);
  }
}

function anyOf(
  name: FeatureName,
  features: NonNullable<Policy['features']>,
  keys: readonly (keyof NonNullable<Policy['features']>)[],
): FeatureState {
  const on = keys.filter((key) => features[key] === true);
  return {
    name,
    on: on.length > 0,
    settings: (on.length > 0 ? on : keys).map((key) => `policy.features.${key}`),
  };
}

function isPool(policy: Policy): boolean {
  return (policy.pool?.members?.length ?? 0) > 1;
}

function hasProxy(policy: Policy): boolean {
  return (policy.reverseProxy?.addresses?.length ?? 0) > 0;
}

/** Audio and video with partners: federation and media, by the profiles that name how. */
function federatedMedia({ features, federation }: Policy): readonly MediaProfile[] {
  if (features?.media !== true || features.federation !== true) return [];
  return (federation?.mediaProfiles ?? []).filter((profile) => profile !== undefined);
}

function mediaRange(name: FeatureName, policy: Policy, among: readonly MediaProfile[]): FeatureState {
  const profiles = federatedMedia(policy).filter((profile) => among.includes(profile));
  return { name, on: profiles.length > 0, settings: ['policy.federation.mediaProfiles'], profiles };
}

/** Relays speak to relays on 3478: those of partners, of public providers, of the other members of the pool. */
function relayToRelay(policy: Policy): FeatureState {
  const profiles = federatedMedia(policy);
  const settings = [];
  if (profiles.length > 0) settings.push('policy.federation.mediaProfiles');
  if (featureState('publicProviderMedia', { policy }).on)
    settings.push('policy.features.publicProviderMedia');
  if (policy.features?.media === true && isPool(policy)) settings.push('policy.pool.members');
  if (settings.length > 0) return { name: 'relayToRelay', on: true, settings, profiles };
  const ways = ['policy.features.federation', 'policy.features.publicProviderMedia', 'policy.pool.members'];
  return { name: 'relayToRelay', on: false, settings: ways };
}
