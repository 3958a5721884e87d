import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock, SeededRandom } from '#kernel';
import { memoryLog } from '#platform/telemetry';
import { memoryChannel } from './channel.ts';
import { EventHub } from './event-hub.ts';
import { memoryPipe } from './event-pipe.ts';
import { DEFAULT_DEADLINES, SupervisedService } from './supervised-service.ts';
import { eventually } from './testdata/bench.ts';

test('a service that talks nonsense, or is ready twice, changes nothing and fills no log', async () => {
  const { supervisor, service } = memoryChannel();
  const log = memoryLog();
  const supervised = new SupervisedService<unknown>({
    entry: { name: 'av', title: 'test', module: '' },
    launch: () => ({
      pid: 1,
      channel: supervisor,
      events: memoryPipe().supervisor,
      ended: new Promise(() => {}),
      kill() {},
    }),
    clock: new ManualClock(),
    random: new SeededRandom(1),
    log,
    deadlines: DEFAULT_DEADLINES,
    current: () => undefined,
    draining: () => false,
    sockets: () => assert.fail('no sockets here'),
    events: new EventHub({
      clock: new ManualClock(),
      collector: undefined,
      tell: () => {},
      mark: () => [],
    }),
    onOffer: () => assert.fail('nothing is offered'),
    onRestart: () => assert.fail('no restarts here'),
  });
  supervised.start();
  service.send({ type: 'ready', node: 'v24', verbs: ['counters'] });
  for (let time = 0; time < 100; time++) {
    service.send({ type: 'demand', demand: { providers: { Sip: { level: 'verbose', bodies: true } } } });
    service.send({ type: 'nonsense' } as never);
  }
  let last = false;
  service.send({ type: 'ready', node: 'v24', verbs: ['forged'] }, undefined, () => {
    last = true;
  });
  await eventually('the last message', () => last || undefined);
  assert.deepEqual([supervised.status().state, supervised.status().verbs], ['ready', ['counters']]);
  assert.equal(log.lines.filter(({ code }) => code === 'SLP-SVC-0012').length, 1);
});
