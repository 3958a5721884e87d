import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { LabAuthority } from '#platform/pki';
import { OpenSsl } from '../pki/testing/test-chains.ts';
import { edited, goodEdge } from '../topology/testing/documents.ts';
import { publicRoots } from './public-roots.ts';
import { CertificateFiles, GOOD_HOSTS } from './testing/certificate-files.ts';

const DAY = 86_400_000;
const inDays = (days: number) => new Date(Date.now() + days * DAY);
const dateIn = (days: number) => inDays(days).toISOString().slice(0, 10);

/** What is said after one change. */
async function after(
  t: TestContext,
  change: (files: CertificateFiles) => Promise<void> | void,
): Promise<string[]> {
  const files = await CertificateFiles.create(t);
  await change(files);
  return files.said();
}

/** The certificates of a PEM text, each a text. */
function blocks(pem: string): string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/g) ?? [];
}

test('good files have no errors and no warnings but for what the lab leaves out', async (t) => {
  const files = await CertificateFiles.create(t);
  assert.deepEqual(files.said(), []);
  const { findings } = files.examine();
  assert.deepEqual(
    findings.map(({ severity, rule }) => `${severity} ${rule}`),
    ['instruction usage', 'warning revocation', 'instruction revocation'],
  );
  assert.match(findings[0]?.what ?? '', /is not for clientAuth: .*public authorities issue serverAuth only/);
});

test('what a partner sees is told', async (t) => {
  const files = await CertificateFiles.create(t);
  const [view] = files.examine().certificates.map((one) => one.view);
  assert.deepEqual(view?.names, GOOD_HOSTS);
  assert.equal(view.issuer, 'CN=Outside Issuing');
  assert.equal(view.chainLength, 2);
  assert.deepEqual(view.usages, ['serverAuth']);
  assert.deepEqual(view.sipDomains, [{ domain: 'example.com', by: 'dns' }]);
});

test('every missing name is told by its name', async (t) => {
  const said = await after(t, (files) =>
    files.issue('access', files.issuing, { hosts: ['sip.example.com'] }),
  );
  assert.deepEqual(said, [
    'error name-missing: "access.crt" does not hold the name webconf.example.com',
    'error name-missing: "access.crt" does not hold the name av.example.com',
    'error name-missing: "access.crt" does not hold the name example.com',
  ]);
});

test('a wildcard covers hosts for some clients and a SIP domain for nobody', async (t) => {
  const files = await CertificateFiles.create(t);
  const several = edited(
    edited(goodEdge, 'sipDomains: [example.com]', 'sipDomains: [example.com, eu.example.com]'),
    '  internalNetworks:',
    '  features: { federation: true, media: false }\n  internalNetworks:',
  );
  await files.issue('access', files.issuing, {
    hosts: ['*.example.com', 'example.com', 'sip.eu.example.com'],
  });
  assert.deepEqual(files.said(files.document(several)), [
    'warning wildcard: "access.crt" covers sip.example.com by *.example.com only, which not every client and no partner takes',
    'error name-missing: "access.crt" does not hold the name eu.example.com (*.example.com does not count for it)',
    'instruction superfluous-wildcard: "access.crt" holds "*.example.com", which the edge does not need',
  ]);
});

test('a sip: name of another domain takes the DNS name its meaning for partners', async (t) => {
  const said = await after(t, (files) =>
    files.issue('access', files.issuing, { hosts: GOOD_HOSTS, uris: ['sip:example.net'] }),
  );
  assert.deepEqual(said, [
    'error name-missing: "access.crt" holds example.com, but its sip: names, which count before it, do not',
  ]);
});

test('an internal certificate for another host is refused, and a wildcard is none there', async (t) => {
  const said = await after(t, (files) =>
    files.issue('internal', files.internal, { hosts: ['*.example.com'] }),
  );
  assert.deepEqual(said, [
    'error name-missing: "internal.crt" does not hold the name edge1.example.com (*.example.com does not count for it)',
    'instruction superfluous-wildcard: "internal.crt" holds "*.example.com", which the edge does not need',
  ]);
});

test('no subjectAltName at all', async (t) => {
  const said = await after(t, (files) => files.issue('access', files.issuing, { hosts: [] }));
  assert.deepEqual(said, [
    'error no-names: "access.crt" has no subjectAltName; a common name is looked at by nobody any more',
  ]);
});

const dates: readonly (readonly [string, Parameters<CertificateFiles['issue']>[2], string])[] = [
  [
    'expired',
    { notBefore: inDays(-9), notAfter: inDays(-1) },
    `error expired: "access.crt" expired ${dateIn(-1)}`,
  ],
  [
    'not yet valid',
    { notBefore: inDays(2), notAfter: inDays(90) },
    `error not-yet-valid: "access.crt" is not valid before ${dateIn(2)}`,
  ],
  [
    'about to expire',
    { notBefore: inDays(-60), notAfter: inDays(20.5) },
    `warning expires-soon: "access.crt" expires ${dateIn(20.5)}, in 20 days`,
  ],
];
for (const [title, request, expected] of dates) {
  test(`a certificate that is ${title}`, async (t) => {
    const said = await after(t, (files) =>
      files.issue('access', files.issuing, { hosts: GOOD_HOSTS, ...request }),
    );
    assert.deepEqual(said, [expected]);
  });
}

test('a certificate for clients only is no server’s, and none for anything is open', async (t) => {
  const files = await CertificateFiles.create(t);
  const usage = () =>
    files
      .examine()
      .findings.filter(({ rule }) => rule.includes('usage'))
      .map(({ severity, rule, what }) => `${severity} ${rule}: ${what}`.replaceAll(`${files.folder}/`, ''));
  await files.issue('access', files.issuing, { hosts: GOOD_HOSTS, usages: ['clientAuth'] });
  assert.deepEqual(usage(), [
    'error usage: "access.crt" is not for serverAuth, and clients and partners open TLS to it',
  ]);
  assert.deepEqual(files.said(), []);
  await files.issue('access', files.issuing, { hosts: GOOD_HOSTS, usages: [] });
  assert.deepEqual(usage(), [
    'warning no-usage: "access.crt" has no extended key usage, which leaves every use open',
  ]);
});

test('a key of another certificate', async (t) => {
  const said = await after(t, async (files) => {
    const other = await files.issuing.issue({ name: 'other' });
    files.write('access.key', other.keyPem);
  });
  assert.deepEqual(said, ['error key-mismatch: "access.key" is not the key of "access.crt"']);
});

test('a key that needs a passphrase, files that are not there, files that are something else', async (t) => {
  const files = await CertificateFiles.create(t);
  const encrypted = '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n';
  files.write('access.key', encrypted);
  files.write('internal.crt', 'something else\n');
  rmSync(join(files.folder, 'internal.key'));
  rmSync(join(files.folder, 'ca.crt'));
  const said = files.said();
  assert.equal(said.length, 4);
  assert.match(said[0] ?? '', /^error unreadable: .*ca\.crt: ENOENT/);
  assert.match(said[1] ?? '', /^error key-unreadable: "access.key" holds no private key/);
  assert.match(said[2] ?? '', /^error unreadable: .*internal\.key: ENOENT/);
  assert.match(said[3] ?? '', /^error unreadable: "internal.crt": no BEGIN CERTIFICATE block/);
  assert.equal(files.examine().certificates[1]?.view, undefined);
});

test('a missing intermediate is named, and a root of one’s own is not taken for one', async (t) => {
  const files = await CertificateFiles.create(t);
  const issued = await files.issuing.issue({ name: 'leaf', hosts: GOOD_HOSTS, notAfter: inDays(90) });
  files.write('access.key', issued.keyPem);
  const [leaf = '', intermediate = ''] = blocks(issued.certificatePem);
  files.write('access.crt', leaf);
  assert.deepEqual(files.said(), [
    'error missing-intermediate: "access.crt" lacks the certificate of "CN=Outside Issuing", which issued "CN=leaf" ' +
      'and is not among the roots known here',
  ]);
  files.write('access.crt', intermediate + leaf);
  assert.deepEqual(files.said(), [
    'error leaf-order: "access.crt": the certificate of the key stands in place 2',
  ]);
  files.write('access.crt', leaf + intermediate + files.root.certificatePem);
  assert.deepEqual(files.said(), [
    'instruction chain-root: "access.crt" holds the root "CN=Outside Root" too',
  ]);
  files.write('access.crt', leaf + files.root.certificatePem + intermediate);
  assert.ok(
    files.said().some((line) => line.startsWith('warning chain-order: "access.crt": the intermediate')),
  );
  files.write('access.crt', leaf + intermediate + files.internal.certificatePem);
  assert.deepEqual(files.said(), [
    'warning chain-extra: "access.crt": "CN=Internal Root" did not issue anything in it',
  ]);
});

test('a certificate that signed itself, a strange root, and the internal authority outside', async (t) => {
  const files = await CertificateFiles.create(t);
  const own = await LabAuthority.selfSigned({ name: 'leaf', hosts: GOOD_HOSTS, notAfter: inDays(90) });
  files.write('access.crt', own.certificatePem);
  files.write('access.key', own.keyPem);
  assert.deepEqual(files.said(), [
    'error self-signed: "access.crt" is signed by itself, and nobody trusts it',
  ]);
  const strange = await LabAuthority.create({ name: 'Strange Root', notAfter: inDays(300) });
  await files.issue('access', strange, { hosts: GOOD_HOSTS });
  files.write('access.crt', readFileSync(join(files.folder, 'access.crt'), 'utf8') + strange.certificatePem);
  assert.deepEqual(files.said(), [
    'instruction chain-root: "access.crt" holds the root "CN=Strange Root" too',
    'error unknown-root: "access.crt" leads to "CN=Strange Root", which is no public authority',
  ]);
  await files.issue('access', files.internal, { hosts: GOOD_HOSTS });
  assert.deepEqual(files.said(), [
    'warning internal-issuer: "access.crt" was issued by the internal authority, which nobody outside knows',
  ]);
});

test('an internal certificate has to come from host.internalCa', async (t) => {
  const said = await after(t, (files) =>
    files.issue('internal', files.issuing, { hosts: ['edge1.example.com'] }),
  );
  assert.deepEqual(said, [
    'error missing-intermediate: "internal.crt" lacks the certificate of "CN=Outside Root", which issued ' +
      '"CN=Outside Issuing" and is not among host.internalCa',
  ]);
});

test('an intermediate that expired, and one that is about to', async (t) => {
  const files = await CertificateFiles.create(t);
  const short = await files.root.intermediate({ name: 'Short', notAfter: inDays(5) });
  await files.issue('access', short, { hosts: GOOD_HOSTS });
  assert.deepEqual(files.said(), [
    `warning issuer-expires-soon: "access.crt": the intermediate certificate "CN=Short" expires ${dateIn(5)}`,
  ]);
  const gone = await files.root.intermediate({ name: 'Gone', notBefore: inDays(-9), notAfter: inDays(-1) });
  await files.issue('access', gone, { hosts: GOOD_HOSTS });
  assert.deepEqual(files.said(), [
    'error issuer-expired: "access.crt": an intermediate certificate behind it expired',
  ]);
});

test('weak keys and signatures, unusual keys, and revocation points, as openssl makes them', async (t) => {
  const files = await CertificateFiles.create(t);
  const openssl = new OpenSsl(t);
  const names = `subjectAltName=${GOOD_HOSTS.map((host) => `DNS:${host}`).join(',')}`;
  const use = (name: string, extensions: readonly string[], args?: readonly string[]): string[] => {
    openssl.make(
      name,
      [names, 'extendedKeyUsage=serverAuth', ...extensions],
      args === undefined ? {} : { args },
    );
    files.write('access.crt', openssl.text(`${name}.pem`));
    files.write('access.key', openssl.text(`${name}.key`));
    return files
      .examine()
      .findings.filter(({ what }) => what.includes('access.crt'))
      .map(({ severity, rule, what }) => `${severity} ${rule}: ${what}`.replaceAll(`${files.folder}/`, ''))
      .filter((line) => !/ (self-signed|usage|issuer-not-ca):/.test(line));
  };
  const points = [
    'crlDistributionPoints=URI:http://crl.example/ca.crl',
    'authorityInfoAccess=OCSP;URI:http://ocsp.example/,caIssuers;URI:http://ca.example/ca.crt',
  ];
  assert.deepEqual(use('rsa1024', points, ['-newkey', 'rsa:1024', '-sha256']), [
    'error weak-key: "access.crt" has an RSA key of 1024 bits',
  ]);
  assert.deepEqual(use('sha1', points, ['-newkey', 'rsa:2048', '-sha1']), [
    'error weak-signature: "access.crt" is signed with MD5 or SHA-1',
  ]);
  assert.deepEqual(use('ed25519', points, ['-newkey', 'ed25519']), [
    'warning unusual-key: "access.crt" has a key of the kind ed25519',
  ]);
  assert.deepEqual(use('good', points), []);
  assert.deepEqual(files.examine().certificates[0]?.view?.revocation, {
    crl: ['http://crl.example/ca.crl'],
    ocsp: ['http://ocsp.example/'],
    issuers: ['http://ca.example/ca.crt'],
  });
});

test('a key of a kind that nobody knows is said, and is no reason to fall over', async (t) => {
  const files = await CertificateFiles.create(t);
  const [leaf = ''] = blocks(readFileSync(join(files.folder, 'access.crt'), 'utf8'));
  const der = new X509Certificate(leaf).raw;
  // The curve P-256 becomes one that does not exist.
  const curve = Buffer.from('2a8648ce3d030107', 'hex');
  der[der.indexOf(curve) + curve.length - 1] = 0x6f;
  const lines = der.toString('base64').replace(/.{64}/g, '$&\n');
  files.write('access.crt', `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`);
  assert.ok(
    files.said().includes('error unknown-key: "access.crt" has a key of a kind that this program cannot use'),
  );
});

test('only certificates that live long need a revocation point that partners fetch', async (t) => {
  const files = await CertificateFiles.create(t);
  const about = () =>
    files.examine().findings.filter(({ rule, what }) => rule === 'revocation' && what.includes('access'));
  assert.equal(about()[0]?.severity, 'warning');
  await files.issue('access', files.issuing, { hosts: GOOD_HOSTS, notAfter: inDays(7) });
  assert.deepEqual(about(), []);
});

test('the public roots of the runtime are there, and those of the operator beside them', () => {
  const roots = publicRoots();
  assert.ok(roots.certificates.length > 50);
  const more = publicRoots({ certificates: roots.certificates.slice(0, 1), pem: '' });
  assert.equal(more.certificates.length, roots.certificates.length + 1);
});

test('what the certificate of a domain of its own lacks is told, as of the one of all names', async (t) => {
  const files = await CertificateFiles.create(t);
  const pair = '{ name: sip.second.example, certificate: second.crt, key: second.key }';
  const document = files.document(
    edited(
      edited(goodEdge, '    internal: {', `    accessDomains: [${pair}]\n    internal: {`),
      'sipDomains: [example.com]',
      'sipDomains: [example.com, second.example]',
    ),
  );
  const ofSecond = () => files.said(document).filter((line) => line.includes('second.crt'));
  await files.issue('second', files.issuing, {
    hosts: ['sip.third.example'],
    usages: ['serverAuth'],
    notAfter: inDays(-1),
  });
  assert.deepEqual(ofSecond(), [
    'error name-missing: "second.crt" does not hold the name sip.second.example',
    'warning name-missing: "second.crt" does not hold the name second.example',
    'instruction other-names: "second.crt" also holds "sip.third.example", which this document does not ask for',
    `error expired: "second.crt" expired ${dateIn(-1)}`,
  ]);
  await files.issue('second', files.internal, { hosts: ['sip.second.example', 'second.example'] });
  assert.deepEqual(ofSecond(), [
    'warning internal-issuer: "second.crt" was issued by the internal authority, which nobody outside knows',
  ]);
  await files.issue('second', files.issuing, { hosts: ['sip.second.example', 'second.example'] });
  assert.deepEqual(ofSecond(), []);
  const { certificates } = files.examine(document);
  assert.deepEqual(
    certificates.map(({ id, view }) => [id, view?.names.length]),
    [
      ['access', 4],
      ['internal', 1],
      ['access-domain-sip.second.example', 2],
    ],
  );
});
