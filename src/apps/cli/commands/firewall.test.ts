import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { scenarioFile } from '../../../platform/topology/testing/scenarios.ts';
import { runCommandLine } from '../command-line.ts';

async function firewall(...args: string[]) {
  const printed = { out: '', error: '' };
  const status = await runCommandLine(['firewall', ...args], {
    out(text) {
      printed.out += `${text}\n`;
    },
    error(text) {
      printed.error += `${text}\n`;
    },
  });
  return { status, ...printed };
}

const file = scenarioFile('s1-dual');

function golden(name: string): string {
  return readFileSync(join(import.meta.dirname, '../../../platform/firewall/testdata/s1-dual', name), 'utf8');
}

test('firewall prints the rules to the letter, nftables when no format is written', async () => {
  const plain = await firewall(file, '--for', 'host');
  assert.deepEqual(plain, { status: 0, out: golden('host.nftables'), error: '' });
  for (const format of ['iptables', 'json', 'sysctl']) {
    const { out } = await firewall(file, '--for', 'host', '--format', format);
    assert.equal(out, golden(`host.${format}`));
  }
});

test('a CSV stays a table: what it cannot say is printed beside it', async () => {
  const { out, error, status } = await firewall(file, '--for', 'external', '--format', 'csv');
  assert.equal(status, 0);
  assert.equal(out, golden('external.csv'));
  assert.match(error, /^note: .*\n(note: .*\n)*note: a description for the people who keep another firewall/);
});

test('firewall --log logs some of what is dropped', async () => {
  const { out } = await firewall(file, '--for', 'internal', '--log');
  assert.match(out, /\n {4}limit rate 10\/minute log prefix "sallyport: "\n {4}counter name "dropped" drop /);
});

test('a command line without a firewall, with two wishes, or with one that makes no sense is refused', async () => {
  assert.equal((await firewall(file)).status, 2);
  assert.equal((await firewall(file, '--for', 'moat')).status, 2);
  assert.equal((await firewall(file, '--for', 'host', '--diff', '--format', 'json')).status, 2);
  const { status, error } = await firewall(file, '--for', 'internal', '--format', 'sysctl');
  assert.deepEqual(
    { status, error },
    { status: 2, error: '--format sysctl is for the host: write --for host\n' },
  );
});

test('a document with errors gives no rules', async () => {
  const { status, out, error } = await firewall(import.meta.filename, '--for', 'host');
  assert.deepEqual({ status, out }, { status: 1, out: '' });
  assert.match(error, /firewall\.test\.ts:\d+:\d+: /);
});

test('firewall --diff without nft says what is missing', async (t) => {
  const { PATH } = process.env;
  t.after(() => {
    process.env.PATH = PATH;
  });
  process.env.PATH = '/nowhere';
  const { status, error } = await firewall(file, '--for', 'host', '--diff');
  assert.equal(status, 1);
  assert.match(
    error,
    /^the rules of this host cannot be listed \(.*\): run this as root on a host that has nft/,
  );
});
