import type { RuleCase } from './reading-mistakes.ts';

const INTERNAL = '    internal: [10.45.16.10]\n';
const PORTS = '  ports: {';

function publicly(lists: string): [string, string] {
  return [INTERNAL, `${INTERNAL}    public: { ${lists} }\n`];
}
function policy(lines: string): [string, string] {
  return [PORTS, `${lines}\n${PORTS}`];
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
        `access: [192.0.2.${100 + index}], internal: [10.45.17.${index}]`,
      ]),
    ),
    at: '[{ name: edge1',
    says: /13 edges are more than a pool may have: write at most 12/,
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
    rule: 'feature-not-built',
    title: 'a service to come',
    severity: 'warning',
    edit: policy('  features: { xmpp: true }'),
    at: 'true',
    says: /policy.features.xmpp is planned only: nothing of this version listens/,
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

function virtualWithout(missing: string): string {
  const all = {
    access: '192.0.2.110',
    webConferencing: '192.0.2.120',
    av: '192.0.2.130',
    internal: '10.45.16.110',
  };
  return Object.entries(all)
    .filter(([service]) => service !== missing)
    .map(([service, address]) => `${service}: [${address}]`)
    .join(', ');
}
