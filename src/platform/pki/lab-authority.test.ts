import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { LabAuthority } from './lab-authority.ts';
import { certificatesOf, OpenSsl } from './testing/test-chains.ts';

test('openssl agrees with what the lab issues', async (t) => {
  const openssl = new OpenSsl(t);
  const root = await LabAuthority.create({ name: 'Root' });
  const middle = await root.intermediate({ name: 'Middle', pathLength: 0 });
  const issued = await middle.issue({
    name: 'edge',
    hosts: ['edge.test', '192.0.2.1'],
    uris: ['sip:edge.test'],
  });
  const [leaf, above] = certificatesOf(issued.certificatePem);
  const write = (name: string, text: string) => writeFileSync(join(openssl.folder, name), text);
  write('root.pem', root.certificatePem);
  write('middle.pem', above!.toString());
  write('leaf.pem', leaf!.toString());
  write('leaf.key', issued.keyPem);
  for (const purpose of ['sslserver', 'sslclient'])
    assert.match(
      openssl.run(
        ...['verify', '-x509_strict', '-CAfile', 'root.pem', '-untrusted', 'middle.pem'],
        ...['-purpose', purpose, '-verify_hostname', 'edge.test', 'leaf.pem'],
      ),
      /leaf\.pem: OK/,
    );
  assert.equal(
    openssl.run('pkey', '-in', 'leaf.key', '-pubout'),
    openssl.run('x509', '-in', 'leaf.pem', '-noout', '-pubkey'),
  );
});

test('usages and dates are as asked for', async () => {
  const root = await LabAuthority.create({ name: 'Root' });
  const notAfter = new Date('2040-01-01T00:00:00Z');
  const { certificatePem } = await root.issue({ name: 'x', usages: ['clientAuth'], notAfter });
  const [leaf] = certificatesOf(certificatePem);
  assert.deepEqual(leaf!.keyUsage, ['1.3.6.1.5.5.7.3.2']);
  assert.equal(leaf!.validToDate.getTime(), notAfter.getTime());
  assert.ok(leaf!.validFromDate.getTime() < Date.now());
  assert.equal(leaf!.subjectAltName, undefined);
});

test('a service that only loads certificates does not load the library that makes them', () => {
  const script = `
    await import('#platform/pki');
    const { createRequire } = await import('node:module');
    const loaded = Object.keys(createRequire('/').cache).filter((file) => file.includes('peculiar'));
    console.log(loaded.length, typeof Reflect.getMetadata);`;
  const out = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
  });
  assert.equal(out.trim(), '0 undefined');
});
