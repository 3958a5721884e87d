import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '#kernel';
import { Trace } from './trace.ts';

test('a step knows when it began, how long it took and how it ended; their number is bounded', () => {
  const clock = new ManualClock();
  const trace = new Trace(clock);
  clock.advance(10);
  const end = trace.begin('dns');
  clock.advance(25);
  trace.note('policy', false, 'refused');
  end(true, 'found');
  assert.deepEqual(trace.steps, [
    { topic: 'policy', text: 'refused', ok: false, atMs: 35, tookMs: 0 },
    { topic: 'dns', text: 'found', ok: true, atMs: 10, tookMs: 25 },
  ]);
  for (let i = 0; i < 500; i++) trace.note('dns', true, 'more');
  assert.equal(trace.steps.length, 200);
});
