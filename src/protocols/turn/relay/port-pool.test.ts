import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SeededRandom } from '#kernel';
import { PortPool } from './port-pool.ts';

test('every port of the range is given once, and then none', () => {
  const pool = new PortPool(50_000, 50_031, new SeededRandom(1));
  const taken = Array.from({ length: 32 }, () => pool.take(0));
  assert.equal(new Set(taken).size, 32);
  assert.ok(taken.every((port) => port !== undefined && port >= 50_000 && port <= 50_031));
  assert.equal(pool.take(0), undefined);
  assert.equal(pool.taken, 32);
});

test('a returned port rests while others are free, but is given rather than none', () => {
  const pool = new PortPool(50_000, 50_003, new SeededRandom(1));
  for (let count = 0; count < 4; count++) pool.take(0);
  pool.release(50_001, 60_000);
  pool.release(50_002, 0);
  assert.equal(pool.take(10), 50_002);
  assert.equal(pool.take(10), 50_001);
});

test('even ports, and pairs of them with the next', () => {
  const pool = new PortPool(50_001, 50_006, new SeededRandom(3));
  const first = pool.takeEven(0, true);
  assert.ok(first === 50_002 || first === 50_004);
  assert.equal(pool.taken, 2);
  assert.ok(pool.takeEven(0, true) !== undefined);
  assert.equal(pool.takeEven(0, true), undefined);
  assert.equal(pool.takeEven(0, false), 50_006);
  assert.throws(() => pool.release(50_001, 0), RangeError);
});

test('the picks differ from run to run of the random source', () => {
  const picks = [1, 2, 3, 4, 5].map((seed) => new PortPool(50_000, 59_999, new SeededRandom(seed)).take(0));
  assert.ok(new Set(picks).size > 1);
});

test('accounting: taken is what was handed out and not returned', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('take', 'even', 'pair', 'release'), { maxLength: 60 }), (steps) => {
      const pool = new PortPool(50_000, 50_015, new SeededRandom(5));
      const held: number[] = [];
      for (const step of steps) {
        if (step === 'release') {
          const port = held.shift();
          if (port !== undefined) pool.release(port, 0);
          continue;
        }
        const port = step === 'take' ? pool.take(0) : pool.takeEven(0, step === 'pair');
        if (port !== undefined) held.push(...(step === 'pair' ? [port, port + 1] : [port]));
      }
      assert.equal(new Set(held).size, held.length);
      assert.equal(pool.taken, held.length);
    }),
  );
});
