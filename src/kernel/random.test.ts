import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { randomToken, SeededRandom, SystemRandom } from './random.ts';

test('tokens have the length asked for, and characters that every protocol takes', () => {
  const random = new SystemRandom();
  assert.match(randomToken(random, 64), /^[a-z2-7]{64}$/);
  assert.notEqual(randomToken(random, 32), randomToken(random, 32));
});

test('no octets are given twice, however many are asked for', () => {
  const random = new SystemRandom();
  const seen = new Set<string>();
  for (let round = 0; round < 2_000; round++) {
    for (const count of [8, 16, 33, 300, 5_000]) {
      const bytes = random.bytes(count);
      assert.equal(bytes.length, count);
      seen.add(Buffer.from(bytes).toString('hex'));
    }
  }
  assert.equal(seen.size, 10_000);
  assert.deepEqual(random.bytes(0), new Uint8Array(0));
  // Pieces of one draw follow one another: what overlaps would show here.
  const octets = Buffer.concat(Array.from({ length: 1_000 }, () => random.bytes(8)));
  const pieces = new Set(
    Array.from({ length: octets.length - 8 }, (_, at) => octets.toString('hex', at, at + 8)),
  );
  assert.equal(pieces.size, octets.length - 8);
});

test('a seed repeats itself, and another seed is another sequence', () => {
  const bytes = (seed: number) => Buffer.from(new SeededRandom(seed).bytes(32)).toString('hex');
  assert.equal(bytes(1), bytes(1));
  assert.notEqual(bytes(1), bytes(2));
  assert.notEqual(bytes(0), '00'.repeat(32));
  const random = new SeededRandom(3);
  for (let i = 0; i < 1_000; i++) assert.ok(random.integer(7) < 7);
});

test('T15: nothing of the product draws from a generator that can be foretold', () => {
  const root = join(import.meta.dirname, '..');
  const ofTests = /\.(test|fuzz|conformance)\.ts$|[/\\](testing|faults)[/\\]/;
  const files = globSync('**/*.ts', { cwd: root }).filter((file) => !ofTests.test(file));
  assert.ok(files.length > 300, `${files.length} files`);
  const foretold = files.filter((file) => {
    const source = readFileSync(join(root, file), 'utf8');
    return /\bMath\s*\.\s*random\b|\bnew SeededRandom\b|\bpseudoRandomBytes\b/.test(source);
  });
  assert.deepEqual(foretold, []);
});
