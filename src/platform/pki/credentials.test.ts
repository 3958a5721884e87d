import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { inspect } from 'node:util';
import { loadCredentials } from './credentials.ts';
import { LabAuthority, type LeafRequest } from './lab-authority.ts';
import { DAY, daysFromNow } from './testing/test-chains.ts';
import { loadTrustAnchors, parseTrustAnchors } from './trust-anchors.ts';

const root = await LabAuthority.create({ name: 'Root' });

async function pair(t: TestContext, request: Partial<LeafRequest> = {}, authority = root) {
  const folder = mkdtempSync(join(tmpdir(), 'pki-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const files = { certificate: join(folder, 'deep', 'edge.pem'), key: join(folder, 'deep', 'edge.key') };
  await authority.issueTo(files, { name: 'edge', hosts: ['edge.test'], ...request });
  return files;
}

function code(files: { certificate: string; key: string }, at?: number): string {
  const loaded = loadCredentials(files, at);
  return loaded.ok ? 'ok' : loaded.error.code;
}

test('what the lab issues can be loaded, and only its owner reads the key', async (t) => {
  const files = await pair(t, { hosts: ['edge.test', '192.0.2.1'] });
  assert.equal(statSync(files.certificate).mode & 0o777, 0o644);
  assert.equal(statSync(files.key).mode & 0o777, 0o600);
  const loaded = loadCredentials(files);
  assert.ok(loaded.ok, JSON.stringify(loaded));
  assert.deepEqual(loaded.value.names.dns, ['edge.test']);
  assert.deepEqual(loaded.value.names.ip, ['192.0.2.1']);
  assert.deepEqual(loaded.value.warnings, []);
  assert.match(loaded.value.fingerprint, /^[0-9a-f]{64}$/);
  assert.doesNotMatch(inspect(loaded.value, { depth: 9 }) + JSON.stringify(loaded.value), /PRIVATE/);
});

test('failures name the file and the cause', async (t) => {
  const files = await pair(t);
  const missing = loadCredentials({ ...files, key: `${files.key}.none` });
  assert.equal(missing.ok ? 'ok' : missing.error.code, 'SLP-NET-0001');
  assert.match(missing.ok ? '' : missing.error.message, /edge\.key\.none: ENOENT/);
  assert.equal(code({ ...files, certificate: files.key }), 'SLP-NET-0002');
  assert.equal(code({ ...files, key: files.certificate }), 'SLP-NET-0003');
  assert.equal(code({ ...files, key: (await pair(t)).key }), 'SLP-NET-0004');
  assert.equal(code(files, Date.now() + 40 * DAY), 'SLP-NET-0005');
  assert.equal(code(files, Date.now() - DAY), 'SLP-NET-0005');
  assert.equal(code(await pair(t, { hosts: [] })), 'SLP-NET-0006');
  writeFileSync(files.certificate, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
  assert.equal(code(files), 'SLP-NET-0002');
  assert.equal(code({ certificate: '/', key: '/' }), 'SLP-NET-0001');
});

test('warnings: an open key file, an end that is near, a chain out of order', async (t) => {
  const files = await pair(t, { notAfter: daysFromNow(3.5) });
  chmodSync(files.key, 0o644);
  const loaded = loadCredentials(files);
  assert.ok(loaded.ok);
  assert.equal(loaded.value.warnings.length, 2);
  assert.match(loaded.value.warnings.join('\n'), /everyone may read[\s\S]*expires in 3 days/);
  const below = await pair(t, {}, await (await root.intermediate({ name: 'A' })).intermediate({ name: 'B' }));
  const chain = loadCredentials(below);
  assert.ok(chain.ok);
  assert.deepEqual(chain.value.warnings, []);
  const [leaf, one, two] = chain.value.secureContextOptions().cert.split(/(?<=END CERTIFICATE-----\n)/);
  writeFileSync(below.certificate, `${leaf}${two}${one}`);
  const shuffled = loadCredentials(below);
  assert.ok(shuffled.ok);
  assert.match(shuffled.value.warnings.join('\n'), /certificate 2 did not issue certificate 1/);
});

test('trust anchors are CAs and nothing else', async (t) => {
  const files = await pair(t);
  const file = `${files.certificate}.ca`;
  await root.writeCertificate(file);
  assert.equal(statSync(file).mode & 0o777, 0o644);
  const anchors = loadTrustAnchors(file);
  assert.ok(anchors.ok);
  assert.equal(anchors.value.certificates.length, 1);
  const leaf = loadTrustAnchors(files.certificate);
  assert.equal(leaf.ok ? 'ok' : leaf.error.code, 'SLP-NET-0007');
  assert.match(leaf.ok ? '' : leaf.error.message, /edge\.pem: CN=edge is not a CA certificate/);
  const empty = parseTrustAnchors('', 'nothing.pem');
  assert.equal(empty.ok ? 'ok' : empty.error.code, 'SLP-NET-0007');
  const gone = loadTrustAnchors(`${file}.none`);
  assert.equal(gone.ok ? 'ok' : gone.error.code, 'SLP-NET-0001');
});
