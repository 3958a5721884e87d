import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { checkDocument, loadEdgeDocument, replicaSettings } from './check.ts';
import { exampleDocument } from './commented-document.ts';
import { currentReplica } from './policy-source.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-policy-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, 'edge.yaml');
const state = join(folder, 'state');

/** The generated example, its policy part taken off, its state kept in the folder of this test. */
const example = exampleDocument('edge', []).replace('/var/lib/sallyport/edge', state);
const at = example.indexOf('\npolicy:');
const policy = example.slice(at + 1);
const host = example
  .slice(0, at + 1)
  .replace('\nhost:\n', '\nhost:\n  replication:\n    policy: replicated\n');

function replicate(text: string): string {
  const version = join(state, 'replica', 'versions', '1');
  mkdirSync(version, { recursive: true });
  rmSync(currentReplica(state), { force: true });
  symlinkSync(version, currentReplica(state));
  writeFileSync(join(version, 'policy.yaml'), text);
  return version;
}

test('a replicated policy is one document with the local host part, and its paths are its own [setting host.replication.policy]', () => {
  writeFileSync(file, host);
  const version = replicate(policy);
  const loaded = loadEdgeDocument(file, { files: 'unread' });
  assert.ok(loaded.ok, JSON.stringify(loaded));
  assert.equal(loaded.value.host.internalCa, join(folder, 'certificates/internal-ca.crt'));
  assert.equal(loaded.value.policy.mediaCredentials.keyFile, join(version, 'secrets/pool.media'));
  assert.equal(replicaSettings(file)?.edge, 'edge1.example.com');
  assert.match(checkDocument(file).report, /^policy: replicated, .*versions\/1\/policy.yaml$/m);
});

test('a mistake is told in the file and the line where it stands, on either side', () => {
  writeFileSync(file, host.replace('policy: replicated', 'policy: replicated\n    stores: [1]'));
  const version = replicate(policy.replace('sipDomains: ', 'sipDomain: '));
  const loaded = loadEdgeDocument(file, { files: 'unread' });
  assert.ok(!loaded.ok);
  const wrong = policy.split('\n').findIndex((line) => line.includes('sipDomains: ')) + 1;
  assert.ok(loaded.error.some((finding) => finding.file === file && finding.rule === 'wrong-type'));
  assert.ok(
    loaded.error.some((finding) => finding.file === join(version, 'policy.yaml') && finding.line === wrong),
    JSON.stringify(loaded.error),
  );
});

test('a replicated policy cannot say what is local', () => {
  writeFileSync(file, host);
  replicate(`${policy}\nhost:\n  name: other.example.com\n`);
  const loaded = loadEdgeDocument(file, { files: 'unread' });
  assert.ok(!loaded.ok);
  assert.match(loaded.error.map((finding) => finding.what).join(), /host/);
});

test('both is an error, and so is neither', () => {
  writeFileSync(file, `${host}\n${policy}`);
  const both = loadEdgeDocument(file, { files: 'unread' });
  assert.ok(!both.ok);
  assert.deepEqual(
    both.error.map((finding) => finding.rule),
    ['policy-twice'],
  );
  writeFileSync(file, host);
  rmSync(currentReplica(state), { force: true });
  const neither = loadEdgeDocument(file, { files: 'unread' });
  assert.ok(!neither.ok);
  assert.deepEqual(
    neither.error.map((finding) => finding.rule),
    ['policy-not-loaded'],
  );
  writeFileSync(file, example);
  assert.match(checkDocument(file).report, /^policy: local, in this document$/m);
});
