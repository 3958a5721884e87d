import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TokenBucket } from './token-bucket.ts';

test('the burst at once, then the rate, and never more than the burst saved up', () => {
  const bucket = new TokenBucket(10, 3, 0);
  assert.deepEqual(
    [bucket.take(0), bucket.take(0), bucket.take(0), bucket.take(0)],
    [true, true, true, false],
  );
  assert.equal(bucket.take(99), false);
  assert.equal(bucket.take(100), true);
  assert.equal(bucket.take(100), false);
  assert.equal(bucket.take(1_000_000, 4), false);
  assert.equal(bucket.take(1_000_000, 3), true);
  assert.equal(bucket.take(1_000_000), false);
});

test('a clock that stands still or comes from before gives nothing', () => {
  const bucket = new TokenBucket(10, 1, 5_000);
  assert.equal(bucket.take(5_000), true);
  assert.equal(bucket.take(0), false);
});

test('what is charged beyond what is there is made up for first', () => {
  const bucket = new TokenBucket(10, 3, 0);
  bucket.charge(0, 5);
  assert.equal(bucket.take(0, 0), false);
  assert.equal(bucket.take(190, 0), false);
  assert.equal(bucket.take(210, 0), true);
  assert.equal(bucket.take(210), false);
  assert.equal(bucket.take(310), true);
});
