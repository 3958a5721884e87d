import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BoundedMap } from './bounded-map.ts';

test('a full map refuses newcomers and nothing else', () => {
  const map = new BoundedMap<string, number>(2);
  assert.equal(map.set('a', 1), true);
  assert.equal(map.full, false);
  assert.equal(map.set('b', 2), true);
  assert.equal(map.full, true);
  assert.equal(map.set('c', 3), false);
  assert.equal(map.has('c'), false);
  assert.equal(map.set('a', 9), true);
  assert.deepEqual(
    [...map],
    [
      ['a', 9],
      ['b', 2],
    ],
  );
  map.delete('a');
  assert.equal(map.set('c', 3), true);
  map.clear();
  assert.equal(map.size, 0);
});

test('a map without room is a mistake', () => {
  for (const capacity of [0, -1, Number.NaN]) assert.throws(() => new BoundedMap(capacity), RangeError);
});
