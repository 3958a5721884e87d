import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openingOf } from './first-bytes.ts';

/** The older dialect's hello: 50 octets, of which time and random are arbitrary. */
const pseudoTls = Buffer.from(
  `160301002d01000029 0301${'5a'.repeat(32)}00 0002 0018 01 00`.replaceAll(' ', ''),
  'hex',
);

test('the first bytes say what is spoken, one byte after the other', () => {
  const table: readonly [string, string][] = [
    ['', 'more'],
    ['00', 'stun'],
    ['0001', 'stun'],
    ['02', 'more'],
    ['0200', 'ms-framing'],
    ['0300', 'ms-framing'],
    ['0201', 'stun'],
    ['3f', 'stun'],
    ['40', 'channel-data'],
    ['4f', 'channel-data'],
    ['50', 'nothing'],
    ['47455420', 'channel-data'],
    ['ff', 'nothing'],
    ['e5', 'edge-tunnel'],
    ['e4', 'nothing'],
    ['80', 'nothing'],
  ];
  for (const [hex, opening] of table) {
    assert.equal(openingOf(Buffer.from(hex, 'hex')), opening, hex);
  }
});

test('a record of 45 octets with the one cipher suite 0x0018 is pseudo-TLS, any other hello is TLS', () => {
  assert.equal(pseudoTls.length, 50);
  for (let length = 1; length < 48; length++) {
    assert.equal(openingOf(pseudoTls.subarray(0, length)), 'more', `${length}`);
  }
  assert.equal(openingOf(pseudoTls), 'pseudo-tls');
  const suite = Buffer.from(pseudoTls);
  suite[47] = 0x2f;
  assert.equal(openingOf(suite), 'tls');
  const two = Buffer.from(pseudoTls);
  two[45] = 4;
  assert.equal(openingOf(two), 'tls');
  const longer = Buffer.from(pseudoTls);
  longer[4] = 0x2e;
  assert.equal(openingOf(longer.subarray(0, 5)), 'tls');
});
