import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scenario } from '../../topology/testing/scenarios.ts';
import { nftablesText } from '../formats/nftables.ts';
import { sysctlText } from '../formats/sysctl.ts';
import { firewallRuleset } from '../rulesets/ruleset.ts';
import { namespace, needsRoot } from '../testing/namespaces.ts';
import type { Difference } from './compare.ts';
import { compareWithLoaded } from './loaded.ts';

const ruleset = firewallRuleset(scenario('everything'), 'host');
const host = namespace('diff');

function differences(): readonly Difference[] {
  const compared = compareWithLoaded(ruleset, host.run);
  assert.ok(compared.ok, compared.ok ? '' : compared.error);
  return compared.value;
}

function nft(...words: string[]): void {
  host.must('nft', words);
}

/** The handle of the first rule of a chain whose text holds this. */
function handleOf(chain: string, text: string): string {
  const line = host.must('nft', ['-a', 'list', 'chain', 'inet', 'sallyport', chain]).split('\n');
  return / # handle (\d+)$/.exec(line.find((one) => one.includes(text)) ?? '')?.[1] ?? 'none';
}

function only(): Difference {
  const [difference, ...more] = differences();
  assert.ok(difference !== undefined);
  assert.deepEqual(more, []);
  return difference;
}

test('the difference between the plan and what is loaded', { skip: needsRoot }, async (t) => {
  t.before(() => host.open());
  t.after(() => host.close());
  t.beforeEach(() => {
    nft('flush', 'ruleset');
    host.must('nft', ['-f', '-'], nftablesText(ruleset));
    host.must('sysctl', ['-q', '-p', '-'], sysctlText(ruleset));
  });

  await t.test('there is none after a load, and after two', () => {
    assert.deepEqual(differences(), []);
    host.must('nft', ['-f', '-'], nftablesText(ruleset));
    assert.deepEqual(differences(), []);
  });

  await t.test('the kernel may give away a port of the relay range', () => {
    host.must('sysctl', ['-qw', 'net.ipv4.ip_local_reserved_ports=3478,50000-50100']);
    const { kind, what } = only();
    assert.equal(kind, 'missing');
    assert.match(what, /^net\.ipv4\.ip_local_reserved_ports is "3478,50000-50100" and lacks .*50000-59999:/);
  });

  await t.test('nothing is loaded', () => {
    nft('flush', 'ruleset');
    assert.match(only().what, /^table inet sallyport is not loaded/);
  });

  await t.test('a rule is missing: the rows that it carries care', () => {
    nft('delete', 'rule', 'inet', 'sallyport', 'incoming', 'handle', handleOf('incoming', 'ext_05'));
    const { kind, what, rows } = only();
    assert.equal(kind, 'missing');
    assert.match(
      what,
      /^chain incoming lacks "ip saddr != 10\.45\.0\.0\/16 ip daddr 192\.0\.2\.11 tcp dport 443 /,
    );
    assert.deepEqual(rows, ['ext-05', 'pic-03']);
  });

  await t.test('a rule that denies is missing: what it denied is open', () => {
    for (const [chain, counter] of [
      ['arriving', 'spoofed'],
      ['incoming', 'wrong_interface'],
      ['incoming', 'misplaced'],
    ] as const) {
      host.must('nft', ['-f', '-'], nftablesText(ruleset));
      nft('delete', 'rule', 'inet', 'sallyport', chain, 'handle', handleOf(chain, `"${counter}"`));
      assert.equal(only().kind, 'too open', counter);
    }
    nft('delete', 'chain', 'inet', 'sallyport', 'arriving');
    assert.ok(differences().some(({ kind, what }) => kind === 'too open' && /^chain arriving/.test(what)));
  });

  await t.test('the last rule of a chain only counts: the policy denies without it', () => {
    nft('delete', 'rule', 'inet', 'sallyport', 'incoming', 'handle', handleOf('incoming', 'dropped_in'));
    assert.equal(only().kind, 'missing');
  });

  await t.test('a rule lets in what nobody planned', () => {
    nft('insert', 'rule', 'inet', 'sallyport', 'incoming', 'tcp', 'dport', '9999', 'accept');
    const { kind, what } = only();
    assert.equal(kind, 'too open');
    assert.match(what, /^chain incoming has "tcp dport 9999 accept" before "iif "lo" /);
  });

  await t.test('a rule closes more than was planned', () => {
    nft('insert', 'rule', 'inet', 'sallyport', 'incoming', 'ip', 'saddr', '198.51.100.66', 'drop');
    assert.equal(only().kind, 'extra');
  });

  await t.test('a rule accepts more than it did', () => {
    const handle = handleOf('incoming', 'ext_05');
    const wider = 'ip daddr 192.0.2.11 tcp dport 400-500 accept comment "ext-05 pic-03: Access Edge service"';
    nft('replace', 'rule', 'inet', 'sallyport', 'incoming', 'handle', handle, wider);
    assert.deepEqual(
      differences().map(({ kind, rows }) => [kind, rows]),
      [
        ['missing', ['ext-05', 'pic-03']],
        ['too open', ['ext-05', 'pic-03']],
      ],
    );
  });

  await t.test('a rule stands before one that should decide first', () => {
    const text = host.must('nft', ['-s', 'list', 'chain', 'inet', 'sallyport', 'outgoing']);
    const rule = text.split('\n').find((line) => line.includes('ext-10')) ?? '';
    nft('delete', 'rule', 'inet', 'sallyport', 'outgoing', 'handle', handleOf('outgoing', 'ext-10'));
    nft('insert', 'rule', 'inet', 'sallyport', 'outgoing', rule.trim());
    const { kind, rows } = only();
    assert.equal(kind, 'order');
    assert.deepEqual(rows, ['ext-10']);
  });

  await t.test('a chain accepts by default', () => {
    nft('chain', 'inet', 'sallyport', 'forwarded', '{ policy accept; }');
    const { kind, what } = only();
    assert.equal(kind, 'too open');
    assert.match(what, /^the policy of chain forwarded is "accept", not drop/);
  });

  await t.test('a chain is not there, or hangs elsewhere', () => {
    nft('flush', 'chain', 'inet', 'sallyport', 'outgoing');
    nft('delete', 'chain', 'inet', 'sallyport', 'outgoing');
    assert.match(only().what, /^chain outgoing \(filter output 0\) is not there/);
    assert.ok(only().rows.includes('int-03'));
    nft(
      'add',
      'chain',
      'inet',
      'sallyport',
      'outgoing',
      '{ type filter hook postrouting priority 0; policy drop; }',
    );
    assert.match(differences()[0]?.what ?? '', /hangs at "filter postrouting 0", not at filter output 0/);
  });

  await t.test('another table translates, by nft or by iptables; other filters are not our business', () => {
    nft('add', 'table', 'ip', 'theirs');
    nft('add', 'chain', 'ip', 'theirs', 'input', '{ type filter hook input priority 10; policy accept; }');
    nft('add', 'rule', 'ip', 'theirs', 'input', 'tcp', 'dport', '22', 'accept');
    assert.deepEqual(differences(), []);
    nft('add', 'chain', 'ip', 'theirs', 'pre', '{ type nat hook prerouting priority -100; }');
    nft('add', 'rule', 'ip', 'theirs', 'pre', 'tcp', 'dport', '5061', 'redirect', 'to', ':80');
    const redirect = ['-t', 'nat', '-A', 'PREROUTING', '-p', 'tcp', '--dport', '443', '-j', 'REDIRECT'];
    host.must('iptables', [...redirect, '--to-ports', '8443']);
    const found = differences();
    assert.deepEqual(
      found.map(({ kind }) => kind),
      ['interference', 'interference'],
    );
    assert.match(found[0]?.what ?? '', /^table "ip theirs", chain "pre" has a rule with redirect/);
    assert.match(found[1]?.what ?? '', /^table "ip nat", chain "PREROUTING" has a rule with REDIRECT/i);
  });

  await t.test(
    'another table writes into packets, or gives them to a program; marks are not our business',
    () => {
      const table = 'table ip theirs {\n chain late {\n type filter hook input priority 10;\n';
      const rules = [
        'ip dscp set 0',
        'tcp flags syn tcp option maxseg size set 1200',
        'meta mark set 1',
        'tcp dport 443 tcp dport set 22',
        'ip daddr 192.0.2.99 ip daddr set 192.0.2.11',
      ];
      host.must('nft', ['-f', '-'], `${table}${rules.join('\n')}\n }\n}\n`);
      host.must('iptables', ['-A', 'INPUT', '-p', 'udp', '-j', 'NFQUEUE', '--queue-num', '1']);
      const place = 'table "ip theirs", chain "late" has a rule with';
      assert.deepEqual(
        differences().map(({ kind, what }) => [
          kind,
          what.replace(', which changes packets unseen by the plan', ''),
        ]),
        [
          ['interference', `${place} tcp dport set`],
          ['interference', `${place} ip daddr set`],
          ['interference', 'table "ip filter", chain "INPUT" has a rule with NFQUEUE'],
        ],
      );
    },
  );

  await t.test('the table sleeps', () => {
    const asleep = nftablesText(ruleset).replace(
      'table inet sallyport {',
      'table inet sallyport {\n  flags dormant;',
    );
    host.must('nft', ['-f', '-'], asleep);
    assert.match(only().what, /is dormant/);
  });
});
