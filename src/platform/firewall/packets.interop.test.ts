import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type EdgeDocument, parseEdgeDocument } from '#platform/topology';
import { edited } from '../topology/testing/documents.ts';
import { scenario, scenarioFile } from '../topology/testing/scenarios.ts';
import { virtualFiles } from '../topology/testing/virtual-files.ts';
import { renderRuleset } from './formats/render.ts';
import { firewallRuleset } from './rulesets/ruleset.ts';
import { addresses, cable, type Namespace, namespace, needsRoot } from './testing/namespaces.ts';

const PROBE = fileURLToPath(new URL('./testing/probe.ts', import.meta.url));
const USER = 'daemon';

/** One attempt from a namespace, and what came of it. */
function attempt(
  from: Namespace,
  transport: 'tcp' | 'udp',
  source: string,
  destination: string,
  user = 'root',
): string {
  const [address = '', port = '0'] = source.split(' ');
  return from
    .must(process.execPath, [PROBE, transport, user, address, port, ...destination.split(' ')])
    .trim();
}

async function answering(host: Namespace, ...ports: number[]): Promise<() => void> {
  const child = host.start(process.execPath, [PROBE, 'answer', ...ports.map(String)]);
  assert.ok(child.stdout !== null);
  const ended = once(child, 'exit').then(() => assert.fail('nobody answers'));
  await Promise.race([once(child.stdout, 'data'), ended]);
  ended.catch(() => {});
  return () => child.stdin?.end();
}

function counted(host: Namespace, counter: string): number {
  const text = host.must('nft', ['list', 'counter', 'inet', 'sallyport', counter]);
  return Number(/packets (\d+)/.exec(text)?.[1]);
}

function withUser(): EdgeDocument {
  const file = scenarioFile('s1-dual');
  const text = edited(readFileSync(file, 'utf8'), '  internalCa:', `  runAs: ${USER}\n  internalCa:`);
  const parsed = parseEdgeDocument(text, { file, files: virtualFiles });
  assert.ok(parsed.ok);
  return parsed.value;
}

/** Outside, the edge with an interface on either side, and the next hop behind it. */
function perimeter(role: string): { outside: Namespace; edge: Namespace; inside: Namespace; close(): void } {
  const [outside, edge, inside] = [
    namespace(`${role}-out`),
    namespace(`${role}-edge`),
    namespace(`${role}-in`),
  ];
  for (const host of [outside, edge, inside]) host.open();
  cable(edge, 'external', outside, 'edge');
  cable(edge, 'internal', inside, 'edge');
  addresses(outside, 'edge', '192.0.2.1/24', '2001:db8:1::1/64');
  addresses(edge, 'external', '192.0.2.10/24', '192.0.2.20/24', '192.0.2.30/24');
  addresses(edge, 'external', '2001:db8:1::10/64', '2001:db8:1::20/64', '2001:db8:1::30/64');
  addresses(edge, 'internal', '10.45.16.10/24', 'fd45:16::10/64');
  addresses(inside, 'edge', '10.45.16.1/24', 'fd45:16::1/64');
  addresses(inside, 'lo', '10.45.32.11/32', 'fd45:32::13/128');
  for (const [network, gateway] of [
    ['default', '192.0.2.1'],
    ['10.45.0.0/16', '10.45.16.1'],
    ['2000::/3', '2001:db8:1::1'],
    ['fd45::/16', 'fd45:16::1'],
  ] as const) {
    edge.must('ip', ['route', 'add', network, 'via', gateway]);
  }
  outside.must('ip', ['route', 'add', '10.45.16.0/24', 'via', '192.0.2.10']);
  addresses(outside, 'lo', '10.45.32.66/32', '169.254.9.9/32');
  inside.must('ip', ['route', 'add', '192.0.2.0/24', 'via', '10.45.16.10']);
  const close = () => {
    for (const host of [outside, edge, inside]) host.close();
  };
  return { outside, edge, inside, close };
}

const loaders = {
  nftables: (host: Namespace, document: EdgeDocument) => {
    host.must('nft', ['-f', '-'], renderRuleset(firewallRuleset(document, 'host'), 'nftables'));
  },
  iptables: (host: Namespace, document: EdgeDocument) => {
    const text = renderRuleset(firewallRuleset(document, 'host'), 'iptables');
    for (const program of ['iptables-restore', 'ip6tables-restore']) host.must(program, [], text);
  },
};

/** From, transport, source, destination, what comes of it, as whom. */
type Expectation = readonly ['outside' | 'inside' | 'edge', 'tcp' | 'udp', string, string, string, string?];

/** The answer would not find its way back. */
const ASYMMETRIC = new Set(['10.45.32.66 10.45.16.10 443', '192.0.2.10 10.45.32.11 5061']);

const expectations: readonly Expectation[] = [
  ['outside', 'tcp', '192.0.2.1', '192.0.2.10 443', 'open'],
  ['outside', 'tcp', '2001:db8:1::1', '2001:db8:1::10 443', 'open'],
  ['outside', 'udp', '192.0.2.1 7001', '192.0.2.30 3478', '192.0.2.1 7001'],
  ['outside', 'tcp', '192.0.2.1', '192.0.2.10 7777', 'silent'],
  ['outside', 'tcp', '2001:db8:1::1', '2001:db8:1::10 7777', 'silent'],
  ['outside', 'udp', '192.0.2.1 7002', '192.0.2.30 50000', 'silent'],
  ['outside', 'tcp', '192.0.2.1', '10.45.16.10 5061', 'silent'],
  ['outside', 'tcp', '10.45.32.66', '10.45.16.10 443', 'silent'],
  ['outside', 'udp', '169.254.9.9 7006', '192.0.2.30 3478', 'silent'],
  ['inside', 'tcp', '10.45.32.11', '10.45.16.10 5061', 'open'],
  ['inside', 'tcp', 'fd45:32::13', 'fd45:16::10 5061', 'open'],
  ['inside', 'tcp', '10.45.16.1', '10.45.16.10 5061', 'refused'],
  ['inside', 'tcp', '10.45.32.11', '10.45.16.10 7777', 'refused'],
  ['inside', 'tcp', 'fd45:32::13', 'fd45:16::10 7777', 'refused'],
  ['inside', 'udp', '10.45.32.11 7003', '10.45.16.10 7777', 'refused'],
  ['inside', 'tcp', '10.45.32.11', '192.0.2.10 443', 'silent'],
  ['edge', 'tcp', '10.45.16.10', '10.45.32.11 5061', 'open', USER],
  ['edge', 'tcp', 'fd45:16::10', 'fd45:32::13 5061', 'open', USER],
  ['edge', 'tcp', '10.45.16.10', '10.45.32.11 5061', 'refused', 'root'],
  ['edge', 'tcp', '192.0.2.10', '10.45.32.11 5061', 'refused', USER],
  ['edge', 'tcp', '10.45.16.10', '10.45.32.11 7777', 'refused', USER],
  ['edge', 'tcp', '192.0.2.30', '192.0.2.1 443', 'open', USER],
  ['edge', 'tcp', '192.0.2.10', '192.0.2.1 443', 'refused', USER],
  ['edge', 'tcp', '10.45.16.10', '192.0.2.1 5061', 'refused', USER],
  ['edge', 'tcp', '2001:db8:1::10', '2001:db8:1::1 7777', 'refused', USER],
  ['edge', 'udp', '192.0.2.30 50001', '192.0.2.1 7777', '192.0.2.30 50001', USER],
  ['edge', 'udp', '192.0.2.30 50002', '192.0.2.1 7777', 'refused', 'root'],
  ['edge', 'udp', '192.0.2.30 50003', '10.45.32.11 7777', 'refused', USER],
  ['edge', 'udp', '192.0.2.30 50004', '169.254.9.9 7777', 'refused', USER],
];

/** What the rules change: without them a mistake of the test would look like silence. */
const openWithoutRules = expectations.filter(([, , source, destination, outcome]) => {
  return (outcome === 'silent' || outcome === 'refused') && !ASYMMETRIC.has(`${source} ${destination}`);
});

for (const [format, load] of Object.entries(loaders)) {
  test(`an edge that has loaded its ${format} rules`, { skip: needsRoot }, async (t) => {
    const hosts = perimeter(format.slice(0, 3));
    t.after(() => hosts.close());
    const { outside, edge, inside } = hosts;
    for (const host of [outside, edge, inside]) t.after(await answering(host, 443, 3478, 5061, 7777, 50000));
    for (const [from, transport, source, destination] of openWithoutRules) {
      const before = attempt(hosts[from], transport, source, destination);
      assert.ok(before === 'open' || before === source, `${source} to ${destination}: ${before}`);
    }
    load(edge, withUser());
    for (const [from, transport, source, destination, expected, user = 'root'] of expectations) {
      await t.test(`${from} ${source} to ${transport} ${destination} as ${user}: ${expected}`, () => {
        assert.equal(attempt(hosts[from], transport, source, destination, user), expected);
      });
    }
    if (format === 'nftables') {
      await t.test('says by its counters what it dropped and why', () => {
        const reasons = [
          'spoofed',
          'misplaced',
          'wrong_interface',
          'dropped_in',
          'refused_in',
          'refused_out',
        ];
        for (const counter of reasons) assert.ok(counted(edge, counter) > 0, counter);
        assert.equal(counted(edge, 'forwarded'), 0);
      });
    }
    await t.test('marks relayed media, answers too', () => {
      const table =
        'table inet seen {\n counter marked {\n }\n chain in {\n type filter hook input priority 0;\n';
      const rule = 'udp sport { 3478, 50001 } ip dscp ef counter name "marked"\n }\n}\n';
      outside.must('nft', ['-f', '-'], `${table}${rule}`);
      attempt(outside, 'udp', '192.0.2.1 7005', '192.0.2.30 3478');
      attempt(edge, 'udp', '192.0.2.30 50001', '192.0.2.1 7777', USER);
      assert.match(outside.must('nft', ['list', 'counter', 'inet', 'seen', 'marked']), /packets 2 /);
    });
  });
}

/** Two edges behind a firewall that translates. */
function translatedPool(): { client: Namespace; firewall: Namespace; edges: Namespace[]; close(): void } {
  const [client, firewall] = [namespace('nat-out'), namespace('nat-fw')];
  const edges = [1, 2].map((number) => namespace(`nat-edge${number}`));
  const all = [client, firewall, ...edges];
  for (const host of all) host.open();
  cable(firewall, 'outside', client, 'firewall');
  addresses(firewall, 'outside', '198.51.100.1/24');
  addresses(client, 'firewall', '198.51.100.9/24');
  client.must('ip', ['route', 'add', 'default', 'via', '198.51.100.1']);
  firewall.must('ip', ['route', 'add', 'default', 'via', '198.51.100.9']);
  firewall.must('sysctl', ['-qw', 'net.ipv4.ip_forward=1', 'net.ipv4.conf.all.send_redirects=0']);
  for (const [index, edge] of edges.entries()) {
    const device = `edge${index + 1}`;
    cable(firewall, device, edge, 'external');
    addresses(firewall, device, '172.16.1.1/32');
    for (const last of [11, 21, 31]) {
      const address = `172.16.1.${last + index}/32`;
      addresses(edge, 'external', address);
      firewall.must('ip', ['route', 'add', address, 'dev', device]);
    }
    edge.must('ip', ['route', 'add', 'default', 'via', '172.16.1.1', 'dev', 'external', 'onlink']);
  }
  const close = () => {
    for (const host of all) host.close();
  };
  return { client, firewall, edges, close };
}

test('an external firewall that translates has loaded its rules', { skip: needsRoot }, async (t) => {
  const hosts = translatedPool();
  t.after(() => hosts.close());
  const { client, firewall, edges } = hosts;
  const [edge = client] = edges;
  const document = scenario('s4-dns-pool-nat');
  const ports = [443, 3478, 5061, 7777, 50002];
  for (const host of [client, ...edges]) t.after(await answering(host, ...ports));
  firewall.must('nft', ['-f', '-'], renderRuleset(firewallRuleset(document, 'external'), 'nftables'));
  for (const host of edges)
    loaders.nftables(host, { ...document, host: { ...document.host, ...nameOf(host, hosts) } });

  await t.test('what arrives keeps the source of the client', () => {
    assert.equal(attempt(client, 'udp', '198.51.100.9 7001', '203.0.113.31 3478'), '198.51.100.9 7001');
    assert.equal(attempt(client, 'tcp', '198.51.100.9', '203.0.113.12 443'), 'open');
  });
  await t.test('what leaves has the public address, and its own port', () => {
    assert.equal(attempt(edge, 'udp', '172.16.1.31 50001', '198.51.100.9 7777'), '203.0.113.31 50001');
  });
  await t.test('edges of the pool, and an edge and itself, meet by their public addresses', () => {
    assert.equal(attempt(edge, 'udp', '172.16.1.31 50001', '203.0.113.32 50002'), '203.0.113.31 50001');
    assert.equal(attempt(edge, 'tcp', '172.16.1.11', '203.0.113.12 5061'), 'open');
    assert.equal(attempt(edge, 'tcp', '172.16.1.11', '203.0.113.11 5061'), 'open');
  });
  await t.test('what is not in the plan, or asks for the address behind, gets no answer', () => {
    assert.equal(attempt(client, 'tcp', '198.51.100.9', '203.0.113.11 7777'), 'silent');
    assert.equal(attempt(client, 'udp', '198.51.100.9 7002', '203.0.113.31 50002'), 'silent');
    const before = counted(firewall, 'untranslated');
    assert.equal(attempt(client, 'tcp', '198.51.100.9', '172.16.1.11 443'), 'silent');
    assert.ok(counted(firewall, 'untranslated') > before);
  });
  await t.test('nobody outside has an address of the perimeter', () => {
    addresses(client, 'lo', '172.16.1.12/32', '203.0.113.12/32');
    assert.equal(attempt(client, 'udp', '172.16.1.12 7003', '203.0.113.31 3478'), 'silent');
    assert.ok(counted(firewall, 'spoofed') > 0);
    assert.equal(attempt(client, 'udp', '203.0.113.12 7004', '203.0.113.31 3478'), 'silent');
    assert.ok(counted(firewall, 'misplaced') > 0);
  });
});

/** The document as it is on that edge. */
function nameOf(host: Namespace, { edges }: { edges: Namespace[] }): Partial<EdgeDocument['host']> {
  const member = scenario('s4-dns-pool-nat').policy.pool.members[edges.indexOf(host)];
  assert.ok(member !== undefined);
  return { name: member.name, addresses: member.addresses };
}
