import { policy, type RuleCase } from './reading-mistakes.ts';

const INTERNAL = '    internal: [10.45.16.10]\n';

function publicly(lists: string): [string, string] {
  return [INTERNAL, `${INTERNAL}    public: { ${lists} }\n`];
}

const OWN = 'access: [192.0.2.10], webConferencing: [192.0.2.20], av: [192.0.2.30], internal: [10.45.16.10]';
const SECOND =
  'access: [192.0.2.11], webConferencing: [192.0.2.21], av: [192.0.2.31], internal: [10.45.16.11]';
function pool(balancing: string, ...members: [name: string, addresses: string][]): [string, string] {
  const list = members.map(
    ([name, addresses]) => `{ name: ${name}.example.com, addresses: { ${addresses} } }`,
  );
  return policy(`  pool: { balancing: ${balancing}, members: [${list.join(', ')}] }`);
}
const ALL_PUBLIC = 'access: [203.0.113.10], webConferencing: [203.0.113.20], av: [203.0.113.30]';

/** A good name, and a long one: 235 characters. */
const LONG = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(35)}.example`;

/** One mistake each in what the port plan is made of. */
export const perimeterMistakes: readonly RuleCase[] = [
  {
    rule: 'nat-pairs',
    title: 'a service without a public address [setting host.addresses.public.av]',
    edit: publicly('access: [203.0.113.10], webConferencing: [203.0.113.20]'),
    at: 'public',
    says: /host.addresses.public.av has 0 IPv4 addresses for the 1 of av: write one for each IPv4 address of av/,
  },
  {
    rule: 'nat-private-address',
    title: 'a public address that is private [setting host.addresses.public.access]',
    severity: 'warning',
    edit: publicly(ALL_PUBLIC.replace('203.0.113.10', '10.99.0.1')),
    at: '10.99.0.1',
    says: /10.99.0.1 is to be a public address, and is private/,
  },
  {
    rule: 'pool-members',
    title: 'two edges that nobody finds [setting policy.pool.balancing]',
    edit: pool('none', ['edge1', OWN], ['edge2', SECOND]),
    at: '[{ name: edge1',
    says: /a pool of 2 edges needs a way to be found: write policy.pool.balancing: dns or hardware/,
  },
  {
    rule: 'pool-members',
    title: 'a pool of nobody',
    edit: pool('dns'),
    at: 'dns',
    says: /policy.pool.balancing is dns, and no member is written/,
  },
  {
    rule: 'pool-members',
    title: 'more edges than a pool may have',
    edit: pool(
      'dns',
      ['edge1', OWN],
      ...Array.from({ length: 12 }, (_, index): [string, string] => [
        `other${index}`,
        `access: [192.0.2.${100 + index}], webConferencing: [192.0.2.${120 + index}], av: [192.0.2.${140 + index}], internal: [10.45.17.${index}]`,
      ]),
    ),
    at: '[{ name: edge1',
    says: /13 edges are more than a pool may have: write at most 12/,
  },
  {
    rule: 'pool-flow-key',
    title: 'a pool whose edges have no flow key in common',
    severity: 'warning',
    edit: pool('dns', ['edge1', OWN], ['edge2', SECOND]),
    at: '[{ name: edge1.example.com',
    says: /the 2 edges of the pool have no flow key in common, .* write policy.pool.flowKeyFile, .* the same on every edge/,
  },
  {
    rule: 'pool-member',
    title: 'this host is not among the members [setting policy.pool.members[].name]',
    edit: pool('dns', ['edge3', SECOND]),
    at: '[{ name: edge3',
    says: /edge1.example.com \(host.name\) is no member of the pool: add a member named edge1.example.com/,
  },
  ...(['access', 'webConferencing', 'av', 'internal'] as const).map(
    (service): RuleCase => ({
      rule: 'pool-member',
      title: `the pool knows other addresses of this host [setting policy.pool.members[].addresses.${service}]`,
      edit: pool('dns', ['edge1', OWN.replace(new RegExp(`(${service}: \\[[\\d.]+)\\d\\]`), '$19]')]),
      at: '[',
      says: new RegExp(
        `members\\[0\\].addresses.${service} is \\S+9, and host.addresses.${service} is \\S+0: write the same`,
      ),
    }),
  ),
  ...(['access', 'webConferencing', 'av'] as const).map(
    (service): RuleCase => ({
      rule: 'pool-member',
      title: `the pool shows another address of this host [setting policy.pool.members[].addresses.public.${service}]`,
      edit: pool('dns', [
        'edge1',
        `${OWN}, public: { ${ALL_PUBLIC.replace(new RegExp(`(${service}: \\[[\\d.]+)\\d\\]`), '$19]')} }`,
      ]),
      also: publicly(ALL_PUBLIC),
      at: '[203.0.113',
      says: new RegExp(
        `addresses.public.${service} is \\S+9, and host.addresses.public.${service} is \\S+0: write`,
      ),
    }),
  ),
  {
    rule: 'pool-address',
    title: 'an address of two members',
    edit: pool('dns', ['edge1', OWN], ['edge2', SECOND.replace('192.0.2.31', '192.0.2.30')]),
    at: '192.0.2.30',
    says: /192.0.2.30 is also an address of policy.pool.members\[0\]/,
  },
  ...(['access', 'av', 'internal'] as const).map(
    (service): RuleCase => ({
      rule: 'virtual-addresses',
      title: `a load balancer without an address [setting policy.pool.virtualAddresses.${service}]`,
      edit: policy(
        `  pool:\n    balancing: hardware\n    members: [{ name: edge1.example.com, addresses: { ${OWN} } }]\n` +
          `    virtualAddresses: { ${virtualWithout(service)} }`,
      ),
      at: 'virtualAddresses',
      says: new RegExp(`the load balancer has no ${service} address: write its virtual address`),
    }),
  ),
  {
    rule: 'virtual-addresses',
    title: 'a virtual address without a load balancer [setting policy.pool.virtualAddresses.webConferencing]',
    severity: 'warning',
    edit: policy('  pool: { virtualAddresses: { webConferencing: [192.0.2.120] } }'),
    at: '[192.0.2.120]',
    says: /counts only with a hardware load balancer/,
  },
  {
    rule: 'pool-layout',
    title: 'an edge with one address beside one with three',
    edit: pool('dns', ['edge1', OWN], ['edge2', 'access: [192.0.2.11], internal: [10.45.16.11]']),
    at: '{ access: [192.0.2.11]',
    says: /edge2.example.com shares addresses among its services otherwise than this edge/,
  },
  {
    rule: 'duplicate',
    title: 'two members of one name',
    edit: pool('dns', ['edge1', OWN], ['edge1', SECOND]),
    at: 'edge1.example.com',
    says: /edge1.example.com is also that of policy.pool.members\[0\]/,
  },
  {
    rule: 'virtual-address-taken',
    title: 'a load balancer with the address of an edge',
    edit: balanced({ access: '192.0.2.10' }),
    at: '192.0.2.10',
    says: /the virtual address 192.0.2.10 is also host.addresses.access\[0\]/,
  },
  {
    rule: 'virtual-address-taken',
    title: 'a load balancer with the address of the next hop',
    edit: balanced({ internal: '10.45.32.11' }),
    at: '10.45.32.11',
    says: /is also policy.nextHop.members\[0\].address/,
  },
  {
    rule: 'virtual-address-taken',
    title: 'a load balancer with one address for both sides',
    edit: balanced({ internal: '192.0.2.110' }),
    at: '192.0.2.110',
    says: /is also policy.pool.virtualAddresses.access\[0\]/,
  },
  {
    rule: 'outside-address-inside',
    title: 'a virtual address for the outside in the internal networks',
    edit: balanced({ access: '10.45.1.1' }),
    at: '10.45.1.1',
    says: /10.45.1.1, which the outside is to see, lies in 10.45.0.0\/16 of policy.internalNetworks/,
  },
  {
    rule: 'outside-port-clash',
    title: 'two services on one virtual address and port',
    edit: balanced({ av: '192.0.2.110' }),
    also: ['avAuthentication: 5062', 'avAuthentication: 5062, avTcp: 443'],
    at: '443',
    says: /from outside, TCP 192.0.2.110:443 would be both the Access Edge service \(ext-05\) and the A\/V Edge/,
  },
  {
    rule: 'outside-port-clash',
    title: 'two services behind one public address and port',
    edit: publicly(ALL_PUBLIC.replace('203.0.113.30', '203.0.113.10')),
    also: ['avAuthentication: 5062', 'avAuthentication: 5062, avTcp: 443'],
    at: '443',
    says: /from outside, TCP 203.0.113.10:443 would be both/,
  },
  {
    rule: 'public-address-shared',
    title: 'two edges behind one public address',
    edit: pool(
      'dns',
      ['edge1', `${OWN}, public: { ${ALL_PUBLIC} }`],
      [
        'edge2',
        `${SECOND}, public: { access: [203.0.113.11], webConferencing: [203.0.113.21], av: [203.0.113.30] }`,
      ],
    ),
    also: publicly(ALL_PUBLIC),
    at: '203.0.113.30',
    says: /203.0.113.30 also stands for policy.pool.members\[0\]/,
  },
  {
    rule: 'name-shared',
    title: 'one name for two addresses',
    edit: ['av: av.example.com', 'av: sip.example.com'],
    at: 'sip.example.com',
    says: /sip.example.com is also policy.names.access, and their addresses are not the same/,
  },
  {
    rule: 'name-shared',
    title: 'the usual name of another service in a second domain',
    edit: ['[example.com]', '[example.com, example.net]'],
    also: ['av: av.example.com', 'av: sip.example.net'],
    at: 'sip.example.net',
    says: /sip.example.net is what the Access Edge service is called in example.net/,
  },
  {
    rule: 'sip-domain-length',
    title: 'a SIP domain too long for its service records',
    edit: ['[example.com]', `[${LONG}]`],
    also: ['  relay:\n', '  relay:\n    realm: example.com\n'],
    at: LONG,
    says: /the domain has 235 characters, .*write a domain of at most 230 characters/,
  },
  {
    rule: 'realm-length',
    title: 'a SIP domain too long for a realm [setting policy.relay.realm]',
    edit: ['[example.com]', `[${LONG.slice(64)}]`],
    at: LONG.slice(64),
    says: /taken from this domain, which has 171 characters: write policy.relay.realm, at most 127/,
  },
  {
    rule: 'next-hop-own',
    title: 'a next hop that is this edge',
    edit: ['address: 10.45.32.11', 'address: 10.45.16.10'],
    at: '10.45.16.10',
    says: /the next hop member 10.45.16.10 is an edge itself \(host.addresses.internal\[0\]\)/,
  },
  {
    rule: 'port-clash',
    title: 'SSH on the port of a service [setting host.administration.remote.port]',
    edit: [
      '  administration:\n',
      '  administration:\n    remote: { networks: [10.45.9.0/24], port: 5061 }\n',
    ],
    at: '5061 }',
    says: /the Access Edge service \(int-02, .*\) and the host \(more-04, .*\) would both listen on TCP 10.45.16.10:5061/,
  },
  {
    rule: 'internal-peer-outside',
    title: 'a peer within that is outside [setting policy.internalPeers.xmpp]',
    edit: policy('  internalPeers: { xmpp: [10.46.0.0/24] }'),
    at: '10.46.0.0/24',
    says: /10.46.0.0\/24 is not within policy.internalNetworks/,
  },
  {
    rule: 'internal-peer-outside',
    title: 'administrators from outside [setting host.administration.remote.networks]',
    edit: ['  administration:\n', '  administration:\n    remote: { networks: [10.0.0.0/8] }\n'],
    at: '10.0.0.0/8',
    says: /10.0.0.0\/8 is not within policy.internalNetworks/,
  },
  {
    rule: 'server-inside',
    title: 'an internal DNS server [setting host.resolvers]',
    edit: ['  administration:\n', '  resolvers: [10.45.1.53]\n  administration:\n'],
    at: '10.45.1.53',
    says: /10.45.1.53 lies in 10.45.0.0\/16 of policy.internalNetworks, where the edge dials the next hop only/,
  },
  {
    rule: 'feature-needs',
    title: 'media of providers that are off',
    edit: policy('  features: { publicProviderMedia: true }'),
    at: 'true',
    says: /media with public providers needs policy.features.publicProviders: write publicProviders: true/,
  },
  {
    rule: 'conferencing-signs-in',
    title: 'a port that browsers refuse',
    severity: 'warning',
    edit: [
      '  ports: { accessClients: 443,',
      '  features: { webConferencing: true }\n  remoteAccess: { webSocket: { enabled: true, origins: [https://webconf.example.com] } }\n  ports: { accessClients: 5060,',
    ],
    at: 'true',
    says: /browsers refuse port 5060, on which pages would sign in: write another policy.ports.accessClients/,
  },
  {
    rule: 'conferencing-signs-in',
    title: 'meetings that no browser can join',
    severity: 'warning',
    edit: policy('  features: { webConferencing: true }'),
    at: 'true',
    says: /pages of https:..webconf.example.com may not speak SIP over WebSocket.*: write policy.remoteAccess.webSocket: \{ enabled: true, origins: \[https:..webconf.example.com\] \}/,
  },
  {
    rule: 'legacy-media',
    title: 'the relay range open both ways',
    severity: 'warning',
    edit: policy('  features: { federation: true }\n  federation: { mediaProfiles: [legacy-ocs2007] }'),
    at: 'legacy-ocs2007',
    says: /legacy-ocs2007 opens 50000-59999, TCP and UDP, to everybody outside/,
  },
  {
    rule: 'single-address',
    title: 'one address for everything',
    severity: 'warning',
    edit: [
      '    webConferencing: [192.0.2.20]\n    av: [192.0.2.30]\n    internal: [10.45.16.10]\n',
      '    av: [192.0.2.10]\n    internal: [10.45.16.10] # \n',
    ],
    also: ['accessClients: 443, ', ''],
    at: '[192.0.2.10]',
    says: /clients reach the Access Edge on 5061, which firewalls elsewhere often block/,
  },
  {
    rule: 'reverse-proxy',
    title: 'a reverse proxy that publishes nothing [setting policy.reverseProxy.webServices]',
    edit: policy('  reverseProxy: { addresses: [192.0.2.40], internalAddresses: [10.45.16.40] }'),
    at: '{ addresses',
    says: /the reverse proxy has no webServices: write policy.reverseProxy.webServices/,
  },
  {
    rule: 'reverse-proxy',
    title: "a reverse proxy on the edge's own address [setting policy.reverseProxy.addresses]",
    edit: policy(
      '  reverseProxy: { addresses: [192.0.2.10], internalAddresses: [10.45.16.40], webServices: [10.45.32.11] }',
    ),
    at: '192.0.2.10',
    says: /192.0.2.10 is this edge's own address \(host.addresses.access\[0\]\)/,
  },
  {
    rule: 'reverse-proxy',
    title: 'web services outside [setting policy.reverseProxy.officeWebApps]',
    edit: policy(
      '  reverseProxy:\n    { addresses: [192.0.2.40], internalAddresses: [10.45.16.40], webServices: [10.45.32.11],' +
        ' officeWebApps: [10.46.0.1] }',
    ),
    at: '10.46.0.1',
    says: /10.46.0.1 is in none of policy.internalNetworks/,
  },
  {
    rule: 'nat-with-hardware',
    title: 'translation beside a load balancer',
    edit: policy(
      `  pool:\n    balancing: hardware\n    members: [{ name: edge1.example.com, addresses: { ${OWN}, public: { ${ALL_PUBLIC} } } }]\n` +
        `    virtualAddresses: { ${virtualWithout('')} }`,
    ),
    also: publicly(ALL_PUBLIC),
    at: '{ access',
    says: /addresses are translated although a hardware load balancer is used/,
  },
];

/** A load balancer in front of this edge, some of its addresses others than usual. */
function balanced(others: Readonly<Record<string, string>>): [string, string] {
  return policy(
    `  pool:\n    balancing: hardware\n    members: [{ name: edge1.example.com, addresses: { ${OWN} } }]\n` +
      `    virtualAddresses: { ${virtualWithout('', others)} }`,
  );
}

function virtualWithout(missing: string, others: Readonly<Record<string, string>> = {}): string {
  const all = {
    access: '192.0.2.110',
    webConferencing: '192.0.2.120',
    av: '192.0.2.130',
    internal: '10.45.16.110',
    ...others,
  };
  return Object.entries(all)
    .filter(([service]) => service !== missing)
    .map(([service, address]) => `${service}: [${address}]`)
    .join(', ');
}
