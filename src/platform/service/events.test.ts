import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bench, eventually } from './testdata/bench.ts';
import { testProgram } from './testdata/document.ts';

const collecting = {
  ...testProgram,
  services: [
    ...testProgram.services,
    {
      name: 'replica',
      title: 'collector',
      module: new URL('./testdata/collector.ts', import.meta.url).href,
    },
  ],
  collector: 'replica',
} as const;
const nothing = { providers: {} };
const verbose = { level: 'verbose', bodies: false };

for (const single of [false, true]) {
  const where = single ? 'in a single process' : 'in processes';

  test(`what services emit reaches the collector, in order and only what it asks for, ${where}`, async () => {
    await using bench = await Bench.create();
    await bench.start(single, {}, collecting);
    await bench.verb('access', 'trace', { text: 'unasked' });
    assert.deepEqual(await bench.verb('replica', 'collected'), []);
    await bench.verb('replica', 'demand', {
      providers: { Sip: verbose, Access: verbose, Av: verbose, Unknown: verbose },
    });
    await eventually('the demand arrives', async () => {
      await bench.verb('access', 'trace', { text: 'first' });
      const seen = (await bench.verb('replica', 'collected')) as string[];
      return seen.length > 0 || undefined;
    });
    await bench.verb('access', 'trace', { text: 'one' });
    await bench.verb('access', 'trace', { text: 'two' });
    await bench.verb('av', 'emit', { count: 1 });
    // Each service has a pipe of its own: between two of them there is no order.
    const seen = (await bench.verb('replica', 'collected')) as string[];
    const of = (service: string) => seen.filter((line) => line.startsWith(`${service} `));
    assert.deepEqual(of('access'), ['access traced', 'access sip one', 'access traced', 'access sip two']);
    assert.deepEqual(of('av'), ['av test']);
    assert.equal(seen.length, 5);
    await bench.verb('replica', 'demand', nothing);
    await eventually('nothing is asked for any more', async () => {
      await bench.verb('access', 'trace', { text: 'late' });
      const seen = (await bench.verb('replica', 'collected')) as string[];
      return seen.length === 0 || undefined;
    });
  });
}

test('a flood is cut and told; a collector that is gone asks for nothing, and its successor hears all', async () => {
  await using bench = await Bench.create();
  const running = await bench.start(false, {}, collecting);
  await bench.verb('replica', 'demand', { providers: { Access: verbose } });
  await bench.verb('av', 'emit', { count: 50_000 });
  const told = await eventually('the loss is told', async () => {
    const seen = (await bench.verb('replica', 'collected')) as string[];
    return seen.find((line) => line.startsWith('av lost ')) ?? undefined;
  });
  assert.equal(Number(told.slice('av lost '.length)), running.status().events.dropped);
  const before = running.status().services.find(({ name }) => name === 'replica')?.pid ?? 0;
  process.kill(before, 'SIGKILL');
  await eventually('the collector is back', () => {
    const status = running.status().services.find(({ name }) => name === 'replica');
    return (status?.state === 'running' && status.pid !== before) || undefined;
  });
  await bench.verb('access', 'trace', { text: 'unasked' });
  assert.deepEqual(
    ((await bench.verb('replica', 'collected')) as string[]).filter((line) => line.includes('sip')),
    [],
  );
  await bench.verb('replica', 'demand', { providers: { Sip: verbose } });
  await eventually('the demand of the successor counts', async () => {
    await bench.verb('access', 'trace', { text: 'asked' });
    const seen = (await bench.verb('replica', 'collected')) as string[];
    return seen.includes('access sip asked') || undefined;
  });
  const page = await bench.administration.call('events', {
    after: Math.max(0, running.status().events.latest - 20),
    limit: 100,
  });
  assert.ok(
    page.ok &&
      page.value.events.some(({ name, service }) => name === 'service-ended' && service === 'supervisor'),
  );
});
