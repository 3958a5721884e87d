import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { mediaKeyText, parseMediaKeyRing } from '#protocols/credentials';
import { scenarioFile } from '../../../platform/topology/testing/scenarios.ts';
import { sallyport } from '../testing/printed.ts';

/** A document with its key file, mode 0640, in a folder of its own. */
function pool(t: TestContext, scenario: 'minimal' | 's3-dns-pool'): { document: string; key: string } {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-keys-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const document = join(folder, 'edge.yaml');
  const key = join(folder, 'pool.media');
  writeFileSync(document, readFileSync(scenarioFile(scenario)));
  writeFileSync(key, mediaKeyText(Buffer.alloc(32, 1)));
  chmodSync(key, 0o640);
  return { document, key };
}

test('keys roll adds a key whose turn comes later, keeps mode and owner, and names the other edges', async (t) => {
  const { document, key } = pool(t, 's3-dns-pool');
  const before = statSync(key);
  const { status, out } = await sallyport('keys', 'roll', document, '--in', '90');
  assert.equal(status, 0);
  const after = statSync(key);
  assert.deepEqual([after.mode, after.uid, after.gid], [before.mode, before.uid, before.gid]);
  const ring = parseMediaKeyRing(readFileSync(key));
  assert.ok(ring.ok && ring.value.keys.length === 2);
  const [old, next] = ring.value.keys;
  const notice = (next?.from ?? 0) - Date.now();
  assert.ok(notice > 80 * 60_000 && notice <= 91 * 60_000);
  assert.match(out, new RegExp(`${old.fingerprint} +in use`));
  assert.match(out, new RegExp(`${next?.fingerprint} +next`));
  assert.match(out, /Copy .*pool\.media to \S+ before the turn/);
  assert.ok(!out.includes(readFileSync(key, 'latin1').slice(0, 20)), 'no key is printed');
});

test('keys show tells the same fingerprint for the same key', async (t) => {
  const one = await sallyport('keys', 'show', pool(t, 'minimal').document);
  const other = await sallyport('keys', 'show', pool(t, 's3-dns-pool').document);
  assert.equal(one.status, 0);
  assert.equal(one.out, other.out);
  assert.match(one.out, /in use +the start +the next roll/);
});

test('keys roll refuses what it cannot do, and changes nothing', async (t) => {
  const { document, key } = pool(t, 'minimal');
  assert.equal((await sallyport('keys', 'roll', document, '--in', '60')).status, 0);
  const text = readFileSync(key, 'utf8');
  const earlier = await sallyport('keys', 'roll', document, '--in', '0');
  assert.equal(earlier.status, 1);
  assert.match(earlier.error, /SLP-AV-0402/);
  assert.equal((await sallyport('keys', 'roll', document, '--in', 'soon')).status, 2);
  assert.equal(readFileSync(key, 'utf8'), text);
  rmSync(key);
  assert.match((await sallyport('keys', 'show', document)).error, /SLP-AV-0203.*ENOENT/);
});
