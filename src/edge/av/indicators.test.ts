import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metrics } from '#platform/telemetry';
import { Indicators, type Totals } from './indicators.ts';

const none: Totals = { authenticationFailures: 0, allocationFailures: 0, packetsDropped: 0, datagrams: 0 };

/** A relay that is so busy, whose totals grow by so much each second, for a minute. */
function watched(utilisation: number, growth: Partial<Totals>): { indicators: Indicators; metrics: Metrics } {
  const metrics = new Metrics();
  const indicators = new Indicators(metrics, () => utilisation);
  for (let second = 0; second <= 60; second++) {
    const grown = Object.entries(growth).map(([name, by]) => [name, by * second]);
    indicators.sample({ ...none, ...Object.fromEntries(grown) }, second * 1_000);
  }
  return { indicators, metrics };
}

test('each indicator has its bound, and its metric', async () => {
  const { indicators, metrics } = watched(0.1, {
    authenticationFailures: 19,
    allocationFailures: 20,
    packetsDropped: 299,
  });
  assert.deepEqual(indicators.list(), [
    { name: 'authenticationFailures', perSecond: 19, bound: 20 },
    { name: 'allocationFailures', perSecond: 20, bound: 20 },
    { name: 'packetsDropped', perSecond: 299, bound: 300 },
  ]);
  assert.deepEqual(
    indicators.exceeded().map(({ name }) => name),
    ['allocationFailures'],
  );
  assert.match(await metrics.text(), /^sallyport_av_allocation_failures_per_second 20$/m);
});

test('the ceiling is what it could carry if it were busy all the time', async () => {
  const { indicators, metrics } = watched(0.25, { datagrams: 20_000 });
  assert.equal(indicators.busy, 0.25);
  assert.equal(indicators.ceiling, 80_000);
  assert.match(await metrics.text(), /^sallyport_av_datagrams_per_second_ceiling 80000$/m);
});

test('with too little to do it says nothing about a ceiling', () => {
  assert.equal(watched(0.01, { datagrams: 300 }).indicators.ceiling, undefined);
  assert.equal(watched(0.5, {}).indicators.ceiling, undefined);
});
