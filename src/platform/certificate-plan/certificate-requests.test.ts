import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { KeyKind } from '#platform/pki';
import { edited, goodEdge } from '../topology/testing/documents.ts';
import { scenario } from '../topology/testing/scenarios.ts';
import { certificatePlan } from './certificate-plan.ts';
import { writeRequests } from './certificate-requests.ts';
import { CertificateFiles } from './testing/certificate-files.ts';

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'requests-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

function openssl(...args: string[]): string {
  return execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

const kinds: readonly (readonly [KeyKind, RegExp])[] = [
  ['ecdsa-p256', /NIST CURVE: P-256[\s\S]*Signature Algorithm: ecdsa-with-SHA256/],
  ['rsa-3072', /Public-Key: \(3072 bit\)[\s\S]*Signature Algorithm: sha256WithRSAEncryption/],
];

for (const [kind, shown] of kinds) {
  test(`openssl verifies the requests with ${kind} keys and reads the names in them`, async (t) => {
    const folder = join(folderOf(t), 'new');
    const { certificates } = certificatePlan(scenario('everything'));
    const written = await writeRequests(certificates, folder, kind);
    assert.ok(written.ok);
    assert.deepEqual(readdirSync(folder).sort(), [
      'access.csr',
      'access.key',
      'internal.csr',
      'internal.key',
    ]);
    for (const { certificate, request, key } of written.value) {
      // openssl ends with an error when the signature is wrong.
      const text = openssl('req', '-verify', '-noout', '-text', '-in', request);
      assert.match(text, shown);
      const names = certificate.names.map(({ name }) => `DNS:${name}`).join(', ');
      assert.ok(text.includes(`\n                    ${names}\n`), text);
      assert.ok(text.includes(`Subject: CN = ${certificate.names[0]?.name}\n`), text);
      const both = certificate.id === 'internal';
      const usages = `TLS Web Server Authentication${both ? ', TLS Web Client Authentication' : ''}\n`;
      assert.ok(text.includes(usages), text);
      assert.equal(statSync(key).mode & 0o777, 0o600);
      assert.equal(
        openssl('pkey', '-in', key, '-pubout'),
        openssl('req', '-in', request, '-noout', '-pubkey'),
      );
    }
  });
}

test('the request of a host whose name is too long for a common name has its names all the same', async (t) => {
  const files = await CertificateFiles.create(t);
  const label = 'a'.repeat(60);
  const document = files.document(edited(goodEdge, 'name: edge1.example.com', `name: ${label}.example.com`));
  const written = await writeRequests(
    certificatePlan(document).certificates,
    `${files.folder}/new`,
    'ecdsa-p256',
  );
  assert.ok(written.ok);
  const text = openssl('req', '-verify', '-noout', '-text', '-in', join(files.folder, 'new', 'internal.csr'));
  assert.match(text, /Subject: *\n/);
  assert.match(text, new RegExp(`Subject Alternative Name: critical\\s+DNS:${label}\\.example\\.com\\n`));
});

test('nothing is overwritten, and nothing half-done is left', async (t) => {
  const folder = folderOf(t);
  const { certificates } = certificatePlan(scenario('minimal'));
  // The last of the files is in the way.
  writeFileSync(join(folder, 'internal.csr'), 'mine\n');
  const refused = await writeRequests(certificates, folder, 'ecdsa-p256');
  assert.ok(!refused.ok);
  assert.equal(refused.error, `${join(folder, 'internal.csr')} is there already, and nothing is overwritten`);
  assert.deepEqual(readdirSync(folder), ['internal.csr']);
  assert.equal(readFileSync(join(folder, 'internal.csr'), 'utf8'), 'mine\n');
});

test('a folder that cannot be made is named', async (t) => {
  const folder = folderOf(t);
  writeFileSync(join(folder, 'file'), '');
  const { certificates } = certificatePlan(scenario('minimal'));
  const refused = await writeRequests(certificates, join(folder, 'file', 'new'), 'ecdsa-p256');
  assert.ok(!refused.ok);
  assert.match(refused.error, /cannot be written \(ENOTDIR\)$/);
  assert.equal(existsSync(join(folder, 'file', 'new')), false);
});

test('an authority can sign the request, and the result passes the examination', async (t) => {
  const files = await CertificateFiles.create(t);
  const { certificates } = certificatePlan(files.document());
  const written = await writeRequests(certificates, join(files.folder, 'new'), 'ecdsa-p256');
  assert.ok(written.ok);
  const run = (...args: string[]) =>
    execFileSync('openssl', args, { cwd: files.folder, stdio: ['ignore', 'pipe', 'pipe'] });
  run(
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-subj',
    '/CN=Own Root',
    '-days',
    '90',
    '-keyout',
    'own.key',
    '-out',
    'own.crt',
  );
  for (const { request, certificate } of written.value) {
    const out = `${certificate.id}.crt`;
    run(
      'x509',
      '-req',
      '-in',
      request,
      '-CA',
      'own.crt',
      '-CAkey',
      'own.key',
      '-days',
      '90',
      '-copy_extensions',
      'copyall',
      '-out',
      out,
    );
    files.write(
      `${certificate.id}.key`,
      readFileSync(join(files.folder, 'new', `${certificate.id}.key`), 'utf8'),
    );
  }
  files.write('ca.crt', readFileSync(join(files.folder, 'own.crt'), 'utf8'));
  assert.deepEqual(files.said(), [
    'warning internal-issuer: "access.crt" was issued by the internal authority, which nobody outside knows',
  ]);
});
