import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { type EdgeDocument, parseEdgeDocument } from '#platform/topology';
import { edited, goodEdge } from '../topology/testing/documents.ts';
import { describeHost } from './describe.ts';
import type { HostReadings, OpenSocket, OutsideReadings, Route } from './readings.ts';
import { interfaceRoles } from './roles.ts';
import { hostRules, surveyHost } from './survey.ts';
import { changed, goodHost } from './testing/imagined-host.ts';

function documentOf(...edits: readonly (readonly [string, string])[]): EdgeDocument {
  const text = edits.reduce((whole, [piece, replacement]) => edited(whole, piece, replacement), goodEdge);
  const parsed = parseEdgeDocument(text, { file: '/etc/sallyport/edge.yaml', files: 'unread' });
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.value;
}

const [loopback, eth0, eth1] = goodHost.interfaces;
assert.ok(loopback !== undefined && eth0 !== undefined && eth1 !== undefined);
const routes = goodHost.routes ?? [];

const nginx = { pid: 812, name: 'nginx' };
function waits(address: string, port: number, transport: 'tcp' | 'udp' = 'tcp'): OpenSocket {
  return { transport, address, port, owner: nginx };
}

function via(network: string, name: string, gateway: string): Route {
  return { network, gateway, interface: name, metric: 0 };
}

interface RuleCase {
  readonly rule: string;
  readonly title: string;
  readonly host?: Partial<HostReadings>;
  readonly document?: readonly (readonly [string, string])[];
  readonly outside?: OutsideReadings;
  readonly severity: 'error' | 'warning' | 'instruction';
  readonly says: RegExp;
  readonly change: RegExp;
  /** Other rules that have to speak then, too. */
  readonly besides?: readonly string[];
}

const THREE = 'access: [192.0.2.10]\n    webConferencing: [192.0.2.20]\n    av: [192.0.2.30]';
/** One address has other ports. */
const ONE: readonly [string, string] = ['accessClients: 443, ', ''];
const PRIVATE: readonly (readonly [string, string])[] = [[THREE, 'access: [172.16.0.10]'], ONE];
const privateEth0 = { ...eth0, addresses: [{ address: '172.16.0.10', network: '172.16.0.0/24' }] };

const cases: readonly RuleCase[] = [
  {
    rule: 'interface-count',
    title: 'nothing but loopback',
    host: { interfaces: [loopback] },
    severity: 'error',
    says: /no interface but loopback/,
    change: /an interface on the external network/,
    besides: ['address-missing'],
  },
  {
    rule: 'interface-count',
    title: 'one interface',
    host: {
      interfaces: [loopback, { ...eth0, addresses: [...eth0.addresses, ...eth1.addresses] }],
      routes: [via('0.0.0.0/0', 'eth0', '192.0.2.1')],
    },
    severity: 'warning',
    says: /has one interface, eth0/,
    change: /another on the internal one/,
    besides: ['same-interface'],
  },
  {
    rule: 'address-missing',
    title: 'an address of the document that is not here',
    document: [['internal: [10.45.16.10]', 'internal: [10.45.16.11]']],
    severity: 'error',
    says: /no interface of this host has the address 10\.45\.16\.11/,
    change: /^ip address add 10\.45\.16\.11\/24 dev eth1/,
  },
  {
    rule: 'same-interface',
    title: 'inside and outside on one interface',
    host: {
      interfaces: [
        loopback,
        { ...eth0, addresses: [...eth0.addresses, ...eth1.addresses] },
        { ...eth1, addresses: [] },
      ],
      routes: routes.map((route) => ({ ...route, interface: 'eth0' })),
    },
    severity: 'warning',
    says: /the internal address 10\.45\.16\.10 is on eth0/,
    change: /move 10\.45\.16\.10/,
  },
  {
    rule: 'default-route-inside',
    title: 'a default route through the internal interface',
    host: { routes: [...routes, via('0.0.0.0/0', 'eth1', '10.45.16.1')] },
    severity: 'error',
    says: /a default route goes through the internal interface eth1 \(via 10\.45\.16\.1\)/,
    change:
      /^ip route del default via 10\.45\.16\.1 dev eth1\nip route add 10\.45\.0\.0\/16 via 10\.45\.16\.1 dev eth1\n/,
  },
  {
    rule: 'default-route-missing',
    title: 'no way back to clients',
    host: { routes: routes.slice(1) },
    severity: 'warning',
    says: /there is no IPv4 default route/,
    change: /^ip route add default via GATEWAY dev eth0/,
  },
  {
    rule: 'internal-route',
    title: 'internal networks behind the external router',
    host: { routes: routes.slice(0, 3) },
    severity: 'error',
    says: /10\.45\.0\.0\/16 is internal, but this host sends to it through eth0/,
    change: /^ip route add 10\.45\.0\.0\/16 via GATEWAY dev eth1/,
  },
  {
    rule: 'internal-route',
    title: 'one next hop member behind a narrower route',
    host: { routes: [...routes, via('10.45.32.0/24', 'eth0', '192.0.2.1')] },
    severity: 'error',
    says: /10\.45\.32\.11\/32 is internal, but this host sends to it through eth0/,
    change: /^ip route add 10\.45\.32\.11\/32 via GATEWAY dev eth1/,
  },
  {
    rule: 'forwarding',
    title: 'a router between the networks, IPv4',
    host: { forwardsIpv4: true },
    severity: 'error',
    says: /forwards IPv4 packets/,
    change: /net\.ipv4\.ip_forward = 0/,
  },
  {
    rule: 'forwarding',
    title: 'a router between the networks, IPv6',
    host: { forwardsIpv6: true },
    severity: 'error',
    says: /forwards IPv6 packets/,
    change: /net\.ipv6\.conf\.all\.forwarding = 0/,
  },
  {
    rule: 'public-address-missing',
    title: 'a private external address that nobody translates',
    host: { interfaces: [loopback, privateEth0, eth1] },
    document: PRIVATE,
    outside: { seenAs: { from: '172.16.0.10', address: '203.0.113.9', server: '203.0.113.1' } },
    severity: 'warning',
    says: /172\.16\.0\.10 is private.*a STUN server saw 203\.0\.113\.9/,
    change: /host\.addresses\.public\.access/,
  },
  {
    rule: 'seen-otherwise',
    title: 'a public address that is translated all the same',
    outside: { seenAs: { from: '192.0.2.10', address: '203.0.113.9', server: '203.0.113.1' } },
    severity: 'warning',
    says: /203\.0\.113\.1 saw 203\.0\.113\.9 where 192\.0\.2\.10 was expected/,
    change: /let the firewall translate 192\.0\.2\.10/,
  },
  {
    rule: 'internal-resolver',
    title: 'a DNS server inside',
    host: { nameservers: ['192.0.2.53', '10.45.0.53'] },
    severity: 'error',
    says: /asks the internal DNS server 10\.45\.0\.53 \(in 10\.45\.0\.0\/16\)/,
    change: /replace "nameserver 10\.45\.0\.53"/,
  },
  {
    rule: 'internal-resolver',
    title: 'no DNS server',
    host: { nameservers: [] },
    severity: 'warning',
    says: /names no DNS server/,
    change: /nameserver ADDRESS/,
  },
  {
    rule: 'own-name',
    title: 'a name that nobody knows',
    host: { hosts: new Map() },
    severity: 'instruction',
    says: /does not know this host's own name edge1\.example\.com/,
    change: /^echo '10\.45\.16\.10 edge1\.example\.com edge1' >> \/etc\/hosts$/,
  },
  {
    rule: 'clock',
    title: 'a clock that nobody has set',
    host: { clock: { synchronized: false, keeper: undefined } },
    severity: 'warning',
    says: /not synchronised: no time service runs/,
    change: /systemctl enable --now/,
  },
  {
    rule: 'clock',
    title: 'a clock of which nothing is known',
    host: { clock: { synchronized: undefined, keeper: undefined } },
    severity: 'instruction',
    says: /whether the clock is right is not known/,
    change: /--time-server ADDRESS/,
  },
  {
    rule: 'clock',
    title: 'a clock far behind',
    outside: { clockOffset: { seconds: 93.21, uncertainty: 0.01, server: '192.0.2.123' } },
    severity: 'error',
    says: /the clock is 93\.2 s behind 192\.0\.2\.123/,
    change: /systemctl enable --now/,
  },
  {
    rule: 'clock',
    title: 'a clock a little ahead, whatever the kernel says',
    outside: { clockOffset: { seconds: -2, uncertainty: 0.01, server: '192.0.2.123' } },
    severity: 'warning',
    says: /the clock is 2\.0 s ahead of/,
    change: /systemctl enable --now/,
  },
  {
    rule: 'time-servers',
    title: 'a time service whose packets the rules would drop',
    host: { clock: { synchronized: true, keeper: 'chronyd' } },
    severity: 'instruction',
    says: /chronyd keeps the clock/,
    change: /host\.timeServers/,
  },
  {
    rule: 'open-files',
    title: 'fewer files than connections',
    host: { openFiles: 1024 },
    severity: 'warning',
    says: /may open 1024 files; policy\.limits\.access\.connections asks for 20768/,
    change: /^LimitNOFILE=32768 /,
  },
  {
    rule: 'udp-buffers',
    title: 'small receive buffers',
    host: { receiveBufferMax: 212_992 },
    severity: 'warning',
    says: /may buffer 212992 bytes; the relay asks for 4194304/,
    change: /net\.core\.rmem_max = 4194304/,
  },
  {
    rule: 'backlog',
    title: 'a short queue of accepted connections',
    host: { listenBacklog: 128 },
    severity: 'warning',
    says: /at most 128 accepted connections/,
    change: /net\.core\.somaxconn = 4096/,
  },
  {
    rule: 'backlog',
    title: 'a short queue of beginning connections',
    host: { synBacklog: 128 },
    severity: 'warning',
    says: /at most 128 connections may be on their way/,
    change: /tcp_max_syn_backlog = 4096/,
  },
  {
    rule: 'ephemeral-ports',
    title: 'the relay range among the ports of outgoing connections',
    host: {
      reservedPorts: [
        { first: 8080, last: 8080 },
        { first: 50000, last: 54999 },
      ],
    },
    severity: 'warning',
    says: /outgoing connections of this host may take ports that the edge needs: 50000-59999$/,
    change: /ip_local_reserved_ports = 8080,50000-59999'/,
  },
  {
    rule: 'ephemeral-ports',
    title: 'a listening port among them',
    document: [['avAuthentication: 5062', 'avAuthentication: 40000']],
    severity: 'warning',
    says: /: 40000$/,
    change: /ip_local_reserved_ports = 40000,50000-59999'/,
  },
  {
    rule: 'port-taken',
    title: 'a web server on the address of Access Edge',
    host: { sockets: [waits('192.0.2.10', 443)] },
    severity: 'error',
    says: /^TCP 192\.0\.2\.10:443 \(ext-05, Access Edge service\) is taken by nginx \(pid 812\)$/,
    change: /^systemctl status 812/,
  },
  {
    rule: 'port-taken',
    title: 'somebody unknown on the internal UDP port',
    host: { sockets: [{ ...waits('10.45.16.10', 3478, 'udp'), owner: undefined }] },
    severity: 'error',
    says: /^UDP 10\.45\.16\.10:3478 \(int-06, .*\) is taken by a process that this user may not see$/,
    change: /^ss -lunp 'sport = :3478'/,
  },
  {
    rule: 'relay-port-taken',
    title: 'a program on every address within the relay range',
    host: { sockets: [waits('::', 50_001, 'udp'), waits('192.0.2.30', 50_002, 'udp')] },
    severity: 'warning',
    says: /UDP 50001 of the relay range 50000-59999 is taken by nginx \(pid 812\) and 1 more/,
    change: /^ss -lunp/,
  },
  {
    rule: 'low-ports',
    title: 'a user without the privilege',
    host: { privileges: { root: false, mayBindLowPorts: false, firstFreePort: 1024 } },
    severity: 'instruction',
    says: /may not bind ports below 1024, such as 443/,
    change: /CAP_NET_BIND_SERVICE/,
  },
  {
    rule: 'run-as-account',
    title: 'an account that does not exist',
    document: [['  stateDirectory:', '  runAs: edge\n  stateDirectory:']],
    severity: 'error',
    says: /there is no account edge/,
    change: /^useradd --system --home-dir \/var\/lib\/edge .* edge$/,
  },
  {
    rule: 'run-as-root',
    title: 'root without an account to become',
    host: { privileges: { root: true, mayBindLowPorts: true, firstFreePort: 1024 } },
    severity: 'instruction',
    says: /host\.runAs names no account/,
    change: /or write host\.runAs/,
  },
];

const proven = new Set<string>();

for (const one of cases) {
  test(`rule ${one.rule}: ${one.title}`, () => {
    const host = changed(one.host ?? {});
    const findings = surveyHost(host, documentOf(...(one.document ?? [])), { outside: one.outside ?? {} });
    const found = findings.filter(({ rule }) => rule === one.rule);
    const [finding] = found;
    assert.ok(finding !== undefined, `it speaks: ${JSON.stringify(findings)}`);
    assert.equal(finding.severity, one.severity);
    assert.match(finding.what, one.says);
    assert.match(finding.change.join('\n'), one.change);
    assert.ok(finding.why.length > 0);
    const others = new Set(findings.map(({ rule }) => rule).filter((rule) => rule !== one.rule));
    assert.deepEqual([...others].sort(), [...(one.besides ?? [])].sort(), 'one mistake, one kind of finding');
    proven.add(one.rule);
  });
}

after(() => {
  const untested = hostRules.map(({ name }) => name).filter((name) => !proven.has(name));
  assert.deepEqual(untested, [], 'every rule has a case in which it speaks');
});

test('a good host has nothing to change', () => {
  assert.deepEqual(surveyHost(goodHost, documentOf()), []);
});

/** What has been put right, or never was wrong. */
const silent: readonly (readonly [string, Partial<HostReadings>, OutsideReadings?])[] = [
  ['a neighbour on another address', { sockets: [waits('192.0.2.99', 443), waits('192.0.2.10', 8443)] }],
  ['TCP where the edge has UDP', { sockets: [waits('10.45.16.10', 3478), waits('0.0.0.0', 55_000)] }],
  [
    'a time server that agrees',
    {},
    { clockOffset: { seconds: 0.4, uncertainty: 0.1, server: '192.0.2.123' } },
  ],
  [
    'an address that is seen as it is',
    {},
    { seenAs: { from: '192.0.2.30', address: '192.0.2.30', server: 's' } },
  ],
  ['a local resolver', { nameservers: ['127.0.0.53'] }],
  ['unlimited files', { openFiles: Number.POSITIVE_INFINITY }],
  ['low ports that are free', { privileges: { root: false, mayBindLowPorts: false, firstFreePort: 80 } }],
  ['a narrower ephemeral range', { ephemeralPorts: { first: 32_768, last: 49_999 }, reservedPorts: [] }],
];

for (const [title, host, outside = {}] of silent) {
  test(`nothing is said about ${title}`, () => {
    assert.deepEqual(surveyHost(changed(host), documentOf(), { outside }), []);
  });
}

test('a wildcard of either family shadows a port', () => {
  for (const address of ['0.0.0.0', '::']) {
    const [finding, ...more] = surveyHost(changed({ sockets: [waits(address, 5062)] }), documentOf());
    assert.match(finding?.what ?? '', /int-05.* is taken by nginx \(pid 812\), on every address/);
    assert.match(finding?.change.join('\n') ?? '', /let nginx listen on the one address/);
    assert.deepEqual(more, []);
  }
});

test('public addresses put a private one right, and a STUN server that saw another is believed', () => {
  const host = changed({ interfaces: [loopback, privateEth0, eth1] });
  const shown = 'access: [172.16.0.10]\n    public: { access: [203.0.113.9] }';
  const document = documentOf([THREE, shown], ONE);
  const seenAs = { from: '172.16.0.10', address: '203.0.113.9', server: '203.0.113.1' };
  assert.deepEqual(surveyHost(host, document, { outside: { seenAs } }), []);
  const other = surveyHost(host, document, { outside: { seenAs: { ...seenAs, address: '203.0.113.8' } } });
  assert.deepEqual(
    other.map(({ rule }) => rule),
    ['seen-otherwise'],
  );
});

test('nothing is concluded from what could not be read', () => {
  const blind = changed({
    routes: undefined,
    nameservers: undefined,
    openFiles: undefined,
    receiveBufferMax: undefined,
    listenBacklog: undefined,
    synBacklog: undefined,
    ephemeralPorts: undefined,
    reservedPorts: undefined,
    forwardsIpv4: undefined,
    forwardsIpv6: undefined,
    sockets: undefined,
    privileges: { root: false, mayBindLowPorts: undefined, firstFreePort: 1024 },
    hasAccount: () => undefined,
  });
  const document = documentOf(['  stateDirectory:', '  runAs: edge\n  stateDirectory:']);
  assert.deepEqual(surveyHost(blind, document), []);
  const facts = describeHost(blind).filter(([, found]) => found === 'not known');
  assert.equal(facts.length, 8);
});

test('addresses that are examples are no concern of the host', () => {
  const elsewhere = changed({
    interfaces: [
      loopback,
      { ...eth0, addresses: [{ address: '198.51.100.5', network: '198.51.100.0/24' }] },
      { ...eth1, addresses: [{ address: '10.9.0.5', network: '10.9.0.0/24' }] },
    ],
    hosts: new Map(),
  });
  assert.deepEqual(surveyHost(elsewhere, documentOf(), { imagined: true }), []);
  const inside = surveyHost(changed({ ...elsewhere, nameservers: ['10.9.0.53'] }), documentOf(), {
    imagined: true,
  });
  assert.deepEqual(
    inside.map(({ rule }) => rule),
    ['internal-resolver'],
  );
});

test('a wildcard is in the way whatever the addresses will be, and is said once a port', () => {
  const host = changed({ sockets: [waits('0.0.0.0', 5062), waits('0.0.0.0', 3478, 'udp')] });
  const findings = surveyHost(host, documentOf(), { imagined: true });
  assert.deepEqual(findings.map(({ what }) => what.split(' is taken')[0]).toSorted(), [
    'TCP 5062 (int-05, A/V Authentication service)',
    'UDP 3478 (ext-14, A/V Edge service)',
  ]);
});

test('the external interface is the public one, or else the one with the default route', () => {
  const names = (host: Partial<HostReadings>): (string | undefined)[] => {
    const { external, internal } = interfaceRoles(changed(host));
    return [external?.name, internal?.name];
  };
  assert.deepEqual(names({}), ['eth0', 'eth1']);
  assert.deepEqual(names({ interfaces: [eth1, eth0] }), ['eth0', 'eth1']);
  assert.deepEqual(names({ routes: [via('0.0.0.0/0', 'eth1', '10.45.16.1')] }), ['eth0', 'eth1']);
  assert.deepEqual(names({ interfaces: [loopback, eth1, privateEth0] }), ['eth0', 'eth1']);
  const bridge = {
    name: 'docker0',
    loopback: false,
    addresses: [{ address: '172.17.0.1', network: '172.17.0.0/16' }],
  };
  assert.deepEqual(names({ interfaces: [bridge, eth1, eth0] }), ['eth0', 'eth1']);
  assert.deepEqual(names({ interfaces: [loopback] }), [undefined, undefined]);
});

test('errors come first, whatever the host', () => {
  const weight = { error: 0, warning: 1, instruction: 2 };
  const host = fc.record({
    forwardsIpv4: fc.boolean(),
    openFiles: fc.constantFrom(100, 1e6),
    nameservers: fc.constantFrom([], ['10.45.0.1'], ['192.0.2.53']),
    sockets: fc.array(
      fc.record({
        transport: fc.constantFrom('tcp' as const, 'udp' as const),
        address: fc.constantFrom('0.0.0.0', '::', '192.0.2.10', '10.45.16.10'),
        port: fc.constantFrom(443, 3478, 5061, 5062, 55_555),
        owner: fc.constantFrom(undefined, nginx),
      }),
    ),
    clock: fc.record({
      synchronized: fc.constantFrom(undefined, true, false),
      keeper: fc.constant(undefined),
    }),
  });
  fc.assert(
    fc.property(host, (readings) => {
      const findings = surveyHost(changed(readings), documentOf());
      const weights = findings.map(({ severity }) => weight[severity]);
      assert.deepEqual(weights, weights.toSorted());
      assert.ok(findings.every(({ change }) => change.length > 0));
    }),
    { numRuns: 100 },
  );
});
