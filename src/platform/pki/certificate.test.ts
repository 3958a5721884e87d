import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { certificateFacts, readCertificate } from './certificate.ts';
import { DerError, DerReader, readBoolean, readOid, readSmallInteger } from './der.ts';
import { LabAuthority } from './lab-authority.ts';
import { OpenSsl } from './testing/test-chains.ts';

const dates = { notBefore: 0, notAfter: 1 };

test('every kind of name, and none that could be mistaken', (t) => {
  const openssl = new OpenSsl(t);
  const certificate = openssl.make('names', [
    'subjectAltName=@alt',
    '[alt]',
    'DNS.1=Edge.Example.COM',
    'DNS.2=*.example.com',
    'DNS.3=a.example.com, DNS:evil.example.com',
    'DNS.4=b*.example.com',
    'DNS.5=under_score.example.com',
    'IP.1=192.0.2.7',
    'IP.2=2001:db8:0:0:0:0:0:9',
    'URI.1=sip:example.com',
    'URI.2=sip:with space',
    'email.1=root@example.com',
    'otherName.1=1.3.6.1.5.5.7.8.5;UTF8:Montague.example',
    'otherName.2=1.3.6.1.5.5.7.8.7;IA5STRING:_xmpp-server.Example.com',
    'otherName.3=1.2.3.4;UTF8:something else',
    'RID.1=1.2.3.4',
  ]);
  const facts = certificateFacts(certificate);
  assert.ok(facts.ok, JSON.stringify(facts));
  assert.deepEqual(facts.value.names, {
    dns: ['edge.example.com', '*.example.com', 'under_score.example.com'],
    ip: ['192.0.2.7', '2001:db8::9'],
    uri: ['sip:example.com'],
    xmpp: ['Montague.example'],
    srv: ['_xmpp-server.example.com'],
  });
});

test('facts of a CA and of a leaf', async () => {
  const root = await LabAuthority.create({ name: 'Root', pathLength: 3 });
  const ca = certificateFacts(new X509Certificate(root.certificatePem));
  assert.ok(ca.ok);
  assert.equal(ca.value.ca, true);
  assert.equal(ca.value.pathLength, 3);
  assert.equal(ca.value.selfIssued, true);
  assert.equal(ca.value.mayNotSignCertificates, false);
  const issued = await root.issue({ name: 'leaf', usages: ['serverAuth'] });
  const leaf = certificateFacts(new X509Certificate(issued.certificatePem));
  assert.ok(leaf.ok);
  assert.equal(leaf.value.ca, false);
  assert.equal(leaf.value.pathLength, undefined);
  assert.equal(leaf.value.mayNotSignCertificates, true);
  assert.deepEqual(leaf.value.extendedKeyUsages, ['1.3.6.1.5.5.7.3.1']);
  assert.deepEqual(leaf.value.unsupported, []);
  assert.equal(leaf.value.signatureAlgorithm, '1.2.840.10045.4.3.2');
});

test('DER is read strictly', () => {
  const bytes = (...values: number[]) => Uint8Array.from(values);
  assert.deepEqual(new DerReader(bytes(0x04, 0x01, 0xff)).expect(0x04), bytes(0xff));
  const wrong: Record<string, Uint8Array> = {
    'length missing': bytes(0x04),
    'content cut': bytes(0x04, 0x02, 0x00),
    indefinite: bytes(0x30, 0x80, 0x00, 0x00),
    'length not minimal': bytes(0x04, 0x81, 0x01, 0x00),
    'length with leading zero': bytes(0x04, 0x82, 0x00, 0x80),
    'length of four bytes': bytes(0x04, 0x84, 0x00, 0x00, 0x00, 0x01, 0x00),
    'long tag': bytes(0x1f, 0x81, 0x00),
  };
  for (const [what, input] of Object.entries(wrong))
    assert.throws(() => new DerReader(input).next(), DerError, what);
  assert.equal(readOid(bytes(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d)), '1.2.840.113549');
  assert.equal(readOid(bytes(0x88, 0x37, 0x03)), '2.999.3');
  for (const input of [bytes(), bytes(0x2a, 0x86), bytes(0x2a, 0x80, 0x01), new Uint8Array(65).fill(0x2a)])
    assert.throws(() => readOid(input), DerError);
  assert.equal(readBoolean(bytes(0xff)), true);
  for (const input of [bytes(), bytes(0x01), bytes(0, 0)]) assert.throws(() => readBoolean(input), DerError);
  assert.equal(readSmallInteger(bytes(0x00, 0x80)), 128);
  for (const input of [bytes(), bytes(0x80), bytes(0x00, 0x01), bytes(1, 2, 3, 4, 5)])
    assert.throws(() => readSmallInteger(input), DerError);
});

test('no cut and no changed byte makes more than an error value', async () => {
  const { certificatePem } = await LabAuthority.selfSigned({
    name: 'leaf',
    hosts: ['a.test', '::1'],
    uris: ['sip:a'],
  });
  const der = new X509Certificate(certificatePem).raw;
  for (let length = 0; length < der.length; length++) {
    assert.equal(readCertificate(der.subarray(0, length), dates).ok, false, `${length}`);
    const changed = Buffer.from(der);
    for (const value of [0, 0x30, 0x80, 0xff]) {
      changed[length] = value;
      readCertificate(changed, dates);
    }
  }
});

test('an extension that appears twice is malformed', async () => {
  const { certificatePem } = await LabAuthority.selfSigned({ name: 'leaf', hosts: ['a.test'] });
  const der = Buffer.from(new X509Certificate(certificatePem).raw);
  // keyUsage 2.5.29.15 becomes a second subjectAltName 2.5.29.17.
  der[der.indexOf(Buffer.from([0x55, 0x1d, 0x0f])) + 2] = 0x11;
  assert.equal(readCertificate(der, dates).ok, false);
});
