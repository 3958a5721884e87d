import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock, SeededRandom } from '#kernel';
import { memoryLog } from '#platform/telemetry';
import { memoryChannel } from './channel.ts';
import { EventHub } from './event-hub.ts';
import { memoryPipe } from './event-pipe.ts';
import { Fleet } from './fleet.ts';
import { toService } from './messages.ts';
import { DEFAULT_DEADLINES, SupervisedService } from './supervised-service.ts';
import { eventually } from './testdata/bench.ts';

function start() {
  const { supervisor, service } = memoryChannel();
  const log = memoryLog();
  const clock = new ManualClock();
  const kills: number[] = [];
  const supervised = new SupervisedService<unknown>({
    entry: { name: 'av', title: 'test', module: '' },
    launch: () => ({
      pid: 1,
      channel: supervisor,
      events: memoryPipe().supervisor,
      ended: new Promise(() => {}),
      kill: () => kills.push(clock.now()),
    }),
    clock,
    random: new SeededRandom(1),
    log,
    deadlines: DEFAULT_DEADLINES,
    current: () => undefined,
    draining: () => false,
    sockets: () => assert.fail('no sockets here'),
    events: new EventHub({ clock, collector: undefined, tell: () => {}, mark: () => [] }),
    onOffer: () => assert.fail('nothing is offered'),
    onRestart: () => assert.fail('no restarts here'),
  });
  supervised.start();
  service.send({ type: 'ready', node: 'v24', verbs: ['counters'] });
  return { supervised, service, log, clock, kills };
}

test('a service that talks nonsense, or is ready twice, changes nothing and fills no log', async () => {
  const { supervised, service, log } = start();
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

test('whoever asks how a silent service is does not shorten its time, and is told that it does not answer', async () => {
  const { supervised, service, clock, kills } = start();
  service.onMessage = (message) => {
    const asked = toService.parse(message);
    if (asked.type !== 'call' || asked.request.action !== 'commit') return;
    service.send({ type: 'reply', call: asked.call, ok: true, value: null });
  };
  await eventually('it is ready', () => supervised.status().state === 'ready' || undefined);
  await supervised.commit(1);
  const fleet = new Fleet<unknown>();
  fleet.form([supervised]);
  for (let second = 0; second < 29; second++) {
    void fleet.watch();
    clock.advance(1000);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(fleet.status(true)[0]?.health.ok, false);
  }
  assert.deepEqual(kills, [], 'three times ten seconds');
  for (let second = 0; second < 5; second++) {
    void fleet.watch();
    clock.advance(1000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(kills.length, 1);
});
