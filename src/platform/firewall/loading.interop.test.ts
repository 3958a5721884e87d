import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scenario, scenarioNames } from '../topology/testing/scenarios.ts';
import { renderRuleset } from './formats/render.ts';
import { firewallNames, type Ruleset } from './model/ruleset.ts';
import { firewallRuleset } from './rulesets/ruleset.ts';
import { namespace, needsRoot } from './testing/namespaces.ts';
import { rulesOf } from './testing/rulesets.ts';

const host = namespace('load');

/** An account that every system has. */
const runAs: [string, string] = ['  internalCa:', '  runAs: daemon\n  internalCa:'];
const networks: [string, string] = ['[10.45.0.0/16]', '[10.45.0.0/16, 10.45.32.0/24, 192.168.7.0/24]'];
const federation: [string, string] = ['  relay:', '  features: { federation: true }\n  relay:'];

const cases: readonly (readonly [string, Ruleset])[] = [
  ...scenarioNames.flatMap((name) =>
    firewallNames.map(
      (firewall) => [`${name}, ${firewall}`, firewallRuleset(scenario(name), firewall)] as const,
    ),
  ),
  ...firewallNames.map(
    (firewall) =>
      [
        `users, several networks, a log, ${firewall}`,
        rulesOf(firewall, [runAs, networks, federation], { log: true }),
      ] as const,
  ),
];

function loadByNft(text: string): string {
  host.must('nft', ['-f', '-'], text);
  return host.must('nft', ['-s', 'list', 'ruleset']);
}

function loadByIptables(text: string): string {
  host.must('iptables-restore', [], text);
  host.must('ip6tables-restore', [], text);
  return ['iptables-save', 'ip6tables-save']
    .map((program) => host.must(program, []).replace(/^#.*$/gm, ''))
    .join('\n');
}

test('the real tools take the rules, once and twice', { skip: needsRoot }, async (t) => {
  t.before(() => {
    host.open();
    host.must('nft', ['add', 'table', 'inet', 'theirs']);
    host.must('nft', ['add', 'chain', 'inet', 'theirs', 'untouched']);
  });
  t.after(() => host.close());

  for (const [name, ruleset] of cases) {
    await t.test(`nft: ${name}`, () => {
      const text = renderRuleset(ruleset, 'nftables');
      const once = loadByNft(text);
      assert.equal(loadByNft(text), once);
      assert.match(once, /^table inet theirs \{\n\tchain untouched/m);
      const rules = ruleset.chains.reduce((sum, chain) => sum + chain.rules.length, 0);
      const listed = host.must('nft', ['-a', 'list', 'table', 'inet', 'sallyport']);
      assert.equal((listed.match(/^\t\t.* # handle \d+$/gm) ?? []).length, rules, 'every rule is there');
    });
  }

  host.must('nft', ['flush', 'ruleset']);
  for (const [name, ruleset] of cases) {
    await t.test(`iptables: ${name}`, () => {
      const text = renderRuleset(ruleset, 'iptables');
      const once = loadByIptables(text);
      assert.equal(loadByIptables(text), once);
      for (const row of new Set(ruleset.chains.flatMap(({ rules }) => rules.flatMap(({ rows }) => rows)))) {
        assert.ok(once.includes(row), `${row} is in a comment`);
      }
    });
  }

  await t.test('a mistake in the rules is found', () => {
    const text = renderRuleset(rulesOf('host'), 'nftables');
    assert.throws(() => loadByNft(text.replace('ct state new', 'ct state neu')), /neu/);
    assert.throws(() => loadByIptables('*filter\n-A INPUT -j NOWHERE\nCOMMIT\n'), /NOWHERE/);
  });

  await t.test('the kernel takes the settings', () => {
    const text = renderRuleset(rulesOf('host'), 'sysctl');
    host.must('sysctl', ['-p', '-'], text);
    assert.equal(
      host.must('sysctl', ['-n', 'net.ipv4.ip_local_reserved_ports']).trim(),
      '3478,5061-5062,9180,50000-59999',
    );
  });
});
