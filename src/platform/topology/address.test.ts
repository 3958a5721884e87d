import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  addressRange,
  canonicalAddress,
  canonicalNetwork,
  endpointText,
  networkContains,
  networksOverlap,
} from './address.ts';

test('addresses have one canonical text', () => {
  for (const [text, canonical] of [
    ['192.0.2.1', '192.0.2.1'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8:0:1:0:0:0:1', '2001:db8:0:1::1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:201', '192.0.2.1'],
    ['::1', '::1'],
  ] as const) {
    assert.equal(canonicalAddress(text), canonical);
  }
});

test('shortened, padded and decorated addresses are none', () => {
  for (const text of [
    '',
    '1',
    '192.0.2',
    '192.0.2.1:443',
    '[::1]',
    'fe80::1%eth0',
    '10.0.0.0/8',
    '0x7f.0.0.1',
    'localhost',
  ]) {
    assert.equal(canonicalAddress(text), undefined, text);
  }
});

test('networks lose their host bits and say so', () => {
  assert.deepEqual(canonicalNetwork('10.45.0.0/16'), { network: '10.45.0.0/16', exact: true });
  assert.deepEqual(canonicalNetwork('10.45.1.2/16'), { network: '10.45.0.0/16', exact: false });
  assert.deepEqual(canonicalNetwork('2001:DB8::/32'), { network: '2001:db8::/32', exact: true });
  assert.deepEqual(canonicalNetwork('0.0.0.0/0'), { network: '0.0.0.0/0', exact: true });
  assert.deepEqual(canonicalNetwork('::ffff:10.45.0.0/112'), { network: '10.45.0.0/16', exact: true });
  assert.deepEqual(canonicalNetwork('::ffff:10.45.1.2/128'), { network: '10.45.1.2/32', exact: true });
  for (const text of [
    '10.0.0.0',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '::/129',
    '10.0.0.0/8/8',
    'a/8',
    '10.0.0.0/',
  ]) {
    assert.equal(canonicalNetwork(text), undefined, text);
  }
});

test('membership and overlap keep to one family', () => {
  assert.ok(networkContains('10.45.0.0/16', '10.45.255.1'));
  assert.ok(!networkContains('10.45.0.0/16', '10.46.0.1'));
  assert.ok(!networkContains('::/0', '10.45.0.1'));
  assert.ok(networkContains('fd00::/8', 'fdff::1'));
  assert.ok(networksOverlap('10.0.0.0/8', '10.45.0.0/16') && networksOverlap('10.45.0.0/16', '10.0.0.0/8'));
  assert.ok(!networksOverlap('10.44.0.0/16', '10.45.0.0/16'));
});

test('ranges and endpoints', () => {
  assert.equal(addressRange('::'), 'unspecified');
  assert.equal(addressRange('127.0.9.1'), 'loopback');
  assert.equal(addressRange('fd00::1'), 'private');
  assert.equal(addressRange('ff02::1'), 'multicast');
  assert.equal(addressRange('203.0.113.1'), 'other');
  assert.equal(endpointText('::1', 5061), '[::1]:5061');
});
