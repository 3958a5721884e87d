import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecentMap } from './recent-map.ts';

test('what is asked for stays, and what nobody asks for goes', () => {
  const map = new RecentMap<string, number>(8);
  map.set('used', 1);
  map.set('unused', 2);
  for (let round = 0; round < 5; round++) {
    for (let i = 0; i < 8; i++) map.set(`${round} ${i}`, i);
    assert.equal(map.get('used'), 1);
  }
  assert.equal(map.get('unused'), undefined);
  assert.equal(map.get('4 7'), 7);
});

test('without room for anything it is a mistake', () => {
  for (const most of [0, -1, Number.NaN]) assert.throws(() => new RecentMap(most), RangeError);
});
