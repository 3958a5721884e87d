import assert from 'node:assert/strict';
import { test } from 'node:test';
import { halfRandom, pauseAfter } from './back-off.ts';
import { SeededRandom } from './random.ts';

const BACK_OFF = { firstMs: 250, longestMs: 5000 };

test('pauses double from the first to the longest, however many failures there were', () => {
  const pauses = [1, 2, 3, 4, 5, 6, 7, 100_000].map((failures) => pauseAfter(failures, BACK_OFF));
  assert.deepEqual(pauses, [250, 500, 1000, 2000, 4000, 5000, 5000, 5000]);
});

test('half of a pause is random, the other half is not', () => {
  const random = new SeededRandom(7);
  const drawn = Array.from({ length: 2000 }, () => halfRandom(1000, random));
  assert.ok(drawn.every((pause) => pause >= 500 && pause <= 1000));
  assert.equal(Math.min(...drawn), 500);
  assert.equal(Math.max(...drawn), 1000);
});
