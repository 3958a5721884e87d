import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock, SystemClock } from './clock.ts';

test('a manual clock runs what falls due, in order of time, also what that adds', () => {
  const clock = new ManualClock({ now: 100, wall: 1_000 });
  const seen: string[] = [];
  const note = (what: string) => () => seen.push(`${what} ${clock.now()}`);
  clock.after(30, note('third'));
  clock.after(10, () => {
    note('first')();
    clock.after(5, note('second'));
  });
  clock.after(30, note('fourth'));
  clock.after(20, note('never'))();
  clock.advance(29);
  assert.deepEqual(seen, ['first 110', 'second 115']);
  clock.advance(1);
  assert.deepEqual(seen.slice(2), ['third 130', 'fourth 130']);
  assert.deepEqual([clock.now(), clock.wall()], [130, 1_030]);
});

test('a jump moves the wall clock only', () => {
  const clock = new ManualClock({ wall: 1_000 });
  clock.after(1, () => assert.fail('nothing falls due'));
  clock.jump(-5_000);
  assert.deepEqual([clock.now(), clock.wall()], [0, -4_000]);
});

test('the system clock never goes back, and runs what it was asked for unless cancelled', async () => {
  const clock = new SystemClock();
  const before = clock.now();
  // Its timers keep no process alive, so something else has to.
  const alive = setInterval(() => {}, 1_000);
  await new Promise<void>((resolve) => {
    clock.after(0, () => assert.fail('it was cancelled'))();
    clock.after(Number.NEGATIVE_INFINITY, resolve);
  });
  clearInterval(alive);
  assert.ok(clock.now() >= before);
});
