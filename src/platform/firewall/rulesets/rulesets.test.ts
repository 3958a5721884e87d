import assert from 'node:assert/strict';
import { test } from 'node:test';
import { distinctFlows, hostPortPlan, networksOverlap, portPlan } from '#platform/topology';
import { scenario, scenarioNames } from '../../topology/testing/scenarios.ts';
import { networksOf } from '../model/networks.ts';
import {
  type AddressMatch,
  type FirewallName,
  firewallNames,
  type Match,
  type Rule,
} from '../model/ruleset.ts';
import { rulesFor, rulesIn, rulesOf } from '../testing/rulesets.ts';
import { firewallRuleset } from './ruleset.ts';

const cases = scenarioNames.flatMap((name) => firewallNames.map((firewall) => ({ name, firewall })));

function plannedRows(name: (typeof scenarioNames)[number], firewall: FirewallName): string[] {
  const document = scenario(name);
  const flows = distinctFlows(firewall === 'host' ? hostPortPlan(document) : portPlan(document));
  const here = flows.filter((flow) => firewall === 'host' || flow.interface === firewall);
  return [...new Set(here.flatMap(({ rows }) => rows))].sort();
}

for (const { name, firewall } of cases) {
  const ruleset = firewallRuleset(scenario(name), firewall);

  test(`${name}, ${firewall}: the rules carry the rows of the plan, and accept nothing new without a row`, () => {
    const carried = new Set(rulesIn(ruleset).flatMap(({ rows }) => rows));
    assert.deepEqual([...carried].sort(), plannedRows(name, firewall));
    for (const { match, action, rows } of rulesIn(ruleset)) {
      if (action.kind !== 'accept' || rows.length > 0) continue;
      const harmless = match.loopback === true || match.icmp !== undefined || match.state !== undefined;
      assert.ok(harmless && match.state !== 'new', JSON.stringify(match));
    }
  });

  test(`${name}, ${firewall}: every chain that decides denies by default and counts what it denies`, () => {
    const deciding = ruleset.chains.filter(({ hook }) => ['input', 'output', 'forward'].includes(hook));
    assert.ok(deciding.length > 0);
    for (const { policy, rules } of deciding) {
      assert.equal(policy, 'drop');
      const last = rules.at(-1);
      assert.deepEqual(last?.match, {});
      assert.ok(last?.action.kind === 'drop' || last?.action.kind === 'reject');
      assert.ok(last?.counter !== undefined);
    }
  });

  test(`${name}, ${firewall}: each rule of rows has a counter of its own`, () => {
    const counters = rulesIn(ruleset).flatMap(({ rows, counter }) => (rows.length > 0 ? [counter] : []));
    assert.equal(new Set(counters).size, counters.length);
    assert.ok(
      counters.every((counter) => /^[a-z]+_\d\d(_v6)?(_\d+)?$/.test(counter ?? '')),
      `${counters}`,
    );
  });

  test(`${name}, ${firewall}: no rule stands behind one that takes everything it would take`, () => {
    for (const { rules } of ruleset.chains) {
      for (const [at, rule] of rules.entries()) {
        const taker = rules
          .slice(0, at)
          .find((earlier) => earlier.action.kind === 'accept' && covers(earlier, rule));
        assert.equal(taker, undefined, JSON.stringify(rule));
      }
    }
  });

  test(`${name}, ${firewall}: "any" never means an internal address`, () => {
    for (const { match, rows } of rulesIn(ruleset)) {
      if (!rows.some((row) => row.startsWith('ext-'))) continue;
      const family = match.family ?? 4;
      const internal = networksOf(family, scenario(name).policy.internalNetworks);
      for (const side of [match.source, match.destination]) {
        if (internal.length === 0) continue;
        assert.ok(side !== undefined, 'neither side is everybody');
        for (const network of internal) assert.ok(!mayBe(side, network), JSON.stringify(match));
      }
    }
  });
}

/** Whether nothing of the network gets past the rule: it is one of those that it refuses. */
function refuses(rule: Rule, side: 'source' | 'destination', network: string): boolean {
  const { family, [side]: match, ...others } = rule.match;
  const whole = Object.keys(others).length === 0 && match?.except !== true;
  return (
    (rule.action.kind === 'drop' || rule.action.kind === 'reject') &&
    whole &&
    match !== undefined &&
    family !== undefined &&
    networksOf(family, [network, ...match.networks]).every((one) => match.networks.includes(one))
  );
}

const nobody = {
  4: ['127.0.0.0/8', '169.254.169.254/32', '224.0.0.0/4', '240.0.0.0/4'],
  6: ['::/128', '::1/128', '::ffff:10.45.32.11/128', '::10.45.32.11/128', 'fe80::/64', 'ff02::/16'],
} as const;

for (const { name, firewall } of cases) {
  test(`${name}, ${firewall}: "any" never means an address that nobody outside has`, () => {
    for (const { rules } of firewallRuleset(scenario(name), firewall).chains) {
      for (const [at, { match, rows }] of rules.entries()) {
        for (const side of ['source', 'destination'] as const) {
          if (rows.length === 0 || (match[side] !== undefined && match[side].except !== true)) continue;
          for (const network of nobody[match.family ?? 4]) {
            const refused = rules.slice(0, at).some((rule) => refuses(rule, side, network));
            assert.ok(refused, `${rows} ${side} ${network}`);
          }
        }
      }
    }
  });
}

test('a resolver on the link is asked all the same, because the document names it', () => {
  const resolver: [string, string] = ['  internalCa:', '  resolvers: [169.254.169.253]\n  internalCa:'];
  const rules = rulesIn(rulesOf('host', [resolver]));
  const asks = rules.findIndex(({ rows }) => rows.includes('ext-04'));
  const nowhere = rules.findIndex((rule) => refuses(rule, 'destination', '169.254.169.253/32'));
  assert.deepEqual(rules[asks]?.match.destination, { networks: ['169.254.169.253/32'] });
  assert.ok(nowhere > asks);
});

test('routers do not announce themselves to an edge: its routes are written', () => {
  const rules = rulesIn(firewallRuleset(scenario('s1-dual'), 'host'));
  const heard = rules.filter(({ match }) => match.icmp?.includes('nd-router-advert'));
  assert.deepEqual(
    heard.map(({ action, counter }) => [action.kind, counter]),
    [['drop', 'router_advert']],
  );
});

/** Whether the earlier rule matches whatever the later one does, for the conditions that rows have. */
function covers(earlier: Rule, later: Rule): boolean {
  const [a, b] = [earlier.match, later.match];
  if (b.family !== undefined && a.family !== undefined && a.family !== b.family) return false;
  const same = (key: keyof Match) =>
    a[key] === undefined || JSON.stringify(a[key]) === JSON.stringify(b[key]);
  const rest = [
    'loopback',
    'transport',
    'icmp',
    'fromLink',
    'tcpReset',
    'state',
    'users',
    'special',
  ] as const;
  return (
    (a.family === undefined || a.family === b.family) &&
    rest.every(same) &&
    coversAddresses(a.source, b.source) &&
    coversAddresses(a.destination, b.destination) &&
    coversPorts(a.sourcePorts, b.sourcePorts) &&
    coversPorts(a.ports, b.ports)
  );
}

function coversAddresses(a: AddressMatch | undefined, b: AddressMatch | undefined): boolean {
  if (a === undefined) return true;
  if (b === undefined) return false;
  if (a.except === true) {
    return b.except === true
      ? JSON.stringify(a) === JSON.stringify(b)
      : b.networks.every((network) => !a.networks.some((out) => networksOverlap(network, out)));
  }
  return b.except !== true && b.networks.every((network) => a.networks.includes(network));
}

function coversPorts(a: Match['ports'], b: Match['ports']): boolean {
  if (a === undefined) return true;
  return (
    b?.every((range) => a.some(({ first, last }) => first <= range.first && range.last <= last)) ?? false
  );
}

/** Whether some address of the network matches. */
function mayBe(match: AddressMatch, network: string): boolean {
  const hit = match.networks.some((other) => networksOverlap(other, network));
  return match.except === true ? !hit : hit;
}

test('the relay marks its media, and zero is no mark [setting policy.relay.dscp]', () => {
  const marks = (dscp: number) =>
    rulesIn(rulesOf('host', [['  relay:', `  relay:\n    dscp: ${dscp}`]])).filter(
      ({ action }) => action.kind === 'mark',
    );
  assert.deepEqual(
    marks(34).map(({ match, action }) => [match.source?.networks, match.sourcePorts, action]),
    [
      [
        ['192.0.2.30/32'],
        [
          { first: 3478, last: 3478 },
          { first: 50000, last: 59999 },
        ],
        { kind: 'mark', dscp: 34 },
      ],
      [['10.45.16.10/32'], [{ first: 3478, last: 3478 }], { kind: 'mark', dscp: 34 }],
    ],
  );
  assert.deepEqual(marks(0), []);
});

test('what leaves the host is limited to the user that opens it [setting host.runAs]', () => {
  const federated: [string, string][] = [['  relay:', '  features: { federation: true }\n  relay:']];
  const users = (row: string, edits: [string, string][]) =>
    rulesFor(rulesOf('host', [...federated, ...edits]), row).map(({ match }) => match.users);
  const runAs: [string, string][] = [['  internalCa:', '  runAs: sallyport\n  internalCa:']];
  assert.deepEqual(users('int-03', runAs), [['sallyport']]);
  assert.deepEqual(users('ext-10', runAs), [['sallyport']]);
  assert.deepEqual(users('ext-13', runAs), [['root', 'sallyport']], 'the supervisor has bound that socket');
  assert.deepEqual(users('ext-04', runAs), [['root', 'sallyport']], 'the checks of the operator ask too');
  assert.deepEqual(users('int-02', runAs), [undefined], 'what arrives has no user');
  assert.deepEqual(users('int-03', []), [undefined]);
});

test('the clock of the host is not ours and has any user', () => {
  const edits: [string, string][] = [
    ['  internalCa:', '  runAs: sallyport\n  timeServers: [198.51.100.7]\n  internalCa:'],
  ];
  const [rule, ...more] = rulesFor(rulesOf('host', edits), 'more-03');
  assert.deepEqual(more, []);
  assert.deepEqual(rule?.match.destination, { networks: ['198.51.100.7/32'] });
  assert.equal(rule?.match.users, undefined);
});

test('SSH is open to the administrators only, and not without them', () => {
  assert.deepEqual(rulesFor(rulesOf('host'), 'more-04'), []);
  const remote: [string, string][] = [
    ['    metrics:', '    remote: { networks: [10.45.99.0/24], port: 2222 }\n    metrics:'],
  ];
  for (const firewall of ['host', 'internal'] as const) {
    const [rule] = rulesFor(rulesOf(firewall, remote), 'more-04');
    assert.deepEqual(rule?.match.source, { networks: ['10.45.99.0/24'] });
    assert.deepEqual(rule?.match.ports, [{ first: 2222, last: 2222 }]);
  }
});

test('a firewall that translates keeps the source of what arrives and uses the same pairs both ways', () => {
  const { chains } = firewallRuleset(scenario('s4-dns-pool-nat'), 'external');
  const pairs = (hook: string, side: 'source' | 'destination') =>
    chains
      .find((chain) => chain.hook === hook)
      ?.rules.map(({ match, action }) => {
        assert.ok(action.kind === 'translate');
        assert.equal(match.transport, undefined, 'errors about flows are translated too');
        return [match[side]?.networks.join(), action.to];
      });
  const inward = pairs('destination-translation', 'destination');
  const outward = pairs('source-translation', 'source');
  assert.equal(inward?.length, 6);
  const turned = outward?.map(([from, to]) => [`${to}/32`, from?.replace('/32', '')]);
  assert.deepEqual(inward, turned);
  const forward = chains.find(({ hook }) => hook === 'forward')?.rules ?? [];
  const shown = forward.flatMap(({ match, action }) =>
    action.kind === 'accept'
      ? [...(match.source?.networks ?? []), ...(match.destination?.networks ?? [])]
      : [],
  );
  assert.ok(
    !shown.some((network) => network.startsWith('203.0.113.')),
    'rules speak of the addresses behind',
  );
});

test('relays of a translated pool meet by their public addresses on the host, by the others at the firewall', () => {
  const document = scenario('s4-dns-pool-nat');
  const [host] = rulesFor(firewallRuleset(document, 'host'), 'more-05');
  assert.deepEqual(host?.match.destination?.networks, ['203.0.113.31/32', '203.0.113.32/32']);
  const [external, ...more] = rulesFor(firewallRuleset(document, 'external'), 'more-05');
  assert.deepEqual(external?.match.destination?.networks, ['172.16.1.31/32', '172.16.1.32/32']);
  assert.deepEqual(external?.rows, ['more-05', 'more-06'], 'one flow at the firewall');
  assert.deepEqual(more, []);
});

test('next hop members on different ports are rules of one row with counters of their own', () => {
  const member = '- { name: fe1.example.com, address: 10.45.32.11, port: 5061 }';
  const second = `${member}\n      - { name: fe2.example.com, address: 10.45.32.12, port: 5071 }`;
  const rules = rulesFor(rulesOf('internal', [[member, second]]), 'int-03');
  assert.deepEqual(
    rules.map(({ counter, match }) => [counter, match.destination?.networks, match.ports]),
    [
      ['int_03', ['10.45.32.11/32'], [{ first: 5061, last: 5061 }]],
      ['int_03_2', ['10.45.32.12/32'], [{ first: 5071, last: 5071 }]],
    ],
  );
});

test('networks within networks are said once, or nft would refuse the set', () => {
  const edits: [string, string][] = [
    ['internalNetworks: [10.45.0.0/16]', 'internalNetworks: [10.45.0.0/16, 10.45.32.0/24, 192.168.7.0/24]'],
  ];
  const [rule] = rulesFor(rulesOf('host', edits), 'ext-05');
  assert.deepEqual(rule?.match.source, { networks: ['10.45.0.0/16', '192.168.7.0/24'], except: true });
});

test('the relay range and the ports of services are kept from outgoing connections', () => {
  assert.deepEqual(rulesOf('host').reservedPorts, [
    { first: 3478, last: 3478 },
    { first: 5061, last: 5062 },
    { first: 9180, last: 9180 },
    { first: 50000, last: 59999 },
  ]);
  const moved = rulesOf('host', [['{ first: 50000, last: 59999 }', '{ first: 40000, last: 40999 }']]);
  assert.deepEqual(moved.reservedPorts.at(-1), { first: 40000, last: 40999 });
});

test('drops are logged when asked for, at most so often', () => {
  const logs = (log: boolean) =>
    firewallNames.map(
      (firewall) =>
        rulesIn(rulesOf(firewall, [], { log })).filter(({ action }) => action.kind === 'log').length,
    );
  assert.deepEqual(logs(true), [1, 1, 2]);
  assert.deepEqual(logs(false), [0, 0, 0]);
});

test('the load balancer is noted, because the plan cannot know how it rewrites sources', () => {
  const notes = (firewall: FirewallName) =>
    firewallRuleset(scenario('s5-hardware'), firewall).notes.join('\n');
  assert.match(notes('external'), /load balancer/);
  assert.match(notes('internal'), /load balancer/);
  assert.doesNotMatch(notes('host'), /load balancer/);
});
