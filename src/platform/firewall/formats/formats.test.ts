import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scenario } from '../../topology/testing/scenarios.ts';
import { firewallNames } from '../model/ruleset.ts';
import { firewallRuleset } from '../rulesets/ruleset.ts';
import { rulesIn, rulesOf } from '../testing/rulesets.ts';
import { csvCell, csvText } from './csv.ts';
import { formatNames, limitsOf } from './head.ts';
import { iptablesText } from './iptables.ts';
import { jsonText } from './json.ts';
import { nftablesText } from './nftables.ts';
import { renderRuleset } from './render.ts';

test('a cell of the CSV is quoted where it has to be, and is never a formula', () => {
  assert.equal(csvCell('10.45.0.0/16 192.0.2.1/32'), '10.45.0.0/16 192.0.2.1/32');
  assert.equal(csvCell('a "b", c'), '"a ""b"", c"');
  for (const text of ['=1+1', '+1', '-1', '@SUM(A1)', '\tx']) assert.equal(csvCell(text), `'${text}`);
  assert.equal(csvCell('=HYPERLINK("x","y")'), '"\'=HYPERLINK(""x"",""y"")"');
});

test('the CSV has a line for each rule, and as many cells in each', () => {
  const ruleset = rulesOf('host');
  const lines = csvText(ruleset).split('\r\n');
  assert.equal(lines.pop(), '');
  assert.equal(lines.length, rulesIn(ruleset).length + 1);
  const cells = (line: string) => line.replace(/"(?:[^"]|"")*"/g, 'quoted').split(',').length;
  assert.ok(lines.every((line) => cells(line) === cells(lines[0] ?? '')));
});

test('the JSON holds the rules as they are, with their comments', () => {
  const ruleset = firewallRuleset(scenario('everything'), 'host');
  const read = JSON.parse(jsonText(ruleset)) as {
    version: number;
    chains: { rules: { comment?: string; rows: string[] }[] }[];
  };
  assert.equal(read.version, 1);
  const rules = read.chains.flatMap((chain) => chain.rules);
  assert.deepEqual(
    rules.map(({ comment: _, ...rule }) => rule),
    JSON.parse(JSON.stringify(rulesIn(ruleset))),
  );
  for (const { rows, comment } of rules) {
    if (rows.length > 0) assert.equal(comment?.split(':')[0], rows.join(' '));
  }
});

test('every format says what it cannot say', () => {
  for (const firewall of firewallNames) {
    const ruleset = rulesOf(firewall);
    for (const format of formatNames) {
      const limits = limitsOf(ruleset, format);
      assert.ok(limits.length > 0);
      if (format === 'csv') continue;
      const text = renderRuleset(ruleset, format);
      for (const limit of limits) assert.ok(text.includes(limit), `${format}: ${limit}`);
    }
  }
});

test('a load begins with an empty table of our own and names no other', () => {
  for (const firewall of firewallNames) {
    const lines = nftablesText(rulesOf(firewall)).split('\n');
    const commands = lines.filter((line) => /^[^ #}]/.test(line));
    assert.deepEqual(commands, [
      'table inet sallyport',
      'delete table inet sallyport',
      'table inet sallyport {',
    ]);
  }
});

test('iptables gets a chain for what it cannot negate in one rule', () => {
  const networks: [string, string] = ['[10.45.0.0/16]', '[10.45.0.0/16, 192.168.7.0/24]'];
  const lines = iptablesText(rulesOf('external', [networks])).split('\n');
  const own = lines.filter((line) => line.includes('FORWARD_ext_05'));
  assert.deepEqual(own, [
    ':FORWARD_ext_05 - [0:0]',
    '-4 -A FORWARD -d 192.0.2.10/32 -p tcp --dport 443 -m conntrack --ctstate NEW -j FORWARD_ext_05',
    '-4 -A FORWARD_ext_05 -s 10.45.0.0/16 -j RETURN',
    '-4 -A FORWARD_ext_05 -s 192.168.7.0/24 -j RETURN',
    '-4 -A FORWARD_ext_05 -m comment --comment "ext-05 pic-03: Access Edge service" -j ACCEPT',
  ]);
});

test('iptables gets a line for each user', () => {
  const edits: [string, string][] = [['  internalCa:', '  runAs: sallyport\n  internalCa:']];
  const lines = iptablesText(rulesOf('host', edits))
    .split('\n')
    .filter((line) => line.includes('ext-04'));
  assert.deepEqual(
    lines.map((line) => / --uid-owner (\S+) /.exec(line)?.[1]),
    ['root', 'sallyport'],
  );
});
