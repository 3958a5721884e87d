import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '#kernel';
import { EdgeBench } from './testing/bench.ts';
import { Outside, TestService } from './testing/ends.ts';

test('what a participant shows and is told is traced by its conference, and no token is in any event', async (t) => {
  const bench = await EdgeBench.start(t);
  bench.ring.demand({
    providers: {
      Psom: { level: 'info', bodies: true },
      WebConferencing: { level: 'info', bodies: true },
    },
  });
  const service = await TestService.start(t, [bench]);
  await service.linked(bench);
  const token = service.token({ participant: 7 });
  const outside = await Outside.join(t, bench, token);
  assert.equal(outside.answer, 'joined');
  outside.socket.end();
  await bench.event('participant-left');
  const again = await Outside.join(t, bench, token);
  assert.equal(again.answer, 'used');
  const operations = () => bench.events.filter(({ name }) => name === 'psom-operation');
  await until(() => operations().length === 4);
  assert.deepEqual(
    operations().map(({ provider, direction, fields }) => [provider, direction, fields.operation]),
    [
      ['Psom', 'in', 'JOIN'],
      ['Psom', 'out', 'JOINED'],
      ['Psom', 'in', 'JOIN'],
      ['Psom', 'out', 'REFUSED'],
    ],
  );
  assert.deepEqual(
    [operations()[0]?.fields.show, operations()[3]?.fields.rule, operations()[3]?.fields.reason],
    ['conference', 'token-replayed', 'used'],
  );
  const joined = bench.events.find(({ name }) => name === 'participant-joined');
  const conference = `${joined?.fields.conference}`;
  const ofIt = bench.events.filter(({ keys }) => keys?.conference?.includes(conference));
  assert.deepEqual(
    ofIt.map(({ name }) => name),
    ['psom-operation', 'participant-joined', 'psom-operation', 'participant-left'],
  );
  assert.ok(
    bench.events.every(({ name, keys }) => name === 'service-started' || keys?.address !== undefined),
  );
  assert.ok(!JSON.stringify(bench.events).includes(token));
});
