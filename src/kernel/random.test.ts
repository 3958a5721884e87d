import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomToken, SeededRandom, SystemRandom } from './random.ts';

test('tokens have the length asked for, and characters that every protocol takes', () => {
  const random = new SystemRandom();
  assert.match(randomToken(random, 64), /^[a-z2-7]{64}$/);
  assert.notEqual(randomToken(random, 32), randomToken(random, 32));
});

test('a seed repeats itself, and another seed is another sequence', () => {
  const bytes = (seed: number) => Buffer.from(new SeededRandom(seed).bytes(32)).toString('hex');
  assert.equal(bytes(1), bytes(1));
  assert.notEqual(bytes(1), bytes(2));
  assert.notEqual(bytes(0), '00'.repeat(32));
  const random = new SeededRandom(3);
  for (let i = 0; i < 1_000; i++) assert.ok(random.integer(7) < 7);
});
