import assert from 'node:assert/strict';
import { test } from 'node:test';
import { revocationPoints } from './revocation-points.ts';
import { OpenSsl } from './testing/test-chains.ts';

test('every URL of both extensions is read, and what is no URL is left out', (t) => {
  const openssl = new OpenSsl(t);
  const certificate = openssl.make('points', [
    'crlDistributionPoints=one,two,issuer',
    'authorityInfoAccess=OCSP;URI:http://ocsp.example/,OCSP;email:a@ca.example,caIssuers;URI:http://ca.example/ca.cer',
    '[one]',
    'fullname=URI:http://one.example/a.crl,URI:ldap://one.example/cn=a,DNS:one.example',
    '[two]',
    'fullname=URI:http://two.example/b.crl',
    'reasons=keyCompromise',
    '[issuer]',
    'CRLissuer=dirName:issuer_name',
    '[issuer_name]',
    'CN=CRL Issuer',
  ]);
  assert.deepEqual(revocationPoints(certificate), {
    crl: ['http://one.example/a.crl', 'ldap://one.example/cn=a', 'http://two.example/b.crl'],
    ocsp: ['http://ocsp.example/'],
    issuers: ['http://ca.example/ca.cer'],
  });
});

test('a certificate without them has none, and one in which they are garbage has none either', (t) => {
  const openssl = new OpenSsl(t);
  const none = { crl: [], ocsp: [], issuers: [] };
  assert.deepEqual(revocationPoints(openssl.make('plain', ['subjectAltName=DNS:a.example'])), none);
  const garbage = openssl.make('garbage', [
    '2.5.29.31=DER:30:03:30:82:01',
    '1.3.6.1.5.5.7.1.1=DER:30:02:30:7f',
  ]);
  assert.deepEqual(revocationPoints(garbage), none);
});
