import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LeastRecent } from './recent.ts';

for (const most of [1, 100, 1000]) {
  test(`a table of ${most} is never larger, and what was not touched for longest makes room`, () => {
    const table = new LeastRecent<number>(most);
    for (let key = 0; key < most; key++) table.set(String(key), key);
    assert.equal(table.size, most, 'nothing leaves before there is more than there is room for');
    // The oldest becomes the newest.
    table.set('0', -1);
    const added = Math.ceil(most / 2);
    for (let key = most; key < most + added; key++) {
      table.set(String(key), key);
      assert.ok(table.size <= most);
    }
    const kept = [...table.entries()].map(([key]) => key);
    const order = [...Array.from({ length: most - 1 }, (_, index) => index + 1), 0];
    for (let key = most; key < most + added; key++) order.push(key);
    assert.deepEqual(kept, order.slice(-kept.length).map(String));
    assert.ok(kept.length > most * 0.99, 'no more than a hundredth leaves at a time');
  });
}

test('what has left makes no room twice', () => {
  const table = new LeastRecent<string>(3);
  for (const key of ['a', 'b', 'c']) table.set(key, key);
  assert.equal(table.delete('a'), true);
  table.set('d', 'd');
  assert.deepEqual(
    [...table.entries()].map(([key]) => key),
    ['b', 'c', 'd'],
  );
  assert.equal(table.get('a'), undefined);
  assert.equal(table.delete('a'), false);
});
