import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { OpenSslAuthority } from '../testing/openssl-authority.ts';
import { verifyOcspResponse } from './ocsp-response.ts';

test("openssl's responses tell good and revoked, for their certificate, in their time", (t) => {
  const authority = new OpenSslAuthority(t);
  const certificate = authority.issue('good');
  const bad = authority.issue('bad');
  authority.revoke('bad');
  const issuer = authority.certificate;
  const at = Date.now();
  const response = authority.ocspResponse('good');
  const good = verifyOcspResponse(response, { certificate, issuer, at });
  assert.ok(good.ok && good.value.state === 'good');
  assert.ok(good.value.until > at + 3_000_000 && good.value.until < at + 4_000_000);
  const revoked = verifyOcspResponse(authority.ocspResponse('bad'), { certificate: bad, issuer, at });
  assert.equal(revoked.ok && revoked.value.state, 'revoked');
  const problem = (bytes: Buffer, more: object = {}) => {
    const verdict = verifyOcspResponse(bytes, { certificate, issuer, at, ...more });
    return verdict.ok ? verdict.value.state : verdict.error;
  };
  assert.equal(problem(response, { certificate: bad }), 'other-certificate');
  assert.equal(problem(response, { at: at + 4_000_000 }), 'expired');
  assert.equal(problem(response, { at: at - 4_000_000 }), 'not-yet-valid');
  assert.equal(problem(Buffer.alloc(70_000, 0x30)), 'unreadable');
  assert.equal(problem(Buffer.of(0x30, 3, 0x0a, 1, 6)), 'unsuccessful');
});

test('[S10] a response counts when the issuer signed it, or a responder that the issuer made for that', (t) => {
  const authority = new OpenSslAuthority(t);
  const certificate = authority.issue('good');
  authority.issue('responder', [], { usage: 'OCSPSigning' });
  authority.issue('impostor');
  const query = { certificate, issuer: authority.certificate, at: Date.now() };
  const delegated = verifyOcspResponse(authority.ocspResponse('good', 'responder'), query);
  assert.equal(delegated.ok && delegated.value.state, 'good');
  const impostor = verifyOcspResponse(authority.ocspResponse('good', 'impostor'), query);
  assert.equal(!impostor.ok && impostor.error, 'bad-signature');
});

test('a certificate that the responder does not know is unknown', (t) => {
  const authority = new OpenSslAuthority(t);
  const certificate = authority.issue('forgotten');
  writeFileSync(join(authority.openssl.folder, 'index.txt'), '');
  const verdict = verifyOcspResponse(authority.ocspResponse('forgotten'), {
    certificate,
    issuer: authority.certificate,
    at: Date.now(),
  });
  assert.equal(!verdict.ok && verdict.error, 'unknown');
});
