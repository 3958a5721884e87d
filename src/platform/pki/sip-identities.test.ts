import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CertificateNames } from './names.ts';
import { sipIdentities } from './sip-identities.ts';

const names = (some: Partial<CertificateNames>): CertificateNames => {
  return { dns: [], ip: [], uri: [], xmpp: [], srv: [], ...some };
};

test('DNS names are SIP domains where no URI is one (RFC 5922 §7.1)', () => {
  assert.deepEqual(sipIdentities(names({ dns: ['example.com', '*.example.com'] })), [
    { domain: 'example.com', by: 'dns' },
  ]);
});

test('a sip: URI counts alone, in any case', () => {
  assert.deepEqual(sipIdentities(names({ dns: ['example.com'], uri: ['SIP:Example.NET'] })), [
    { domain: 'example.net', by: 'uri' },
  ]);
});

test('URIs with a user, a port, parameters or another scheme are no domains', () => {
  const uri = [
    'sip:alice@example.net',
    'sips:example.net',
    'sip:example.net;x=y',
    'sip:example.net:5061',
    'sip:',
  ];
  assert.deepEqual(sipIdentities(names({ uri, dns: ['example.com'] })), [
    { domain: 'example.com', by: 'dns' },
  ]);
});
