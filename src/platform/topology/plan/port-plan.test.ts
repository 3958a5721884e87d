import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseEdgeDocument } from '../document/document.ts';
import { edited, goodEdge } from '../testing/documents.ts';
import { virtualFiles } from '../testing/virtual-files.ts';
import { distinctFlows } from './flows.ts';
import { hostPortPlan, type PortPlan, portPlan } from './port-plan.ts';
import type { PortRange } from './rows/row-definition.ts';

function planOf(text: string, view: typeof portPlan): PortPlan {
  const document = parseEdgeDocument(text, { file: '/etc/sallyport/edge.yaml', files: virtualFiles });
  assert.ok(document.ok, JSON.stringify(document));
  return view(document.value);
}

function ranges(list: readonly PortRange[] | undefined): string {
  return (list ?? []).map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join('+');
}

/** `ext-05 pic-03: in tcp 192.0.2.10:443 from any` */
function lines(text: string, view: typeof portPlan = portPlan): string[] {
  return distinctFlows(planOf(text, view)).map((flow) => {
    const edge = flow.edge.map(({ address, publicAddress }) =>
      publicAddress === undefined ? address : `${address}(${publicAddress})`,
    );
    const peers = flow.peers === 'any' ? 'any' : flow.peers.join('+');
    const from = flow.sourcePorts === undefined ? '' : ` by ${ranges(flow.sourcePorts)}`;
    const rows = `${flow.rows.join(' ')}: ${flow.transport}`;
    return flow.direction === 'inbound'
      ? `${rows} ${peers} -> ${edge.join('+')} ${ranges(flow.ports)}${from}`
      : `${rows} ${edge.join('+')} -> ${peers} ${ranges(flow.ports)}${from}`;
  });
}

/** What an edit takes from the plan and what it brings. */
function change(
  edit: readonly [string, string],
  from: string = goodEdge,
): { gone: string[]; come: string[] } {
  const before = lines(from);
  const after = lines(edited(from, ...edit));
  return {
    gone: before.filter((line) => !after.includes(line)),
    come: after.filter((line) => !before.includes(line)),
  };
}

function policy(text: string): [string, string] {
  return ['  ports: {', `  ${text}\n  ports: {`];
}
function port(text: string): [string, string] {
  return ['accessClients: 443', `accessClients: 443, ${text}`];
}
function host(text: string): [string, string] {
  return ['  administration:\n', `  ${text}\n  administration:\n`];
}

const everything = edited(
  goodEdge,
  ...policy(
    'features: { federation: true, publicProviders: true, publicProviderMedia: true, webConferencing: true,' +
      ' xmpp: true, replication: true, logging: true }',
  ),
);

test('the plan of a small document is what the tables say', () => {
  assert.deepEqual(lines(goodEdge), [
    'int-02: tcp 10.45.32.11/32 -> 10.45.16.10 5061',
    'int-03: tcp 10.45.16.10 -> 10.45.32.11/32 5061',
    'int-05: tcp 10.45.32.11/32 -> 10.45.16.10 5062',
    'int-06: udp 10.45.0.0/16 -> 10.45.16.10 3478',
    'int-07: tcp 10.45.0.0/16 -> 10.45.16.10 443',
    'more-01: tcp 127.0.0.1/32 -> 127.0.0.1 9180',
    'ext-02: tcp 192.0.2.10 -> any 80',
    'ext-03: tcp 192.0.2.10 -> any 53',
    'ext-04: udp 192.0.2.10 -> any 53',
    'ext-05 pic-03: tcp any -> 192.0.2.10 443',
    'ext-14: udp any -> 192.0.2.30 3478',
    'ext-15: tcp any -> 192.0.2.30 443',
    'ext-16: tcp 192.0.2.30 -> any 443',
  ]);
});

test('with everything on, all 37 rows are, and rows that are the same flow share it', () => {
  const legacy = edited(everything, ...policy('federation: { mediaProfiles: [ice, legacy-ocs2007] }'));
  const plan = planOf(legacy, portPlan);
  const off = plan.rows.slice(0, 37).filter(({ on }) => !on);
  assert.deepEqual(off, []);
  const carried = distinctFlows(plan).flatMap(({ rows }) => rows);
  for (const { id } of plan.rows.slice(0, 37))
    assert.equal(carried.filter((row) => row === id).length, 1, id);
  assert.equal(distinctFlows(plan).filter(({ rows }) => !rows[0]?.startsWith('more')).length, 28);
});

/** One edit, and what it changes. */
const cases: readonly [title: string, edit: readonly [string, string], gone: string[], come: string[]][] = [
  [
    'remote users [setting policy.features.remoteUsers]',
    policy('features: { remoteUsers: false }'),
    ['ext-05 pic-03: tcp any -> 192.0.2.10 443'],
    [],
  ],
  [
    'media [setting policy.features.media]',
    policy('features: { media: false }'),
    [
      'int-05: tcp 10.45.32.11/32 -> 10.45.16.10 5062',
      'int-06: udp 10.45.0.0/16 -> 10.45.16.10 3478',
      'int-07: tcp 10.45.0.0/16 -> 10.45.16.10 443',
      'ext-14: udp any -> 192.0.2.30 3478',
      'ext-15: tcp any -> 192.0.2.30 443',
      'ext-16: tcp 192.0.2.30 -> any 443',
    ],
    [],
  ],
  [
    'federation, with media by ICE [setting policy.features.federation]',
    policy('features: { federation: true }'),
    [],
    [
      'ext-13: udp 192.0.2.30 -> any 3478 by 3478',
      'ext-06: tcp any -> 192.0.2.10 5061',
      'ext-07 fed-01: tcp 192.0.2.10 -> any 5061',
      'ext-09: tcp 192.0.2.30 -> any 443+1024-65535 by 50000-59999',
      'ext-10: udp 192.0.2.30 -> any 1024-65535 by 50000-59999',
    ],
  ],
  [
    'media with partners between relays only [setting policy.federation.mediaProfiles]',
    policy('features: { federation: true }\n  federation: { mediaProfiles: [edge-tunnel] }'),
    [],
    [
      'ext-13: udp 192.0.2.30 -> any 3478 by 3478',
      'ext-06: tcp any -> 192.0.2.10 5061',
      'ext-07 fed-01: tcp 192.0.2.10 -> any 5061',
    ],
  ],
  [
    'public providers [setting policy.features.publicProviders]',
    policy('features: { publicProviders: true }'),
    [],
    ['ext-06 pic-01: tcp any -> 192.0.2.10 5061', 'ext-07 fed-01 pic-02: tcp 192.0.2.10 -> any 5061'],
  ],
  [
    'web conferencing [setting policy.features.webConferencing]',
    policy('features: { webConferencing: true }'),
    [],
    ['int-04: tcp 10.45.32.11/32 -> 10.45.16.10 8057', 'ext-08: tcp any -> 192.0.2.20 443'],
  ],
  [
    'XMPP [setting policy.features.xmpp]',
    policy('features: { xmpp: true }'),
    [],
    [
      'int-01 xmpp-03: tcp 10.45.32.11/32 -> 10.45.16.10 23456',
      'ext-01 xmpp-01: tcp any -> 192.0.2.10 5269',
      'xmpp-02: tcp 192.0.2.10 -> any 5269',
    ],
  ],
  [
    'the replica [setting policy.features.replication]',
    policy('features: { replication: true }'),
    [],
    ['int-08: tcp 10.45.32.11/32 -> 10.45.16.10 4443'],
  ],
  [
    'logging [setting policy.features.logging]',
    policy('features: { logging: true }'),
    [],
    [
      'int-09: tcp 10.45.0.0/16 -> 10.45.16.10 50001',
      'int-10: tcp 10.45.0.0/16 -> 10.45.16.10 50002',
      'int-11: tcp 10.45.0.0/16 -> 10.45.16.10 50003',
    ],
  ],
  [
    'DNS servers [setting host.resolvers]',
    host('resolvers: [192.0.2.53]'),
    ['ext-03: tcp 192.0.2.10 -> any 53', 'ext-04: udp 192.0.2.10 -> any 53'],
    ['ext-03: tcp 192.0.2.10 -> 192.0.2.53/32 53', 'ext-04: udp 192.0.2.10 -> 192.0.2.53/32 53'],
  ],
  [
    'time servers [setting host.timeServers]',
    host('timeServers: [192.0.2.123]'),
    [],
    ['more-03: udp 192.0.2.10 -> 192.0.2.123/32 123'],
  ],
  [
    'administrators [setting host.administration.remote.networks] [setting host.administration.remote.port]',
    ['  administration:\n', '  administration:\n    remote: { networks: [10.45.99.0/24], port: 2222 }\n'],
    [],
    ['more-04: tcp 10.45.99.0/24 -> 10.45.16.10 2222'],
  ],
  [
    'public addresses [setting host.addresses.public.access] [setting host.addresses.public.webConferencing] ' +
      '[setting host.addresses.public.av]',
    [
      '    internal: [10.45.16.10]\n',
      '    internal: [10.45.16.10]\n    public: { access: [203.0.113.1], webConferencing: [203.0.113.2], av: [203.0.113.3] }\n',
    ],
    [
      'ext-02: tcp 192.0.2.10 -> any 80',
      'ext-03: tcp 192.0.2.10 -> any 53',
      'ext-04: udp 192.0.2.10 -> any 53',
      'ext-05 pic-03: tcp any -> 192.0.2.10 443',
      'ext-14: udp any -> 192.0.2.30 3478',
      'ext-15: tcp any -> 192.0.2.30 443',
      'ext-16: tcp 192.0.2.30 -> any 443',
    ],
    [
      'ext-02: tcp 192.0.2.10(203.0.113.1) -> any 80',
      'ext-03: tcp 192.0.2.10(203.0.113.1) -> any 53',
      'ext-04: udp 192.0.2.10(203.0.113.1) -> any 53',
      'ext-05 pic-03: tcp any -> 192.0.2.10(203.0.113.1) 443',
      'ext-14: udp any -> 192.0.2.30(203.0.113.3) 3478',
      'ext-15: tcp any -> 192.0.2.30(203.0.113.3) 443',
      'ext-16: tcp 192.0.2.30(203.0.113.3) -> any 443',
    ],
  ],
];

for (const [title, edit, gone, come] of cases) {
  test(`the plan follows ${title}`, () => {
    const { gone: actualGone, come: actualCome } = change(edit);
    assert.deepEqual({ gone: actualGone, come: actualCome.sort() }, { gone, come: [...come].sort() });
  });
}

/** Settings of features that are off by default, in the document with everything on. */
const furtherCases: readonly [
  title: string,
  edit: readonly [string, string],
  gone: RegExp,
  come: string[],
][] = [
  [
    'media of public providers [setting policy.features.publicProviderMedia]',
    ['publicProviderMedia: true', 'publicProviderMedia: false'],
    /^(ext-09 pic-04|ext-13 pic-05|ext-14 pic-06): /,
    [
      'ext-09: tcp 192.0.2.30 -> any 443+1024-65535 by 50000-59999',
      'ext-13: udp 192.0.2.30 -> any 3478 by 3478',
      'ext-14: udp any -> 192.0.2.30 3478',
    ],
  ],
  [
    'the port for partners [setting policy.ports.accessFederation]',
    port('accessFederation: 5091'),
    /^ext-06 pic-01: /,
    ['ext-06 pic-01: tcp any -> 192.0.2.10 5091'],
  ],
  [
    'the port of conferences [setting policy.ports.webConferencing]',
    port('webConferencing: 444'),
    /^ext-08: /,
    ['ext-08: tcp any -> 192.0.2.20 444'],
  ],
  [
    'the internal port of conferences [setting policy.ports.webConferencingInternal]',
    port('webConferencingInternal: 8058'),
    /^int-04: /,
    ['int-04: tcp 10.45.32.11/32 -> 10.45.16.10 8058'],
  ],
  [
    'the TCP port of the relay [setting policy.ports.avTcp]',
    port('avTcp: 5349'),
    /^(ext-15|int-07): /,
    ['ext-15: tcp any -> 192.0.2.30 5349', 'int-07: tcp 10.45.0.0/16 -> 10.45.16.10 5349'],
  ],
  [
    'the port of XMPP [setting policy.ports.xmpp]',
    port('xmpp: 5270'),
    /^ext-01 xmpp-01: /,
    ['ext-01 xmpp-01: tcp any -> 192.0.2.10 5270'],
  ],
  [
    'the internal port of XMPP [setting policy.ports.xmppInternal]',
    port('xmppInternal: 5098'),
    /^int-01 xmpp-03: /,
    ['int-01 xmpp-03: tcp 10.45.32.11/32 -> 10.45.16.10 5098'],
  ],
  [
    'the port of the replica [setting policy.ports.replication]',
    port('replication: 4444'),
    /^int-08: /,
    ['int-08: tcp 10.45.32.11/32 -> 10.45.16.10 4444'],
  ],
  [
    'the ports of the logging agent [setting policy.ports.logging]',
    port('logging: 50101'),
    /^int-(09|10|11): /,
    [
      'int-09: tcp 10.45.0.0/16 -> 10.45.16.10 50101',
      'int-10: tcp 10.45.0.0/16 -> 10.45.16.10 50102',
      'int-11: tcp 10.45.0.0/16 -> 10.45.16.10 50103',
    ],
  ],
  [
    'servers that send SIP [setting policy.internalPeers.access]',
    policy('internalPeers: { access: [10.45.33.0/24] }'),
    /^int-02: /,
    ['int-02: tcp 10.45.33.0/24 -> 10.45.16.10 5061'],
  ],
  [
    'conferencing servers [setting policy.internalPeers.webConferencing]',
    policy('internalPeers: { webConferencing: [10.45.33.0/24] }'),
    /^int-04: /,
    ['int-04: tcp 10.45.33.0/24 -> 10.45.16.10 8057'],
  ],
  [
    'servers that ask for credentials [setting policy.internalPeers.avAuthentication]',
    policy('internalPeers: { avAuthentication: [10.45.33.0/24] }'),
    /^int-05: /,
    ['int-05: tcp 10.45.33.0/24 -> 10.45.16.10 5062'],
  ],
  [
    'media clients [setting policy.internalPeers.media]',
    policy('internalPeers: { media: [10.45.33.0/24] }'),
    /^int-0[67]: /,
    ['int-06: udp 10.45.33.0/24 -> 10.45.16.10 3478', 'int-07: tcp 10.45.33.0/24 -> 10.45.16.10 443'],
  ],
  [
    'XMPP gateways [setting policy.internalPeers.xmpp]',
    policy('internalPeers: { xmpp: [10.45.33.0/24] }'),
    /^int-01 xmpp-03: /,
    ['int-01 xmpp-03: tcp 10.45.33.0/24 -> 10.45.16.10 23456'],
  ],
  [
    'management stores [setting policy.internalPeers.replication]',
    policy('internalPeers: { replication: [10.45.33.0/24] }'),
    /^int-08: /,
    ['int-08: tcp 10.45.33.0/24 -> 10.45.16.10 4443'],
  ],
  [
    'log controllers [setting policy.internalPeers.logging]',
    policy('internalPeers: { logging: [10.45.33.0/24] }'),
    /^int-(09|10|11): /,
    [
      'int-09: tcp 10.45.33.0/24 -> 10.45.16.10 50001',
      'int-10: tcp 10.45.33.0/24 -> 10.45.16.10 50002',
      'int-11: tcp 10.45.33.0/24 -> 10.45.16.10 50003',
    ],
  ],
  [
    'the reverse proxy [setting policy.reverseProxy.addresses] [setting policy.reverseProxy.internalAddresses] ' +
      '[setting policy.reverseProxy.http] [setting policy.reverseProxy.webServices] [setting policy.reverseProxy.officeWebApps]',
    policy(
      'reverseProxy:\n    addresses: [192.0.2.40]\n    internalAddresses: [10.45.16.40]\n    http: true\n' +
        '    webServices: [10.45.32.11]\n    officeWebApps: [10.45.32.31]',
    ),
    /^-/,
    [
      'more-07: tcp any -> 192.0.2.40 443',
      'more-08: tcp any -> 192.0.2.40 80',
      'more-09: tcp 10.45.16.40 -> 10.45.32.11/32 4443',
      'more-10: tcp 10.45.16.40 -> 10.45.32.11/32 8080',
      'more-11: tcp 10.45.16.40 -> 10.45.32.31/32 443',
    ],
  ],
];

for (const [title, edit, gone, come] of furtherCases) {
  test(`with everything on, the plan follows ${title}`, () => {
    const actual = change(edit, everything);
    for (const line of actual.gone) assert.match(line, gone);
    assert.deepEqual(actual.come.sort(), come);
  });
}

const OWN = 'access: [192.0.2.10], webConferencing: [192.0.2.20], av: [192.0.2.30], internal: [10.45.16.10]';
const SECOND =
  'access: [192.0.2.11], webConferencing: [192.0.2.21], av: [192.0.2.31], internal: [10.45.16.11]';

function pool(balancing: string, rest = ''): string {
  const members = [OWN, SECOND].map(
    (addresses, index) => `      - { name: edge${index + 1}.example.com, addresses: { ${addresses} } }\n`,
  );
  return edited(
    everything,
    ...policy(`pool:\n    balancing: ${balancing}\n${rest}    members:\n${members.join('')}`),
  );
}

test(
  'a pool found by DNS: firewalls see every member, a host itself, and the relays one another ' +
    '[setting policy.pool.members[].name] [setting policy.pool.members[].addresses.access] ' +
    '[setting policy.pool.members[].addresses.webConferencing] [setting policy.pool.members[].addresses.av] ' +
    '[setting policy.pool.members[].addresses.internal]',
  () => {
    const firewall = lines(pool('dns'));
    const own = lines(pool('dns'), hostPortPlan);
    for (const line of [
      'ext-05 pic-03: tcp any -> 192.0.2.10+192.0.2.11 443',
      'ext-08: tcp any -> 192.0.2.20+192.0.2.21 443',
      'int-02: tcp 10.45.32.11/32 -> 10.45.16.10+10.45.16.11 5061',
      'more-05: udp 192.0.2.30+192.0.2.31 -> 192.0.2.30/32+192.0.2.31/32 50000-59999 by 50000-59999',
    ]) {
      assert.ok(firewall.includes(line), `${line} in ${firewall.join('\n')}`);
    }
    assert.ok(own.includes('ext-05 pic-03: tcp any -> 192.0.2.10 443'));
    assert.ok(own.every((line) => !/192\.0\.2\.[12]1 |10\.45\.16\.11 /.test(line)));
    assert.equal(planOf(pool('dns'), portPlan).scenario.id, 'S3');
  },
);

test(
  'a pool behind translation shows public addresses [setting policy.pool.members[].addresses.public.access] ' +
    '[setting policy.pool.members[].addresses.public.webConferencing] [setting policy.pool.members[].addresses.public.av]',
  () => {
    const shown = 'public: { access: [203.0.113.1], webConferencing: [203.0.113.2], av: [203.0.113.3] }';
    const translated = edited(
      edited(pool('dns'), `{ ${OWN} }`, `{ ${OWN}, ${shown} }`),
      '    internal: [10.45.16.10]\n',
      `    internal: [10.45.16.10]\n    ${shown}\n`,
    );
    const plan = lines(translated);
    assert.ok(plan.includes('ext-05 pic-03: tcp any -> 192.0.2.10(203.0.113.1)+192.0.2.11 443'));
    assert.ok(plan.includes('ext-08: tcp any -> 192.0.2.20(203.0.113.2)+192.0.2.21 443'));
    assert.ok(plan.includes('ext-15: tcp any -> 192.0.2.30(203.0.113.3)+192.0.2.31 443'));
    assert.equal(planOf(translated, portPlan).scenario.id, 'S4');
  },
);

test(
  'behind a load balancer, rows go to its addresses, to the members, or to both [setting policy.pool.balancing] ' +
    '[setting policy.pool.virtualAddresses.access] [setting policy.pool.virtualAddresses.webConferencing] ' +
    '[setting policy.pool.virtualAddresses.av] [setting policy.pool.virtualAddresses.internal]',
  () => {
    const virtual =
      '    virtualAddresses: { access: [192.0.2.110], webConferencing: [192.0.2.120], av: [192.0.2.130], internal: [10.45.16.110] }\n';
    const plan = lines(pool('hardware', virtual));
    for (const line of [
      'ext-05 pic-03: tcp any -> 192.0.2.110 443',
      'ext-08: tcp any -> 192.0.2.120 443',
      'ext-15: tcp any -> 192.0.2.130+192.0.2.30+192.0.2.31 443',
      'int-05: tcp 10.45.32.11/32 -> 10.45.16.110 5062',
      'int-04: tcp 10.45.32.11/32 -> 10.45.16.10+10.45.16.11 8057',
      'int-08: tcp 10.45.32.11/32 -> 10.45.16.10+10.45.16.11 4443',
    ]) {
      assert.ok(plan.includes(line), `${line} in ${plan.join('\n')}`);
    }
    const own = lines(pool('hardware', virtual), hostPortPlan);
    assert.ok(own.includes('ext-05 pic-03: tcp any -> 192.0.2.10 443'));
    assert.ok(!own.join().includes('.110'));
  },
);

test('narrower flows come before wider ones', () => {
  const flows = distinctFlows(planOf(pool('dns'), portPlan));
  const everybody = flows.findIndex(({ peers }) => peers === 'any');
  assert.ok(flows.slice(everybody).every(({ peers }) => peers === 'any'));
  const widest = flows.at(-1);
  assert.ok(widest?.rows.includes('ext-09') || widest?.rows.includes('ext-10'));
});
