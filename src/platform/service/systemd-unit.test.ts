import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const text = readFileSync(join(root, 'docs/guides/systemd/sallyport@.service'), 'utf8');

/** Every value of every key, by section. */
function readUnit(unit: string): Map<string, Map<string, string[]>> {
  const sections = new Map<string, Map<string, string[]>>();
  let section = new Map<string, string[]>();
  for (const line of unit.split('\n')) {
    const heading = /^\[(\w+)\]$/.exec(line)?.[1];
    const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (heading !== undefined) {
      section = new Map();
      sections.set(heading, section);
    } else if (key !== undefined && value !== undefined) {
      section.set(key, [...(section.get(key) ?? []), value]);
    } else {
      assert.match(line, /^(#.*)?$/, `not a line of a unit: ${line}`);
    }
  }
  return sections;
}

test('the unit drops what it can and leaves the supervisor time to drain', () => {
  const sections = readUnit(text);
  assert.deepEqual([...sections.keys()], ['Unit', 'Service', 'Install']);
  const service = sections.get('Service');
  const value = (key: string) => service?.get(key)?.join(' ');
  const expected = {
    Type: 'exec',
    KillMode: 'mixed',
    User: 'sallyport',
    UMask: '0077',
    CapabilityBoundingSet: 'CAP_NET_BIND_SERVICE',
    AmbientCapabilities: 'CAP_NET_BIND_SERVICE',
    NoNewPrivileges: 'yes',
    ProtectSystem: 'strict',
    ProtectHome: 'yes',
    PrivateTmp: 'yes',
    PrivateDevices: 'yes',
    RestrictNamespaces: 'yes',
    RestrictAddressFamilies: 'AF_INET AF_INET6 AF_UNIX AF_NETLINK',
  };
  for (const [key, wanted] of Object.entries(expected)) assert.equal(value(key), wanted, key);
  assert.match(value('SystemCallFilter') ?? '', /^@system-service ~@privileged/);
  const drain = Number(/--stop-seconds (\d+)/.exec(value('ExecStart') ?? '')?.[1]);
  assert.ok(Number(value('TimeoutStopSec')) > drain);
});

test('systemd finds nothing wrong with it', (t) => {
  if (spawnSync('systemd-analyze', ['--version']).error !== undefined) {
    t.skip('systemd-analyze is missing (Debian package systemd)');
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-unit-'));
  const unit = join(folder, 'sallyport@edge.service');
  // The program stands elsewhere here than where a package puts it.
  writeFileSync(unit, text.replaceAll('/usr/bin/sallyport', join(root, 'bin/sallyport')));
  const verified = spawnSync('systemd-analyze', ['verify', '--man=no', unit], { encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  assert.deepEqual([verified.status, verified.stdout, verified.stderr], [0, '', '']);
});

test('units that the guides name are instances of this one', () => {
  const guides = join(root, 'docs/guides');
  const named = readdirSync(guides)
    .filter((file) => file.endsWith('.md'))
    .flatMap((file) => [...readFileSync(join(guides, file), 'utf8').matchAll(/_SYSTEMD_UNIT=(\S+)/g)])
    .map(([, unit]) => unit);
  assert.ok(named.length > 0);
  for (const unit of named) assert.match(unit ?? '', /^sallyport@(?:edge|internal)\.service$/);
});
