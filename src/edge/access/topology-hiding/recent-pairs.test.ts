import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecentPairs } from './recent-pairs.ts';

test('what is asked for stays, what nobody asks for goes, and long texts are not kept', () => {
  const pairs = new RecentPairs();
  pairs.set('used', '1');
  pairs.set('unused', '2');
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 2048; i++) pairs.set(`${round} ${i}`, 'x');
    assert.equal(pairs.get('used'), '1');
  }
  assert.equal(pairs.get('unused'), undefined);
  pairs.set('x'.repeat(2000), 'long');
  assert.equal(pairs.get('x'.repeat(2000)), undefined);
});
