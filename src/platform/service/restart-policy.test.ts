import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '#kernel';
import { RestartPolicy } from './restart-policy.ts';

test('the first restart is at once, later ones wait longer and longer, up to a limit', () => {
  const policy = new RestartPolicy(new SeededRandom(1), {
    windowMs: 60_000,
    firstMs: 500,
    longestMs: 4000,
  });
  assert.equal(policy.delay(0), 0);
  for (const full of [500, 1000, 2000, 4000, 4000, 4000]) {
    const delay = policy.delay(1000);
    assert.ok(delay >= full / 2 && delay <= full, `${delay} of ${full}`);
  }
});

test('after a quiet window the next restart is at once again', () => {
  const policy = new RestartPolicy(new SeededRandom(1));
  assert.equal(policy.delay(0), 0);
  assert.ok(policy.delay(10) > 0);
  assert.equal(policy.delay(60_011), 0);
});
