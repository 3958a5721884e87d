import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rulesOf } from '../testing/rulesets.ts';
import { type CommandOutcome, compareWithLoaded, type RunCommand, runOnHost } from './loaded.ts';

const EMPTY = '{"nftables": [{"metainfo": {"version": "1.0.6"}}]}';

function done(out: string): CommandOutcome {
  return { status: 0, out, error: '' };
}

/** A host that answers by the whole command line. */
function host(answers: Readonly<Record<string, CommandOutcome>>): RunCommand {
  return (program, parameters) => {
    const line = [program, ...parameters].join(' ');
    const [, answer] = Object.entries(answers).find(([start]) => line.startsWith(start)) ?? [];
    assert.ok(answer !== undefined, `nobody expected "${line}"`);
    return answer;
  };
}

const SETTINGS = done('3478,5061-5062,9180,50000-59999\n1\n2\n');

function errorOf(run: RunCommand): string {
  const compared = compareWithLoaded(rulesOf('host'), run);
  assert.ok(!compared.ok);
  return compared.error;
}

test('a host without nft, or a user who may not list, is told what to do', () => {
  const absent = (program: string) => runOnHost(`${program}-that-nobody-has`, []);
  assert.match(
    errorOf(absent),
    /^the rules of this host cannot be listed \(.*ENOENT\): run this as root on a host that has nft \(nftables\)/,
  );
  const refused = { status: 1, out: '', error: 'Operation not permitted (you must be root)\n' };
  assert.match(
    errorOf(host({ 'nft -a': refused })),
    /\(Operation not permitted \(you must be root\)\): run this as root/,
  );
});

test('an answer that cannot be read is an error, not "no difference"', () => {
  for (const answer of [
    '{"nftables": [{"table": {"family": "inet", "name": "x", "flags": ',
    '[]',
    '{"nftables": 7}',
  ]) {
    const run = host({ 'nft -a': done(''), 'nft -j': done(answer) });
    assert.match(errorOf(run), /^the rules of this host cannot be listed: nft -j list ruleset .* JSON/);
  }
});

test('rules that nft of this host does not take are its word', () => {
  const refused = { status: 1, out: '', error: '/dev/stdin:9:1-7: Error: User does not exist\n' };
  const run = host({ 'nft -a': done(''), 'nft -j': done(EMPTY), unshare: refused });
  assert.match(errorOf(run), /^nft does not take the rules of the document \(.*User does not exist\)/);
});

test('a dormant table is told although its JSON cannot be read', () => {
  const text = 'table inet sallyport { # handle 1\n\tflags dormant\n}\n';
  const compared = compareWithLoaded(rulesOf('host'), host({ 'nft -a': done(text) }));
  assert.ok(compared.ok);
  assert.match(compared.value[0]?.what ?? '', /is dormant/);
});

test('a flow table, a queue and a proxy of another table are told, also where this kernel has none of them', () => {
  const ours = { table: { family: 'inet', name: 'sallyport' } };
  const rule = (handle: number, statement: unknown) => ({
    rule: { family: 'ip', table: 'theirs', chain: 'c', handle, expr: [statement] },
  });
  const theirs = [
    { table: { family: 'ip', name: 'theirs' } },
    {
      chain: {
        family: 'ip',
        table: 'theirs',
        name: 'c',
        type: 'filter',
        hook: 'forward',
        prio: 0,
        policy: 'accept',
      },
    },
    rule(2, { flow: { op: 'add', flowtable: '@f' } }),
    rule(3, { queue: { num: 0 } }),
    rule(4, { synproxy: { mss: 1460, wscale: 7 } }),
    rule(5, { mangle: { key: { payload: { base: 'th', offset: 16, len: 16 } }, value: 22 } }),
    rule(6, { accept: null }),
  ];
  const text = (...nftables: unknown[]) => done(JSON.stringify({ nftables }));
  const run = host({
    'nft -a': done(''),
    'nft -j': text(ours, ...theirs),
    unshare: text(ours),
    sysctl: SETTINGS,
  });
  const compared = compareWithLoaded(rulesOf('host'), run);
  assert.ok(compared.ok);
  assert.deepEqual(
    compared.value.map(({ kind, what }) => [kind, / with (.*), which /.exec(what)?.[1]]),
    [
      ['interference', 'flow'],
      ['interference', 'queue'],
      ['interference', 'synproxy'],
      ['interference', 'raw bytes set'],
    ],
  );
});

test('settings of the kernel are compared for the host of an edge, and a stricter one will do', () => {
  const ours = JSON.stringify({ nftables: [{ table: { family: 'inet', name: 'sallyport' } }] });
  const differences = (firewall: 'host' | 'external', settings: CommandOutcome) =>
    compareWithLoaded(
      rulesOf(firewall),
      host({ 'nft -a': done(''), 'nft -j': done(ours), unshare: done(ours), sysctl: settings }),
    );
  const said = (settings: string) => {
    const compared = differences('host', done(settings));
    assert.ok(compared.ok);
    return compared.value.map(({ kind, what }) => `${kind}: ${what}`);
  };
  assert.deepEqual(said('1-65535\n2\n2\n'), []);
  assert.deepEqual(said('3478,5061,5062,9180,50000-55000,55001-59999\n1\n2\n'), []);
  assert.deepEqual(said('\n0\n2\n'), [
    'missing: net.ipv4.ip_local_reserved_ports is empty and lacks 3478, 5061-5062, 9180, 50000-59999: outgoing connections may take these ports',
    'too open: net.ipv4.conf.all.arp_ignore is "0", not 1: addresses of one interface are told on the other',
  ]);
  assert.match(said('3478,5061-5062,9180,50000-59998\n1\n2\n')[0] ?? '', /lacks 50000-59999:/);
  assert.ok(differences('external', { status: 1, out: '', error: 'nobody asks' }).ok);
  const unread = differences('host', { status: 1, out: '', error: 'sysctl: permission denied\n' });
  assert.match(
    unread.ok ? '' : unread.error,
    /^the settings of the kernel cannot be read \(sysctl: permission/,
  );
});
