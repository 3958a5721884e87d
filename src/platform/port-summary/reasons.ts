import type { EdgeDocument, FeatureName, MediaProfile, PlannedRow } from '#platform/topology';
import { fill, type Texts } from './texts/texts.ts';

/** Something to change in the document. */
export type Change =
  | { readonly kind: 'set' | 'add'; readonly setting: string; readonly value: string }
  | { readonly kind: 'name'; readonly setting: string };

/** Why a row stands in the plan, or what would put it there. */
export function reason(row: PlannedRow, document: EdgeDocument, texts: Texts): string {
  const parts = [row.on ? onReason(row, texts) : offReason(row, document, texts)];
  if (row.on && row.sameAs !== undefined) parts.push(fill(texts.why.same, { row: row.sameAs }));
  return parts.join(' ');
}

function onReason({ feature }: PlannedRow, texts: Texts): string {
  const { always, asked, profiles } = texts.why;
  if (feature.name === 'always') return always;
  const settings = fill(asked, { settings: feature.settings.join(', ') });
  if (feature.profiles === undefined || feature.profiles.length === 0) return settings;
  const ofRange = feature.name === 'mediaRangeOut' || feature.name === 'mediaRangeIn';
  const told = feature.profiles.map((profile) =>
    ofRange ? `${profile} (${texts.profiles[profile]})` : profile,
  );
  return `${settings} ${fill(profiles, { profiles: told.join(', ') })}`;
}

function offReason({ feature }: PlannedRow, document: EdgeDocument, texts: Texts): string {
  const { set, add, name, and, or, off } = texts.why;
  const told = (change: Change): string => {
    const { kind, setting } = change;
    if (kind === 'name') return fill(name, { setting });
    return fill(kind === 'set' ? set : add, { setting, value: change.value });
  };
  const ways = missing(feature.name, document).map((changes) => changes.map(told).join(and));
  return fill(off, { change: ways.join(or) });
}

/** The ways to switch a feature on that is off, each with all that it takes. */
export function missing(name: FeatureName, document: EdgeDocument): Change[][] {
  const { features, pool, reverseProxy } = document.policy;
  const wants = (...keys: (keyof typeof features)[]): Change[] =>
    keys.filter((key) => !features[key]).map((key) => ({ ...turnedOn, setting: `policy.features.${key}` }));
  const members: Change[] = pool.members.length > 1 ? [] : [{ kind: 'name', setting: 'policy.pool.members' }];
  const proxy = (...rest: Change[]): Change[] =>
    reverseProxy.addresses.length > 0
      ? rest
      : [{ kind: 'name', setting: 'policy.reverseProxy.addresses' }, ...rest];
  switch (name) {
    case 'always':
      return [];
    case 'partners':
      return [wants('federation'), wants('publicProviders')];
    case 'publicProviderMedia':
      return [wants('media', 'publicProviders', 'publicProviderMedia')];
    case 'relayToRelay':
      return [
        wants('media', 'federation'),
        wants('media', 'publicProviders', 'publicProviderMedia'),
        [...wants('media'), ...members],
      ];
    case 'mediaRangeOut':
      return [[...wants('media', 'federation'), ...profile(document, 'ice', 'legacy-ocs2007')]];
    case 'mediaRangeIn':
      return [[...wants('media', 'federation'), ...profile(document, 'legacy-ocs2007')]];
    case 'poolMedia':
      return [[...wants('media'), ...members]];
    case 'timeServers':
      return [[{ kind: 'name', setting: 'host.timeServers' }]];
    case 'remoteAdministration':
      return [[{ kind: 'name', setting: 'host.administration.remote.networks' }]];
    case 'reverseProxy':
      return [proxy()];
    case 'reverseProxyHttp':
      return [proxy(...(reverseProxy.http ? [] : [{ ...turnedOn, setting: 'policy.reverseProxy.http' }]))];
    case 'officeWebApps':
      return [
        proxy(
          ...(reverseProxy.officeWebApps.length > 0
            ? []
            : [{ kind: 'name', setting: 'policy.reverseProxy.officeWebApps' } as const]),
        ),
      ];
    default:
      return [wants(name)];
  }
}

const turnedOn = { kind: 'set', value: 'true' } as const;

/** One of these profiles, the first if there is none yet. */
function profile(
  { policy }: EdgeDocument,
  first: MediaProfile,
  ...others: readonly MediaProfile[]
): Change[] {
  const there = [first, ...others].some((name) => policy.federation.mediaProfiles.includes(name));
  return there ? [] : [{ kind: 'add', setting: 'policy.federation.mediaProfiles', value: first }];
}
