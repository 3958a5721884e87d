import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Cancel, ManualClock } from '#kernel';
import { LoopWait } from './loop-wait.ts';

/** A clock whose timers come as late as the process is busy. */
class BusyClock extends ManualClock {
  late = 0;
  readonly asked: number[] = [];

  override after(ms: number, task: () => void): Cancel {
    this.asked.push(ms);
    return super.after(ms + this.late, task);
  }
}

function watched() {
  const clock = new BusyClock();
  const waits: number[] = [];
  const wait = new LoopWait(clock, (ms) => waits.push(ms));
  wait.start();
  return { clock, waits, wait };
}

test('a timer that comes late says how long what arrives has to wait', () => {
  const { clock, waits, wait } = watched();
  clock.late = 300;
  clock.advance(1_000);
  wait.stop();
  assert.deepEqual(waits, [0, 300, 300, 300]);
});

test('while nothing waits it is looked less often, and again often from the first look that is late', () => {
  const { clock, waits, wait } = watched();
  clock.advance(10_000);
  assert.equal(clock.asked.at(0), 20);
  assert.equal(clock.asked.at(-1), 200);
  clock.late = 100;
  clock.advance(600);
  assert.equal(waits.at(-1), 100);
  assert.equal(clock.asked.at(-1), 20);
  clock.late = 0;
  clock.advance(10_000);
  assert.equal(clock.asked.at(-1), 200);
  const looks = waits.length;
  wait.stop();
  clock.advance(10_000);
  assert.equal(waits.length, looks);
});
