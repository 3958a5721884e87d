import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Endpoint } from '../endpoint.ts';
import { AttemptPlan, type RaceAction, usualRaceLimits } from './attempt-plan.ts';

const at = (address: string): Endpoint => ({ address, port: 5061 });
const SIX = [at('2001:db8::1'), at('2001:db8::2')];
const FOUR = [at('192.0.2.1'), at('192.0.2.2')];

/** The addresses started, in order, and the waits, as text. */
const told = (actions: readonly RaceAction[]): string[] =>
  actions.map((action) =>
    action.do === 'start'
      ? action.endpoint.address
      : action.do === 'wait'
        ? `wait ${action.until}`
        : action.do,
  );

test('IPv6 first, then the families in turn, each a quarter of a second after the last (RFC 8305 §4, §5)', () => {
  const plan = new AttemptPlan(2, usualRaceLimits);
  assert.deepEqual(told(plan.handleAddresses(SIX, 0)), ['2001:db8::1', 'wait 250']);
  assert.deepEqual(told(plan.handleAddresses(FOUR, 10)), ['wait 250']);
  assert.deepEqual(told(plan.handleTimer(250)), ['192.0.2.1', 'wait 500']);
  assert.deepEqual(told(plan.handleTimer(500)), ['2001:db8::2', 'wait 750']);
  assert.deepEqual(told(plan.handleTimer(750)), ['192.0.2.2', 'wait 1000']);
  assert.deepEqual(told(plan.handleTimer(1000)), []);
});

test('IPv4 addresses that come first wait a moment for the others (RFC 8305 §3)', () => {
  const late = new AttemptPlan(2, usualRaceLimits);
  assert.deepEqual(told(late.handleAddresses(FOUR, 0)), ['wait 50']);
  assert.deepEqual(told(late.handleTimer(50)), ['192.0.2.1', 'wait 300']);
  const soon = new AttemptPlan(2, usualRaceLimits);
  soon.handleAddresses(FOUR, 0);
  assert.deepEqual(told(soon.handleAddresses(SIX, 20)), ['2001:db8::1', 'wait 270']);
  const none = new AttemptPlan(2, usualRaceLimits);
  none.handleAddresses(FOUR, 0);
  assert.deepEqual(told(none.handleAddresses([], 20)), ['192.0.2.1', 'wait 270']);
});

test('after a failure the next one starts at once; the last failure is the end', () => {
  const plan = new AttemptPlan(1, usualRaceLimits);
  plan.handleAddresses(FOUR, 0);
  assert.deepEqual(told(plan.handleFailure(5)), ['192.0.2.2', 'wait 255']);
  assert.deepEqual(told(plan.handleFailure(6)), ['give-up']);
});

test('while a source is pending nothing is given up', () => {
  const plan = new AttemptPlan(2, usualRaceLimits);
  plan.handleAddresses([FOUR[0]!], 0);
  plan.handleTimer(50);
  assert.deepEqual(told(plan.handleFailure(60)), []);
  assert.deepEqual(told(plan.handleAddresses([], 70)), ['give-up']);
  assert.deepEqual(told(new AttemptPlan(1, usualRaceLimits).handleAddresses([], 0)), ['give-up']);
});

test('an address is tried once, and not more of them than the limit', () => {
  const plan = new AttemptPlan(1, { ...usualRaceLimits, attempts: 3 });
  const many = [FOUR[0]!, ...Array.from({ length: 9 }, (_, n) => at(`198.51.100.${n}`)), FOUR[0]!];
  const started = told(plan.handleAddresses(many, 0));
  for (let now = 250; now < 5000; now += 250) started.push(...told(plan.handleTimer(now)));
  assert.deepEqual(
    started.filter((text) => !text.startsWith('wait')),
    ['192.0.2.1', '198.51.100.0', '198.51.100.1'],
  );
});
