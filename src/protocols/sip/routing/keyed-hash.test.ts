import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashKey, keyedHash } from './keyed-hash.ts';

const counting = (length: number) => Uint8Array.from({ length }, (_, at) => at);

test('the vectors that its authors publish: octets that count up, under a key that counts up', () => {
  const key = hashKey(counting(8));
  const vectors: [length: number, output: string][] = [
    [0, '218d1f59b9b83cc8'],
    [1, 'be552412f8387315'],
    [3, 'ce0f1a45f7060679'],
    [4, 'd5e78a175be52ea1'],
    [15, '217d0bcb4e81c902'],
    [63, '2ea63c71bf326087'],
  ];
  for (const [length, output] of vectors) assert.equal(keyedHash(counting(64), length, key), output);
});

test('another key gives another print', () => {
  assert.notEqual(
    keyedHash(counting(8), 8, hashKey(counting(8))),
    keyedHash(counting(8), 8, hashKey(counting(9).subarray(1))),
  );
});
