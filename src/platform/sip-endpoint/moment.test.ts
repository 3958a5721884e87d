import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '#kernel';
import { Moment } from './moment.ts';

test('time stands still while something is handled, also for what that handles, and goes on afterwards', () => {
  const clock = new ManualClock({ now: 100 });
  const moment = new Moment(clock);
  const seen: number[] = [];
  moment.hold((now) => {
    clock.advance(5);
    seen.push(now, moment.now());
    moment.hold((inner) => seen.push(inner));
    seen.push(moment.now());
  });
  assert.deepEqual(seen, [100, 100, 100, 100]);
  assert.equal(moment.now(), 105);
});

test('time goes on after something that was thrown', () => {
  const clock = new ManualClock({ now: 100 });
  const moment = new Moment(clock);
  const thrown = () =>
    moment.hold(() => {
      throw new Error('a bug');
    });
  assert.throws(thrown, /a bug/);
  clock.advance(1);
  assert.equal(moment.now(), 101);
});
