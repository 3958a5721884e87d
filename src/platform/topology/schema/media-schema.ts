import * as setting from './setting.ts';

const RANGE_ROWS = ['ext-09', 'ext-10', 'ext-11', 'ext-12', 'pic-04'];

export const relay = setting.optionalSection('What the A/V Edge service relays.', {
  realm: setting.derivedText('the first of policy.sipDomains', 'a realm', setting.realm, {
    sentence: 'Realm of the long-term credentials that relay clients show.',
    reload: 'live',
    example: 'example.com',
  }),
  ports: setting.optionalSection(
    'UDP ports from which relayed media leaves, on the external A/V addresses.',
    {
      first: setting.port(50000, {
        sentence: 'The first port of the relay range.',
        rows: RANGE_ROWS,
      }),
      last: setting.port(59999, {
        sentence: 'The last port of the relay range.',
        rows: RANGE_ROWS,
      }),
    },
  ),
  dscp: setting.integer({
    sentence: 'Differentiated services code point that the firewall of the host gives to relayed media.',
    reload: 'live',
    default: 46,
    floor: 0,
    ceiling: 63,
  }),
  allowedPeers: setting.textsOrNone('a list of networks in CIDR form', setting.network, {
    sentence: 'Networks that media may be relayed to although the default refuses them; never internal ones.',
    reload: 'live',
    example: ['198.51.100.0/24'],
  }),
  allocationsPerUser: setting.integer({
    sentence: 'Most allocations that one user may hold at a time.',
    reload: 'live',
    default: 20,
    floor: 1,
    ceiling: 10_000,
  }),
  allocationsPerAddress: setting.integer({
    sentence: 'Most allocations at a time of clients that come from one IP address, which a NAT may share.',
    reload: 'live',
    default: 1000,
    floor: 1,
    ceiling: 64_000,
  }),
  lowestPeerPort: setting.integer({
    sentence: 'Lowest port of a peer; ports below it but 443 belong to other services than media.',
    reload: 'live',
    default: 1024,
    floor: 1,
    ceiling: 50_000,
  }),
  bandwidth: setting.optionalSection(
    'What may be relayed in each direction: datagrams beyond it are dropped, streams are slowed down.',
    {
      perUserKilobits: setting.integer({
        sentence: 'Of one user, all allocations together.',
        reload: 'live',
        unit: 'kbit/s',
        default: 10_000,
        floor: 64,
        ceiling: 10_000_000,
      }),
      perPortKilobits: setting.integer({
        sentence: 'Of one allocation.',
        reload: 'live',
        unit: 'kbit/s',
        default: 3000,
        floor: 64,
        ceiling: 10_000_000,
      }),
      burstMilliseconds: setting.integer({
        sentence: 'How much of both rates may be saved up for a burst.',
        reload: 'live',
        unit: 'milliseconds',
        default: 1000,
        floor: 50,
        ceiling: 60_000,
      }),
    },
  ),
  accounts: setting.sectionsOrNone(
    'Accounts for clients that cannot ask for a credential, such as a gateway with a fixed entry.',
    {
      name: setting.text('a name', setting.label, {
        sentence: 'Its user name.',
        reload: 'live',
        example: 'gateway',
      }),
      passwordFile: setting.text('the path of a file', setting.filePath, {
        sentence: 'File with its password: one line of 16 to 512 characters.',
        reload: 'live',
        example: 'secrets/gateway.secret',
        path: true,
        file: 'shared-secret',
      }),
    },
  ),
});

export const avLimits = setting.optionalSection('Bounds of the A/V Edge service.', {
  allocations: setting.integer({
    sentence: 'Most allocations at a time.',
    reload: 'live',
    default: 10_000,
    floor: 1,
    ceiling: 64_000,
  }),
  permissionsPerAllocation: setting.integer({
    sentence: 'Most peer addresses that one allocation may have permissions for.',
    reload: 'live',
    default: 1024,
    floor: 1,
    ceiling: 1024,
  }),
  channelsPerAllocation: setting.integer({
    sentence: 'Most channels bound in one allocation.',
    reload: 'live',
    default: 64,
    floor: 1,
    ceiling: 1024,
  }),
  lifetimeSeconds: setting.integer({
    sentence: 'Longest lifetime granted to an allocation before it has to be refreshed.',
    reload: 'live',
    unit: 'seconds',
    default: 3600,
    floor: 600,
    ceiling: 86_400,
  }),
  connections: setting.integer({
    sentence: 'Most TCP and TLS connections of clients at a time, on each interface.',
    reload: 'live',
    default: 10_000,
    floor: 4,
    ceiling: 500_000,
  }),
  connectionsPerSource: setting.integer({
    sentence: 'Most of these from one address (IPv6: from one /64) at a time.',
    reload: 'live',
    default: 500,
    floor: 1,
    ceiling: 500_000,
  }),
  openings: setting.integer({
    sentence: 'Most connections that have not yet shown what they speak, on each interface.',
    reload: 'live',
    default: 256,
    floor: 4,
    ceiling: 10_000,
  }),
  openingSeconds: setting.integer({
    sentence: 'Longest time from accepting a connection to its first whole words, a TLS handshake included.',
    reload: 'live',
    unit: 'seconds',
    default: 10,
    floor: 1,
    ceiling: 120,
  }),
});
