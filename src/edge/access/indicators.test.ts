import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { until } from '#kernel';
import { Metrics } from '#platform/telemetry';
import { type Indicator, Indicators, type Sample } from './indicators.ts';
import { AccessLab } from './testing/lab.ts';

/** A service whose totals grow by so much each second, and whose levels are these, for a minute. */
function watched(growth: Partial<Sample['totals']>, levels: Partial<Sample['levels']>) {
  const metrics = new Metrics();
  const indicators = new Indicators(metrics);
  for (let second = 0; second <= 60; second++) {
    const grown = (name: keyof Sample['totals']) => (growth[name] ?? 0) * second;
    const totals = {
      connectionsDropped: grown('connectionsDropped'),
      sendsTimedOut: grown('sendsTimedOut'),
      requestsDropped: grown('requestsDropped'),
    };
    indicators.sample({ totals, levels: { flowControlled: 0, waitingSeconds: 0, ...levels } }, second * 1000);
  }
  return { indicators, metrics };
}

test('each indicator has its bound, and its metric', async () => {
  const { indicators, metrics } = watched(
    { connectionsDropped: 1, sendsTimedOut: 9, requestsDropped: 0.5 },
    { flowControlled: 100, waitingSeconds: 0.25 },
  );
  assert.deepEqual(
    indicators.list().map(({ name, value, bound }) => [name, value, bound]),
    [
      ['connectionsDropped', 1, 1],
      ['sendsTimedOut', 9, 10],
      ['requestsDropped', 0.5, 1],
      ['flowControlled', 100, 100],
      ['waitingSeconds', 0.25, 3],
    ],
  );
  assert.deepEqual(
    indicators.exceeded().map(({ name }) => name),
    ['connectionsDropped', 'flowControlled'],
  );
  const text = await metrics.text();
  assert.match(text, /^sallyport_access_sends_timed_out_per_second 9$/m);
  assert.match(text, /^sallyport_access_waiting_seconds 0.25$/m);
});

test('connections beyond a limit are seen by the indicator and told in the health of the service', async (t) => {
  const lab = await AccessLab.start(t, {
    change: ({ policy }) => Object.assign(policy.limits.access, { connectionsPerSource: 1 }),
  });
  await lab.frontEnds[0].connection();
  await lab.client();
  const dropped = async (): Promise<number> => {
    const told = (await lab.service.verbs.indicators?.({})) as { indicators: Indicator[] } | undefined;
    return told?.indicators.find(({ name }) => name === 'connectionsDropped')?.value ?? 0;
  };
  assert.equal(await dropped(), 0);
  let exceeded = false;
  await until(() => {
    const socket = connect({ host: '127.0.9.10', port: lab.externalPort });
    void once(socket, 'close').catch(() => {});
    socket.on('error', () => {});
    exceeded ||= /connectionsDropped \d+ a second/.test(String(lab.service.health().detail));
    return exceeded;
  });
  assert.ok((await dropped()) > 0);
});
