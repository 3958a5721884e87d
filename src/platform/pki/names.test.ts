import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type CertificateNames,
  canonicalAddress,
  canonicalHostName,
  canonicalPresentedName,
  matchName,
} from './names.ts';

const names = (part: Partial<CertificateNames>): CertificateNames => ({
  dns: [],
  ip: [],
  uri: [],
  xmpp: [],
  srv: [],
  ...part,
});

test('host names have one form', () => {
  assert.equal(canonicalHostName('Edge.Example.COM.'), 'edge.example.com');
  assert.equal(canonicalHostName('localhost'), 'localhost');
  assert.equal(canonicalHostName('xn--bcher-kva.example'), 'xn--bcher-kva.example');
  const wrong = [
    '',
    '.',
    'a..b',
    '-a.example',
    'a-.example',
    'a b',
    'a\0.example',
    '*.a.example',
    'bücher.example',
  ];
  for (const text of [...wrong, `${'a'.repeat(64)}.example`, `${'a.'.repeat(127)}ab`])
    assert.equal(canonicalHostName(text), undefined, JSON.stringify(text));
});

test('a presented wildcard is one whole leftmost label above two others', () => {
  assert.equal(canonicalPresentedName('*.Example.com'), '*.example.com');
  for (const text of [
    '*',
    '*.com',
    '*.',
    'a*.example.com',
    '*a.example.com',
    'a.*.example.com',
    '*.*.example.com',
  ])
    assert.equal(canonicalPresentedName(text), undefined, text);
});

test('names match whole, in the order of what is expected', () => {
  const presented = names({ dns: ['a.example.com', 'b.example.com'], ip: ['192.0.2.1', '2001:db8::1'] });
  assert.equal(matchName(presented, ['x.example.com', 'B.example.com', 'a.example.com']), 'B.example.com');
  assert.equal(matchName(presented, ['example.com']), undefined);
  assert.equal(matchName(presented, ['192.0.2.1']), '192.0.2.1');
  assert.equal(matchName(presented, ['2001:DB8:0::1']), '2001:DB8:0::1');
  assert.equal(matchName(presented, ['192.0.2.2']), undefined);
  assert.equal(matchName(names({ dns: ['192.0.2.1'] }), ['192.0.2.1']), undefined);
  assert.equal(matchName(presented, []), undefined);
  assert.equal(matchName(presented, ['']), undefined);
});

test('wildcards match one label, and only where they are allowed', () => {
  const presented = names({ dns: ['*.example.com'] });
  const wildcards = { wildcards: true };
  assert.equal(matchName(presented, ['a.example.com']), undefined);
  assert.equal(matchName(presented, ['a.example.com'], wildcards), 'a.example.com');
  for (const other of ['example.com', 'a.b.example.com', '*.example.com', '.example.com'])
    assert.equal(matchName(presented, [other], wildcards), undefined, other);
});

test('addresses have one form', () => {
  assert.equal(canonicalAddress('2001:0DB8::0:1'), '2001:db8::1');
  assert.equal(canonicalAddress('192.0.2.1'), '192.0.2.1');
  for (const text of ['192.0.2.256', 'fe80::1%eth0', 'example', '[::1]', ''])
    assert.equal(canonicalAddress(text), undefined);
});
