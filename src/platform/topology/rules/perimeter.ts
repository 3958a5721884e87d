import { networkContains, networkWithin } from '../address.ts';
import { type Path, pathText } from '../finding.ts';
import { valueAt } from '../value-at.ts';
import { addressesOf, type EdgeFacts, externalAddresses, networksOf } from './edge-facts.ts';
import type { Rule, Say } from './rule.ts';

const PEERS = [
  'access',
  'webConferencing',
  'avAuthentication',
  'media',
  'xmpp',
  'replication',
  'logging',
] as const;

/** What the rules let in from within does come from within. */
const internalPeersInside: Rule<EdgeFacts> = {
  name: 'internal-peer-outside',
  check({ draft }, say) {
    const networks = networksOf(draft);
    if (networks.length === 0) return;
    // Peers that nobody wrote are these very networks: many of them are not compared with as many.
    const same = new Set(networks);
    const nextHop = new Set((draft.policy?.nextHop?.members ?? []).map((member) => member?.address));
    const sayOutside = (network: string | undefined, path: Path): void => {
      if (network === undefined || same.has(network)) return;
      if (networks.some((outer) => networkWithin(network, outer))) return;
      // That a next hop member is outside has been said where it is written.
      if (nextHop.has(network.slice(0, network.lastIndexOf('/')))) return;
      const what = `${network} is not within policy.internalNetworks`;
      say(path, 'error', what, 'write an internal network, or add it to policy.internalNetworks');
    };
    for (const kind of PEERS) {
      for (const [index, network] of (draft.policy?.internalPeers?.[kind] ?? []).entries()) {
        sayOutside(network, ['policy', 'internalPeers', kind, index]);
      }
    }
    for (const [index, network] of (draft.host?.administration?.remote?.networks ?? []).entries()) {
      sayOutside(network, ['host', 'administration', 'remote', 'networks', index]);
    }
  },
};

/** The edge dials one thing inside, and these are others. */
const serversOutside: Rule<EdgeFacts> = {
  name: 'server-inside',
  check({ draft }, say) {
    for (const key of ['resolvers', 'timeServers'] as const) {
      for (const [index, address] of (draft.host?.[key] ?? []).entries()) {
        const network = address && networksOf(draft).find((candidate) => networkContains(candidate, address));
        if (!network) continue;
        const what = `${address} lies in ${network} of policy.internalNetworks, where the edge dials the next hop only`;
        say(['host', key, index], 'error', what, 'write a server of the perimeter or outside');
      }
    }
  },
};

const FEATURES = ['policy', 'features'];

const featureNeeds: Rule<EdgeFacts> = {
  name: 'feature-needs',
  check({ draft }, say) {
    const { publicProviderMedia, publicProviders, media, federation } = draft.policy?.features ?? {};
    for (const [key, on] of Object.entries({ publicProviders, media })) {
      if (publicProviderMedia !== true || on !== false) continue;
      const what = `media with public providers needs policy.features.${key}`;
      say([...FEATURES, 'publicProviderMedia'], 'error', what, `write ${key}: true, or false here`);
    }
    sayClosedPorts(draft, say);
    const profiles = draft.policy?.federation?.mediaProfiles;
    if (federation !== true || media !== true || profiles?.length !== 0) return;
    const what = 'no media profile is written, so audio and video with partners stay closed';
    const path = ['policy', 'federation', 'mediaProfiles'];
    say(path, 'warning', what, 'write ice, or edge-tunnel to keep the relay range closed');
  },
};

/** The organisation's own switch is off while ports for others are open. */
function sayClosedPorts({ policy }: EdgeFacts['draft'], say: Say): void {
  if (policy?.federation?.enabled !== false) return;
  const open = (['federation', 'publicProviders', 'xmpp'] as const).filter((key) => policy.features?.[key]);
  if (open.length === 0) return;
  const named = open.map((key) => `policy.features.${key}`).join(', ');
  const what = `nothing is exchanged with other organisations, and their ports are open (${named})`;
  say(['policy', 'federation', 'enabled'], 'warning', what, 'write true, or turn those off, too');
}

/** Chromium and Firefox connect to neither, whatever the scheme. */
const REFUSED_BY_BROWSERS: ReadonlySet<number> = new Set([5060, 5061]);

/** Pages of the edge sign in to the Access Edge before they may join. */
const conferencingSignsIn: Rule<EdgeFacts> = {
  name: 'conferencing-signs-in',
  check({ draft }, say) {
    const { features, names, ports, remoteAccess } = draft.policy ?? {};
    const webSocket = remoteAccess?.webSocket;
    if (features?.webConferencing !== true || names?.webConferencing === undefined) return;
    if (ports?.accessClients !== undefined && REFUSED_BY_BROWSERS.has(ports.accessClients)) {
      const what = `browsers refuse port ${ports.accessClients}, on which pages would sign in`;
      const instead =
        'write another policy.ports.accessClients, or give the A/V Edge service an address of its own';
      say([...FEATURES, 'webConferencing'], 'warning', what, instead);
    }
    const port = ports?.webConferencing ?? 443;
    const page = `https://${names.webConferencing}${port === 443 ? '' : `:${port}`}`;
    if (webSocket?.enabled === true && webSocket.origins?.includes(page) === true) return;
    const what = `pages of ${page} may not speak SIP over WebSocket, so nobody joins a meeting from a browser`;
    const instead = `write policy.remoteAccess.webSocket: { enabled: true, origins: [${page}] }`;
    say([...FEATURES, 'webConferencing'], 'warning', what, instead);
  },
};

const legacyMedia: Rule<EdgeFacts> = {
  name: 'legacy-media',
  check({ draft }, say) {
    const { features, federation, relay } = draft.policy ?? {};
    const index = federation?.mediaProfiles?.indexOf('legacy-ocs2007') ?? -1;
    if (index < 0 || features?.federation !== true || features.media !== true) return;
    const range = `${relay?.ports?.first ?? '?'}-${relay?.ports?.last ?? '?'}`;
    const what = `legacy-ocs2007 opens ${range}, TCP and UDP, to everybody outside`;
    const path = ['policy', 'federation', 'mediaProfiles', index];
    say(path, 'warning', what, 'remove it unless a partner still runs the 2007 release');
  },
};

/** Strict firewalls elsewhere let clients out to 443 only. */
const singleAddress: Rule<EdgeFacts> = {
  name: 'single-address',
  check({ draft }, say) {
    const { access = [], av = [] } = draft.host?.addresses ?? {};
    const port = draft.policy?.ports?.accessClients;
    if (access.length === 0 || access.join() !== av.join() || port === 443 || port === undefined) return;
    const what = `on one address for all services, clients reach the Access Edge on ${port}, which firewalls elsewhere often block`;
    say(['host', 'addresses', 'av'], 'warning', what, 'give the A/V Edge service an address of its own');
  },
};

const PROXY = ['policy', 'reverseProxy'];

const reverseProxy: Rule<EdgeFacts> = {
  name: 'reverse-proxy',
  check({ draft }, say) {
    const proxy = draft.policy?.reverseProxy;
    if (proxy === undefined || (proxy.addresses?.length ?? 0) === 0) return;
    for (const key of ['internalAddresses', 'webServices'] as const) {
      if (proxy[key]?.length !== 0) continue;
      say(PROXY, 'error', `the reverse proxy has no ${key}`, `write policy.reverseProxy.${key}`);
    }
    const own = [...externalAddresses(draft), ...addressesOf(draft, 'internal')];
    for (const key of ['addresses', 'internalAddresses'] as const) {
      for (const [index, address] of (proxy[key] ?? []).entries()) {
        const taken = own.find((one) => one.address === address);
        if (taken === undefined) continue;
        const what = `${address} is this edge's own address (${pathText(taken.path)})`;
        say(
          [...PROXY, key, index],
          'error',
          what,
          'the reverse proxy is a machine of its own: write its address',
        );
      }
    }
    for (const key of ['webServices', 'officeWebApps'] as const) sayOutside(draft, [...PROXY, key], say);
  },
};

function sayOutside(draft: EdgeFacts['draft'], path: Path, say: Say): void {
  const networks = networksOf(draft);
  const addresses = valueAt(draft, path);
  if (networks.length === 0 || !Array.isArray(addresses)) return;
  for (const [index, address] of addresses.entries()) {
    if (typeof address !== 'string' || networks.some((network) => networkContains(network, address)))
      continue;
    const what = `${address} is in none of policy.internalNetworks`;
    say([...path, index], 'error', what, 'write the address of an internal server');
  }
}

export const perimeterRules: readonly Rule<EdgeFacts>[] = [
  internalPeersInside,
  serversOutside,
  featureNeeds,
  conferencingSignsIn,
  legacyMedia,
  singleAddress,
  reverseProxy,
];
