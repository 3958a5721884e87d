import type { Path } from '../finding.ts';
import type { FeatureName } from './features.ts';
import type { PlannedService } from './service-names.ts';

/**
 * The port rows as data. The 37 rows with their ids are those of `spec/registries/port-rows.json`, against which this
 * table is tested; ids `more-NN` are sockets and flows beyond them.
 */

export type Section = 'external' | 'internal' | 'federation' | 'pic' | 'xmpp' | 'more';
export type Direction = 'inbound' | 'outbound';
export type Interface = 'external' | 'internal' | 'loopback';
export type Transport = 'tcp' | 'udp';

/** A range of ports, both ends in it. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** Which addresses of an edge, or of the reverse proxy beside it, a row is about. */
export type EdgeSide =
  | 'access'
  | 'webConferencing'
  | 'av'
  | 'internal'
  | 'loopback'
  | 'proxy'
  | 'proxyInside';

/** Who is on the other side of a row. */
export type PeerKind =
  | 'any'
  | 'public-provider'
  | 'client'
  | 'resolvers'
  | 'time-servers'
  | 'next-hop'
  | 'pool'
  | 'administrators'
  | 'web-services'
  | 'office-web-apps'
  | 'this-host'
  | `internal:${InternalPeers}`;
export type InternalPeers =
  | 'access'
  | 'webConferencing'
  | 'avAuthentication'
  | 'media'
  | 'xmpp'
  | 'replication'
  | 'logging';

/** Where a port comes from: a setting (plus a number), the relay range, or a number that peers have. */
export interface SettingPort {
  readonly setting: Path;
  readonly plus?: number;
}
export type PortSource =
  | SettingPort
  | { readonly relayRange: true }
  | { readonly ranges: readonly PortRange[] };

/** Which addresses a hardware load balancer takes the row on. */
export type Reach = 'node' | 'virtual' | 'both';

export interface RowDefinition {
  readonly id: string;
  readonly section: Section;
  readonly interface: Interface;
  readonly service: PlannedService;
  readonly protocol: string;
  /** As in the registry: TLS, MTLS, none, ... */
  readonly security: string;
  readonly transport: Transport;
  readonly direction: Direction;
  readonly feature: FeatureName;
  readonly edge: EdgeSide;
  readonly peers: PeerKind;
  /** Where connections go to. */
  readonly port: PortSource;
  /** Where they come from, if that is not any port. */
  readonly sourcePort?: PortSource;
  /** The row whose flow this one repeats or narrows. */
  readonly sameAs?: string;
  readonly reach: Reach;
  /** Whether a service of this version stands behind the row. */
  readonly built: boolean;
}

const inExternal = { section: 'external', interface: 'external' } as const;
const inInternal = { section: 'internal', interface: 'internal' } as const;
const onAccess = { service: 'access', edge: 'access' } as const;
const onAv = { service: 'av', edge: 'av', reach: 'node' } as const;

const sip = { protocol: 'SIP', transport: 'tcp' } as const;
const stun = { protocol: 'STUN/MSTURN', security: 'message-integrity' } as const;
const media = { protocol: 'RTP', security: 'SRTP' } as const;
const xmpp = { protocol: 'XMPP', transport: 'tcp', service: 'xmpp-proxy', feature: 'xmpp' } as const;

const inbound = { direction: 'inbound' } as const;
const outbound = { direction: 'outbound' } as const;

function at(name: string, plus = 0): PortSource {
  return { setting: ['policy', 'ports', name], plus };
}
function fixed(...ports: (number | readonly [number, number])[]): PortSource {
  return {
    ranges: ports.map((port) =>
      typeof port === 'number' ? { first: port, last: port } : { first: port[0], last: port[1] },
    ),
  };
}
const relayRange: PortSource = { relayRange: true };
/** Where relayed media finds its peers: at a relay's TCP 443 or at any port that is nobody's well-known one. */
const tcpMediaPeers = fixed(443, [1024, 65535]);
const udpMediaPeers = fixed([1024, 65535]);

const accessOutside = { ...onAccess, reach: 'virtual' } as const;
const sipPartners = { ...sip, ...accessOutside, security: 'MTLS' } as const;
const rangeOut = { ...media, ...onAv, ...outbound, peers: 'any', sourcePort: relayRange } as const;
const rangeIn = { ...media, ...onAv, ...inbound, peers: 'any', port: relayRange } as const;

const externalRows: readonly RowDefinition[] = [
  {
    ...inExternal,
    ...xmpp,
    ...inbound,
    id: 'ext-01',
    security: 'none|STARTTLS',
    edge: 'access',
    peers: 'any',
    port: at('xmpp'),
    reach: 'virtual',
    built: false,
  },
  {
    ...inExternal,
    ...onAccess,
    ...outbound,
    id: 'ext-02',
    protocol: 'HTTP',
    security: 'none',
    transport: 'tcp',
    feature: 'always',
    peers: 'any',
    port: fixed(80),
    reach: 'node',
    built: false,
  },
  {
    ...inExternal,
    ...onAccess,
    ...outbound,
    id: 'ext-03',
    protocol: 'DNS',
    security: 'none',
    transport: 'tcp',
    feature: 'always',
    peers: 'resolvers',
    port: fixed(53),
    reach: 'node',
    built: false,
  },
  {
    ...inExternal,
    ...onAccess,
    ...outbound,
    id: 'ext-04',
    protocol: 'DNS',
    security: 'none',
    transport: 'udp',
    feature: 'always',
    peers: 'resolvers',
    port: fixed(53),
    reach: 'node',
    built: false,
  },
  {
    ...inExternal,
    ...sip,
    ...accessOutside,
    ...inbound,
    id: 'ext-05',
    security: 'TLS',
    feature: 'remoteUsers',
    peers: 'any',
    port: at('accessClients'),
    built: true,
  },
  {
    ...inExternal,
    ...sipPartners,
    ...inbound,
    id: 'ext-06',
    feature: 'partners',
    peers: 'any',
    port: at('accessFederation'),
    built: false,
  },
  {
    ...inExternal,
    ...sipPartners,
    ...outbound,
    id: 'ext-07',
    feature: 'partners',
    peers: 'any',
    port: fixed(5061),
    built: false,
  },
  {
    ...inExternal,
    ...inbound,
    id: 'ext-08',
    service: 'web-conferencing',
    protocol: 'PSOM',
    security: 'TLS',
    transport: 'tcp',
    feature: 'webConferencing',
    edge: 'webConferencing',
    peers: 'any',
    port: at('webConferencing'),
    reach: 'virtual',
    built: false,
  },
  {
    ...inExternal,
    ...rangeOut,
    id: 'ext-09',
    transport: 'tcp',
    feature: 'mediaRangeOut',
    port: tcpMediaPeers,
    built: false,
  },
  {
    ...inExternal,
    ...rangeOut,
    id: 'ext-10',
    transport: 'udp',
    feature: 'mediaRangeOut',
    port: udpMediaPeers,
    built: true,
  },
  { ...inExternal, ...rangeIn, id: 'ext-11', transport: 'tcp', feature: 'mediaRangeIn', built: false },
  { ...inExternal, ...rangeIn, id: 'ext-12', transport: 'udp', feature: 'mediaRangeIn', built: true },
  {
    ...inExternal,
    ...stun,
    ...onAv,
    ...outbound,
    id: 'ext-13',
    transport: 'udp',
    feature: 'relayToRelay',
    peers: 'any',
    port: fixed(3478),
    sourcePort: at('avUdp'),
    built: false,
  },
  {
    ...inExternal,
    ...stun,
    ...onAv,
    ...inbound,
    id: 'ext-14',
    transport: 'udp',
    feature: 'media',
    peers: 'any',
    port: at('avUdp'),
    reach: 'both',
    built: true,
  },
  {
    ...inExternal,
    ...stun,
    ...onAv,
    ...inbound,
    id: 'ext-15',
    transport: 'tcp',
    feature: 'media',
    peers: 'any',
    port: at('avTcp'),
    reach: 'both',
    built: false,
  },
  {
    ...inExternal,
    ...stun,
    ...onAv,
    ...outbound,
    id: 'ext-16',
    transport: 'tcp',
    feature: 'media',
    peers: 'any',
    port: fixed(443),
    built: false,
  },
];

const internalRows: readonly RowDefinition[] = [
  {
    ...inInternal,
    ...xmpp,
    ...inbound,
    id: 'int-01',
    security: 'MTLS',
    edge: 'internal',
    peers: 'internal:xmpp',
    port: at('xmppInternal'),
    reach: 'node',
    built: false,
  },
  {
    ...inInternal,
    ...sip,
    ...inbound,
    id: 'int-02',
    service: 'access',
    security: 'MTLS',
    feature: 'always',
    edge: 'internal',
    peers: 'internal:access',
    port: at('accessInternal'),
    reach: 'virtual',
    built: true,
  },
  {
    ...inInternal,
    ...sip,
    ...outbound,
    id: 'int-03',
    service: 'access',
    security: 'MTLS',
    feature: 'always',
    edge: 'internal',
    peers: 'next-hop',
    port: fixed(5061),
    reach: 'virtual',
    built: true,
  },
  {
    ...inInternal,
    ...inbound,
    id: 'int-04',
    service: 'web-conferencing',
    protocol: 'PSOM',
    security: 'MTLS',
    transport: 'tcp',
    feature: 'webConferencing',
    edge: 'internal',
    peers: 'internal:webConferencing',
    port: at('webConferencingInternal'),
    reach: 'node',
    built: false,
  },
  {
    ...inInternal,
    ...sip,
    ...inbound,
    id: 'int-05',
    service: 'av-authentication',
    security: 'MTLS',
    feature: 'media',
    edge: 'internal',
    peers: 'internal:avAuthentication',
    port: at('avAuthentication'),
    reach: 'virtual',
    built: true,
  },
  {
    ...inInternal,
    ...stun,
    ...inbound,
    id: 'int-06',
    service: 'av',
    transport: 'udp',
    feature: 'media',
    edge: 'internal',
    peers: 'internal:media',
    port: at('avUdp'),
    reach: 'both',
    built: true,
  },
  {
    ...inInternal,
    ...stun,
    ...inbound,
    id: 'int-07',
    service: 'av',
    transport: 'tcp',
    feature: 'media',
    edge: 'internal',
    peers: 'internal:media',
    port: at('avTcp'),
    reach: 'both',
    built: false,
  },
  {
    ...inInternal,
    ...inbound,
    id: 'int-08',
    service: 'replica',
    protocol: 'HTTPS',
    security: 'TLS',
    transport: 'tcp',
    feature: 'replication',
    edge: 'internal',
    peers: 'internal:replication',
    port: at('replication'),
    reach: 'node',
    built: false,
  },
  ...(['int-09', 'int-10', 'int-11'] as const).map(
    (id, plus): RowDefinition => ({
      ...inInternal,
      ...inbound,
      id,
      service: 'logging-agent',
      protocol: 'CLS',
      security: 'MTLS',
      transport: 'tcp',
      feature: 'logging',
      edge: 'internal',
      peers: 'internal:logging',
      port: at('logging', plus),
      reach: 'node',
      built: false,
    }),
  ),
];

type Change = Partial<Omit<RowDefinition, 'id' | 'sameAs' | 'port'>> & {
  readonly id: string;
  readonly section: Section;
};

/** A row that repeats or narrows one of the main tables. */
function repeats(original: string, change: Change): RowDefinition {
  const definition = [...externalRows, ...internalRows].find(({ id }) => id === original);
  if (definition === undefined) throw new TypeError(`there is no row ${original}`);
  return { ...definition, ...change, sameAs: original };
}

const narrowerRows: readonly RowDefinition[] = [
  repeats('ext-07', { id: 'fed-01', section: 'federation' }),
  repeats('ext-06', { id: 'pic-01', section: 'pic', feature: 'publicProviders', peers: 'public-provider' }),
  repeats('ext-07', { id: 'pic-02', section: 'pic', feature: 'publicProviders', peers: 'public-provider' }),
  repeats('ext-05', { id: 'pic-03', section: 'pic', peers: 'client' }),
  repeats('ext-09', {
    id: 'pic-04',
    section: 'pic',
    feature: 'publicProviderMedia',
    peers: 'public-provider',
    security: 'SRTP|none',
  }),
  repeats('ext-13', {
    id: 'pic-05',
    section: 'pic',
    feature: 'publicProviderMedia',
    peers: 'public-provider',
  }),
  repeats('ext-14', {
    id: 'pic-06',
    section: 'pic',
    feature: 'publicProviderMedia',
    peers: 'public-provider',
  }),
  repeats('ext-01', { id: 'xmpp-01', section: 'xmpp' }),
  {
    ...xmpp,
    ...outbound,
    id: 'xmpp-02',
    section: 'xmpp',
    interface: 'external',
    security: 'none|STARTTLS',
    edge: 'access',
    peers: 'any',
    port: fixed(5269),
    reach: 'virtual',
    built: false,
  },
  repeats('int-01', { id: 'xmpp-03', section: 'xmpp' }),
];

const beside = { section: 'more', service: 'reverse-proxy', reach: 'node', built: true } as const;
const web = { protocol: 'HTTPS', security: 'TLS', transport: 'tcp' } as const;
const plainWeb = { protocol: 'HTTP', security: 'none', transport: 'tcp' } as const;
const proxyOut = { interface: 'internal', edge: 'proxyInside', direction: 'outbound' } as const;
const proxyIn = { interface: 'external', edge: 'proxy', direction: 'inbound', peers: 'any' } as const;

/** Beyond the 37 rows; `more-02` belongs to the internal program. */
const moreRows: readonly RowDefinition[] = [
  {
    ...plainWeb,
    ...inbound,
    id: 'more-01',
    section: 'more',
    interface: 'loopback',
    service: 'supervisor',
    feature: 'always',
    edge: 'loopback',
    peers: 'this-host',
    port: { setting: ['host', 'administration', 'metrics', 'port'] },
    reach: 'node',
    built: true,
  },
  {
    ...outbound,
    id: 'more-03',
    section: 'more',
    interface: 'external',
    service: 'host',
    protocol: 'NTP',
    security: 'none',
    transport: 'udp',
    feature: 'timeServers',
    edge: 'access',
    peers: 'time-servers',
    port: fixed(123),
    reach: 'node',
    built: true,
  },
  {
    ...inbound,
    id: 'more-04',
    section: 'more',
    interface: 'internal',
    service: 'host',
    protocol: 'SSH',
    security: 'SSH',
    transport: 'tcp',
    feature: 'remoteAdministration',
    edge: 'internal',
    peers: 'administrators',
    port: { setting: ['host', 'administration', 'remote', 'port'] },
    reach: 'node',
    built: true,
  },
  ...(['outbound', 'inbound'] as const).map(
    (direction, index): RowDefinition => ({
      ...media,
      ...onAv,
      id: `${index === 0 ? 'more-05' : 'more-06'}`,
      section: 'more',
      interface: 'external',
      transport: 'udp',
      direction,
      feature: 'poolMedia',
      peers: 'pool',
      port: relayRange,
      sourcePort: relayRange,
      built: true,
    }),
  ),
  { ...beside, ...web, ...proxyIn, id: 'more-07', feature: 'reverseProxy', port: fixed(443) },
  { ...beside, ...plainWeb, ...proxyIn, id: 'more-08', feature: 'reverseProxyHttp', port: fixed(80) },
  {
    ...beside,
    ...web,
    ...proxyOut,
    id: 'more-09',
    feature: 'reverseProxy',
    peers: 'web-services',
    port: fixed(4443),
  },
  {
    ...beside,
    ...plainWeb,
    ...proxyOut,
    id: 'more-10',
    feature: 'reverseProxyHttp',
    peers: 'web-services',
    port: fixed(8080),
  },
  {
    ...beside,
    ...web,
    ...proxyOut,
    id: 'more-11',
    feature: 'officeWebApps',
    peers: 'office-web-apps',
    port: fixed(443),
  },
];

/** Every row in the order of the tables. */
export const rowDefinitions: readonly RowDefinition[] = [
  ...externalRows,
  ...internalRows,
  ...narrowerRows,
  ...moreRows,
];
