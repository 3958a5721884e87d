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
  pool.release(50_001, 0, 60_000);
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

test('accounting: taken is what was handed out and not returned, and nothing that rests is given while something else is free', () => {
  const step = fc.constantFrom('take', 'even', 'pair', 'release', 'release-to-rest', 'wait');
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const pool = new PortPool(50_000, 50_015, new SeededRandom(5));
      const held: number[] = [];
      const rested = new Map<number, number>();
      let now = 0;
      for (const step of steps) {
        if (step === 'wait') now += 400;
        else if (step === 'release' || step === 'release-to-rest') {
          const rest = step === 'release' ? 0 : 1_000;
          const port = held.shift();
          if (port === undefined) continue;
          pool.release(port, now, rest);
          rested.set(port, now + rest);
        } else {
          const isReady = (port: number) => !held.includes(port) && (rested.get(port) ?? 0) <= now;
          const ready = Array.from({ length: 16 }, (_, index) => 50_000 + index).filter(isReady);
          const port = step === 'take' ? pool.take(now) : pool.takeEven(now, step === 'pair');
          if (port === undefined) {
            if (step === 'take') assert.equal(held.length, 16);
            continue;
          }
          if (step === 'take' && ready.length > 0) assert.ok(ready.includes(port));
          held.push(...(step === 'pair' ? [port, port + 1] : [port]));
          // After one had to be taken out of its rest, others may rest longer than they need to.
          if (!ready.includes(port)) return;
        }
        assert.equal(new Set(held).size, held.length);
        assert.equal(pool.taken, held.length);
      }
    }),
  );
});

test('a range of which everything is taken and returned again and again: each port is given once a turn', () => {
  const pool = new PortPool(50_000, 50_063, new SeededRandom(9));
  for (let now = 0; now < 5_000; now += 100) {
    const taken = Array.from({ length: 64 }, () => pool.take(now));
    assert.equal(new Set(taken).size, 64);
    assert.ok(!taken.includes(undefined));
    assert.equal(pool.take(now), undefined);
    for (const port of taken) if (port !== undefined) pool.release(port, now, 1_000);
  }
  assert.equal(pool.taken, 0);
  assert.equal(pool.takeEven(6_000, true) !== undefined, true);
  assert.equal(pool.taken, 2);
});
