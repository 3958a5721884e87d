import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ok } from '#kernel';
import { AnswerCache } from './answer-cache.ts';

const limits = { entries: 10, longest: 100, longestAbsence: 20, failure: 5 };

test('an answer is kept for its time, within the ceiling of its kind', () => {
  const cache = new AnswerCache(limits);
  cache.keep('a', ok(1), 'values', 30, 0);
  cache.keep('b', ok(2), 'values', 1000, 0);
  cache.keep('c', ok(3), 'absence', 1000, 0);
  cache.keep('d', ok(4), 'failure', 1000, 0);
  assert.deepEqual(cache.take('a', 10_500), { value: ok(1), left: 20 });
  assert.equal(cache.take('a', 30_000), undefined);
  assert.equal(cache.take('b', 99_999)?.left, 1);
  assert.equal(cache.take('b', 100_000), undefined);
  assert.equal(cache.take('c', 20_000), undefined);
  assert.equal(cache.take('d', 5000), undefined);
});

test('what has no time is used once and not kept', () => {
  const cache = new AnswerCache(limits);
  for (const seconds of [0, -1, Number.NaN]) cache.keep('a', ok(1), 'values', seconds, 0);
  assert.equal(cache.size, 0);
});

test('a full cache lets go what is over, then a fifth: those not used for longest', () => {
  const cache = new AnswerCache(limits);
  for (let i = 0; i < 10; i++) cache.keep(`n${i}`, ok(i), 'values', 50, i);
  cache.take('n0', 20);
  cache.keep('new', ok(99), 'values', 50, 21);
  assert.equal(cache.size, 9);
  assert.deepEqual(
    ['n0', 'n1', 'n2', 'n3', 'new'].map((key) => cache.take(key, 22) !== undefined),
    [true, false, false, true, true],
  );
});
