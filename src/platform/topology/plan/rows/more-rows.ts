import type { RowDefinition } from './row-definition.ts';
import { fixed, inbound, media, onAv, outbound, relayRange } from './shared.ts';

const beside = { section: 'more', service: 'reverse-proxy', reach: 'node' } as const;
const web = { protocol: 'HTTPS', security: 'TLS', transport: 'tcp' } as const;
const plainWeb = { protocol: 'HTTP', security: 'none', transport: 'tcp' } as const;
const proxyOut = { interface: 'internal', edge: 'proxyInside', direction: 'outbound' } as const;
const proxyIn = { interface: 'external', edge: 'proxy', direction: 'inbound', peers: 'any' } as const;

/** Beyond the 37 rows; `more-02` and `more-12` belong to the internal program. */
export const moreRows: readonly RowDefinition[] = [
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
