import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { type IssuedCertificate, LabAuthority, type LeafRequest } from './lab-authority.ts';
import { anchorsOf, certificatesOf, DAY, daysFromNow, OpenSsl } from './testing/test-chains.ts';
import type { TrustAnchors } from './trust-anchors.ts';
import { type Purpose, verifyChain } from './verify.ts';

const root = await LabAuthority.create({ name: 'Root' });
const anchors = anchorsOf(root);
const leaf = (request: Partial<LeafRequest> = {}): LeafRequest => ({
  name: 'leaf',
  hosts: ['a.test'],
  ...request,
});

interface Question {
  readonly anchors?: TrustAnchors;
  readonly purpose?: Purpose;
  readonly at?: number;
}

/** 'ok' or the problems, gravest first. */
function judge(issued: IssuedCertificate | readonly X509Certificate[], question: Question = {}): string {
  const [first, ...intermediates] = 'keyPem' in issued ? certificatesOf(issued.certificatePem) : issued;
  const verified = verifyChain({
    leaf: first!,
    intermediates,
    anchors: question.anchors ?? anchors,
    at: question.at ?? Date.now(),
    purpose: question.purpose ?? 'internal-peer',
  });
  if (verified.ok) return 'ok';
  assert.equal(verified.error.problem, verified.error.problems[0]);
  return verified.error.problems.join(', ');
}

test('a verified peer has its names, its fingerprint and the end of its validity', async () => {
  const issued = await root.issue(leaf({ hosts: ['A.test', '127.0.0.1', '::1'], uris: ['sip:a.test'] }));
  const [certificate] = certificatesOf(issued.certificatePem);
  const verified = verifyChain({
    leaf: certificate!,
    intermediates: [],
    anchors,
    at: Date.now(),
    purpose: 'internal-peer',
  });
  assert.deepEqual(verified, {
    ok: true,
    value: {
      names: { dns: ['a.test'], ip: ['127.0.0.1', '::1'], uri: ['sip:a.test'], xmpp: [], srv: [] },
      subject: 'CN=leaf',
      fingerprint: certificate!.fingerprint256.replaceAll(':', '').toLowerCase(),
      notBefore: certificate!.validFromDate.getTime(),
      notAfter: certificate!.validToDate.getTime(),
      path: [certificate!, ...anchors.certificates],
    },
  });
});

test('usage: what each purpose accepts', async () => {
  const both = await root.issue(leaf());
  const server = await root.issue(leaf({ usages: ['serverAuth'] }));
  const client = await root.issue(leaf({ usages: ['clientAuth'] }));
  const none = await root.issue(leaf({ usages: [] }));
  for (const issued of [both, server, none]) {
    assert.equal(judge(issued, { purpose: 'server-identity' }), 'ok');
    assert.equal(judge(issued, { purpose: 'internal-peer' }), 'ok');
  }
  assert.equal(judge(client, { purpose: 'internal-peer' }), 'ok');
  assert.equal(judge(client, { purpose: 'server-identity' }), 'wrong-purpose');
});

test('self-signed is self-signed, whatever else is wrong with it', async () => {
  assert.equal(judge(await LabAuthority.selfSigned(leaf())), 'self-signed');
  assert.equal(judge(await LabAuthority.selfSigned(leaf({ usages: ['serverAuth'] }))), 'self-signed');
  const old = leaf({ usages: ['clientAuth'], notBefore: daysFromNow(-9), notAfter: daysFromNow(-1) });
  assert.equal(
    judge(await LabAuthority.selfSigned(old), { purpose: 'server-identity' }),
    'self-signed, expired, wrong-purpose',
  );
});

test('an unknown CA is not hidden by an expired date', async () => {
  const foreign = await LabAuthority.create({ name: 'Root' }); // the same name, another key
  assert.equal(judge(await foreign.issue(leaf())), 'unknown-issuer');
  const expired = leaf({ notBefore: daysFromNow(-9), notAfter: daysFromNow(-1) });
  assert.equal(judge(await foreign.issue(expired)), 'unknown-issuer, expired');
});

test('dates come from the injected clock, at both ends', async () => {
  const issued = await root.issue(leaf({ notBefore: daysFromNow(1), notAfter: daysFromNow(2) }));
  const long = anchorsOf(await LabAuthority.create({ name: 'Other' }), root);
  assert.equal(judge(issued, { anchors: long }), 'not-yet-valid');
  assert.equal(judge(issued, { at: Date.now() + 1.5 * DAY }), 'ok');
  assert.equal(judge(issued, { at: Date.now() + 3 * DAY }), 'expired');
  const young = await LabAuthority.create({ name: 'Young', notBefore: daysFromNow(5) });
  const old = await LabAuthority.create({
    name: 'Old',
    notBefore: daysFromNow(-9),
    notAfter: daysFromNow(-1),
  });
  assert.equal(judge(await young.issue(leaf()), { anchors: anchorsOf(young) }), 'issuer-not-yet-valid');
  assert.equal(judge(await old.issue(leaf()), { anchors: anchorsOf(old) }), 'issuer-expired');
});

test('intermediates: sent, not sent, in any order, among strangers, given as anchor', async () => {
  const upper = await root.intermediate({ name: 'Upper' });
  const lower = await upper.intermediate({ name: 'Lower' });
  const [end, one, two] = certificatesOf((await lower.issue(leaf())).certificatePem);
  const stranger = certificatesOf((await LabAuthority.create({ name: 'Upper' })).certificatePem)[0]!;
  assert.equal(judge([end!, one!, two!]), 'ok');
  assert.equal(judge([end!, stranger, two!, one!]), 'ok');
  assert.equal(judge([end!, one!]), 'unknown-issuer');
  assert.equal(judge([end!, two!]), 'unknown-issuer');
  assert.equal(judge([end!]), 'unknown-issuer');
  assert.equal(judge([end!], { anchors: anchorsOf(lower) }), 'ok');
  assert.equal(judge([end!, certificatesOf(root.certificatePem)[0]!, one!, two!]), 'ok');
});

test('an intermediate that the peer brings is no anchor', async () => {
  const foreign = await LabAuthority.create({ name: 'Foreign' });
  const certificates = certificatesOf((await foreign.issue(leaf())).certificatePem + foreign.certificatePem);
  assert.equal(judge(certificates), 'unknown-issuer');
});

test('who is no CA issues nothing', async () => {
  const pretender = await root.intermediate({ name: 'Pretender', ca: false });
  assert.equal(judge(await pretender.issue(leaf())), 'issuer-not-ca');
});

test('the path length of a CA counts the CAs below it', async () => {
  const narrow = await LabAuthority.create({ name: 'Narrow', pathLength: 0 });
  const below = await narrow.intermediate({ name: 'Below' });
  const trusted = anchorsOf(narrow);
  assert.equal(judge(await narrow.issue(leaf()), { anchors: trusted }), 'ok');
  assert.equal(judge(await below.issue(leaf()), { anchors: trusted }), 'path-length');
  const middle = await root.intermediate({ name: 'Middle', pathLength: 0 });
  assert.equal(judge(await middle.issue(leaf())), 'ok');
  const under = await middle.intermediate({ name: 'Under' });
  assert.equal(judge(await under.issue(leaf())), 'path-length');
});

test('a problem that one candidate has already shown does not excuse the next candidate', async () => {
  const one = await root.intermediate({ name: 'Twin', ca: false });
  const two = await one.intermediate({ name: 'Twin', ca: false });
  const [end, second, first] = certificatesOf((await two.issue(leaf())).certificatePem);
  assert.equal(judge([end!, first!, second!]), 'issuer-not-ca');
});

test('an intermediate of the wrong date or usage does not lend its trust', async () => {
  const gone = await root.intermediate({
    name: 'Gone',
    notBefore: daysFromNow(-9),
    notAfter: daysFromNow(-1),
  });
  assert.equal(judge(await gone.issue(leaf())), 'issuer-expired');
});

test('chains are short', async () => {
  let authority = root;
  for (let depth = 1; depth <= 6; depth++) {
    authority = await authority.intermediate({ name: `Level ${depth}` });
    assert.equal(judge(await authority.issue(leaf())), depth <= 4 ? 'ok' : 'chain-too-long', `${depth}`);
  }
});

test('certificates that all issue one another cost a bounded number of signature checks', (t) => {
  const openssl = new OpenSsl(t);
  const nameless = ['subjectKeyIdentifier=none', 'authorityKeyIdentifier=none'];
  const ca = ['basicConstraints=critical,CA:true', 'keyUsage=critical,keyCertSign', ...nameless];
  // One name and one key: each of them has signed all the others, and itself.
  openssl.make('same', ca);
  const shared = { args: ['-key', 'same.key', '-sha256'] };
  const twins = Array.from({ length: 8 }, () => openssl.make('same', ca, shared));
  const end = openssl.make('end', ['subjectAltName=DNS:a.test', ...nameless], { issuer: 'same' });
  assert.ok(twins.every((twin) => end.checkIssued(twin) && end.verify(twin.publicKey)));
  const checks = t.mock.method(X509Certificate.prototype, 'verify');
  assert.equal(judge([end, ...twins]), 'chain-too-long');
  assert.ok(checks.mock.callCount() <= 17, `${checks.mock.callCount()} signature checks`);
});

test('a changed certificate is not believed', async () => {
  const [certificate] = certificatesOf((await root.issue(leaf())).certificatePem);
  const changed = Buffer.from(certificate!.raw);
  changed[changed.indexOf('a.test')] = 'b'.charCodeAt(0);
  assert.match(judge([new X509Certificate(changed)]), /bad-signature/);
});

test('certificates by openssl: RSA, and the old algorithms', (t) => {
  const openssl = new OpenSsl(t);
  const ca = ['basicConstraints=critical,CA:true', 'keyUsage=critical,keyCertSign'];
  const end = ['basicConstraints=critical,CA:false', 'subjectAltName=DNS:a.test'];
  const rsa = (bits: number, hash: string) => ['-newkey', `rsa:${bits}`, hash];
  const top = openssl.make('rsa', ca, { args: rsa(2048, '-sha256') });
  const trusted = anchorsOf({ certificatePem: top.toString(), keyPem: '' });
  const good = openssl.make('good', end, { issuer: 'rsa', args: rsa(2048, '-sha256') });
  assert.equal(judge([good], { anchors: trusted }), 'ok');
  const sha1 = openssl.make('sha1', end, { issuer: 'rsa', args: rsa(2048, '-sha1') });
  assert.equal(judge([sha1], { anchors: trusted }), 'weak-algorithm');
  const short = openssl.make('short', end, { issuer: 'rsa', args: rsa(1024, '-sha256') });
  assert.equal(judge([short], { anchors: trusted }), 'weak-algorithm');
  const shortCa = openssl.make('short-ca', ca, { issuer: 'rsa', args: rsa(1024, '-sha256') });
  const under = openssl.make('under', end, { issuer: 'short-ca', args: rsa(2048, '-sha256') });
  assert.equal(judge([under, shortCa], { anchors: trusted }), 'weak-algorithm');
});

test('certificates by openssl: extensions that we would have to obey and cannot', (t) => {
  const openssl = new OpenSsl(t);
  const ca = ['basicConstraints=critical,CA:true', 'keyUsage=critical,keyCertSign'];
  const end = ['basicConstraints=critical,CA:false', 'subjectAltName=DNS:a.test'];
  const trusted = anchorsOf({ certificatePem: openssl.make('top', ca).toString(), keyPem: '' });
  const plain = openssl.make('plain', [...end, '1.2.3.4=ASN1:NULL'], { issuer: 'top' });
  assert.equal(judge([plain], { anchors: trusted }), 'ok');
  const critical = openssl.make('critical', [...end, '1.2.3.4=critical,ASN1:NULL'], { issuer: 'top' });
  assert.equal(judge([critical], { anchors: trusted }), 'unsupported-extension');
  const constrained = openssl.make('constrained', [...ca, 'nameConstraints=permitted;DNS:b.test'], {
    issuer: 'top',
  });
  const below = openssl.make('below', end, { issuer: 'constrained' });
  assert.equal(judge([below, constrained], { anchors: trusted }), 'unsupported-extension');
});

test('certificates by openssl: a CA whose usages exclude signing or serving', (t) => {
  const openssl = new OpenSsl(t);
  const end = ['basicConstraints=critical,CA:false', 'subjectAltName=DNS:a.test'];
  const ca = 'basicConstraints=critical,CA:true';
  const top = openssl.make('top', [ca, 'keyUsage=critical,keyCertSign']);
  const trusted = anchorsOf({ certificatePem: top.toString(), keyPem: '' });
  const mute = openssl.make('mute', [ca, 'keyUsage=critical,digitalSignature'], { issuer: 'top' });
  assert.match(judge([openssl.make('x', end, { issuer: 'mute' }), mute], { anchors: trusted }), /issuer/);
  const mail = openssl.make('mail', [ca, 'keyUsage=keyCertSign', 'extendedKeyUsage=emailProtection'], {
    issuer: 'top',
  });
  const under = openssl.make('y', end, { issuer: 'mail' });
  assert.equal(judge([under, mail], { anchors: trusted }), 'wrong-purpose');
});
