import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ADDRESS, askUdp, Bench, eventually, TcpClient } from './testdata/bench.ts';
import { type TestDocument, testProgram } from './testdata/document.ts';

const inTwo = {
  ...testProgram,
  workers: (service: string, { greeting }: TestDocument) =>
    service === 'access' ? (greeting === 'three' ? 3 : 2) : 1,
};

/** Clients until each of two processes has one, by the process that serves them. */
async function clientOfEach(bench: Bench): Promise<Map<number, TcpClient>> {
  const found = new Map<number, TcpClient>();
  while (found.size < 2) {
    const client = new TcpClient(bench.tcp);
    const pid = Number((await client.ask('a')).split(' ')[1]);
    if (found.has(pid)) client.close();
    else found.set(pid, client);
  }
  return found;
}

test('a service in two processes: one answer for both, and one that is killed takes only its own connections with it', async () => {
  await using bench = await Bench.create();
  const running = await bench.start(false, {}, inTwo);
  const clients = await clientOfEach(bench);
  const access = () => running.status().services[0];
  const pids = access()?.workers?.map(({ pid }) => pid) ?? [];
  assert.deepEqual(new Set(pids), new Set(clients.keys()));
  assert.equal(running.status().services.length, 2);
  const metrics = await (await fetch(`http://${ADDRESS}:${bench.metrics}/metrics`)).text();
  assert.match(metrics, /sallyport_test_accepted_total\{service="access",worker="1"\} [1-9]/);
  assert.match(metrics, /sallyport_test_accepted_total\{service="access",worker="2"\} [1-9]/);
  assert.match(metrics, /sallyport_test_datagrams_total\{service="av"\} 0\n/);

  const drained = await bench.administration.call('drain', { service: 'access' });
  assert.deepEqual(drained.ok && drained.value.services, [{ name: 'access', remaining: 2 }]);
  await bench.administration.call('undrain', { service: 'access' });

  const [killed = 0, other = 0] = pids;
  const theirs = clients.get(killed);
  const gone = once(theirs?.socket ?? assert.fail(), 'close');
  process.kill(killed, 'SIGKILL');
  await gone;
  assert.equal(await clients.get(other)?.ask('b'), `one ${other} b`);
  await eventually('it is known to have ended', () => (access()?.restarts === 1 ? true : undefined));
  // The verb is answered by whoever runs.
  assert.ok(Array.isArray(await bench.verb('access', 'history')));
  // Those that the kernel gives to the killed one are served by the other one, or by its successor.
  const others = Array.from({ length: 20 }, () => new TcpClient(bench.tcp));
  const servers = new Set((await Promise.all(others.map((client) => client.ask('c')))).map(pidOf));
  await eventually('back', () => access()?.documentVersion);
  const [successor = 0] = access()?.workers?.map(({ pid }) => pid) ?? [];
  assert.notEqual(successor, killed);
  for (const pid of servers) assert.ok(pid === successor || pid === other, `${pid} served`);
  assert.equal(await clients.get(other)?.ask('d'), `one ${other} d`);
  assert.deepEqual(access()?.restarts, 1);
  assert.deepEqual(
    access()?.workers?.map(({ restarts }) => restarts),
    [1, 0],
  );

  bench.write({ greeting: 'two' });
  assert.equal((await running.reload('test')).outcome, 'applied');
  assert.equal(await clients.get(other)?.ask('e'), `two ${other} e`);
  bench.write({ greeting: 'three' });
  assert.equal((await running.reload('test')).outcome, 'applied');
  const told = bench.lines.filter(({ event }) => event === 'needs a restart');
  assert.deepEqual(
    told.map(({ settings }) => settings),
    [['host.workers.access']],
  );
  assert.equal(access()?.workers?.length, 2);
  for (const client of [...clients.values(), ...others]) client.close();
});

test('a process that ends again and again keeps nobody waiting: another one stands in for it, until it is back', async () => {
  await using bench = await Bench.create();
  const flag = join(bench.folder, 'ends');
  bench.write({ secondEnds: flag });
  const running = await bench.start(false, {}, inTwo);
  const access = () => running.status().services[0];
  const [first, second] = access()?.workers ?? [];
  writeFileSync(flag, '');
  process.kill(second?.pid ?? 0, 'SIGKILL');
  await eventually('it ends again', () => ((access()?.restarts ?? 0) >= 2 ? true : undefined));
  const clients = Array.from({ length: 20 }, () => new TcpClient(bench.tcp));
  const servers = new Set((await Promise.all(clients.map((client) => client.ask('a')))).map(pidOf));
  assert.deepEqual(servers, new Set([first?.pid]));
  rmSync(flag);
  await eventually('back', () => access()?.documentVersion);
  const both = await clientOfEach(bench);
  assert.deepEqual(new Set(both.keys()), new Set(access()?.workers?.map(({ pid }) => pid)));
  for (const client of [...clients, ...both.values()]) client.close();
});

test('the port of several processes is refused to another program all the same', async () => {
  await using bench = await Bench.create();
  await bench.start(false, {}, inTwo);
  await using second = await Bench.create();
  second.write({ plan: bench.document.plan.filter(({ service }) => service === 'access') });
  const started = await second.run(false, {}, inTwo);
  assert.equal(started.ok, false);
  assert.equal(!started.ok && started.error.problems[0]?.code, 'SLP-SVC-0002');
});

test('in a single process there is one of each, whatever the document says', async () => {
  await using bench = await Bench.create();
  const running = await bench.start(true, {}, inTwo);
  assert.equal(running.status().services[0]?.workers, undefined);
});

for (const single of [false, true]) {
  test(`threads of one process share a UDP listener: it has a socket for each (single ${single})`, async () => {
    await using bench = await Bench.create();
    const threads = (service: string, { greeting }: TestDocument) =>
      service === 'av' ? (greeting === 'three' ? 3 : 2) : 1;
    const running = await bench.start(single, {}, { ...testProgram, threads });
    const av = () => running.status().services.find(({ name }) => name === 'av');
    assert.equal(av()?.workers, undefined);
    // Each from another port, so that the kernel gives them to both.
    const everybodyIsAnswered = async (greeting: string) => {
      for (let n = 0; n < 16; n += 1) {
        assert.match(await askUdp(bench.udp, 'a'), new RegExp(`^${greeting} \\d+ a$`));
      }
    };
    await everybodyIsAnswered('one');
    if (!single) {
      process.kill(av()?.pid ?? 0, 'SIGKILL');
      await eventually('it is known to have ended', () => (av()?.restarts === 1 ? true : undefined));
      await eventually('back', () => av()?.documentVersion);
      await everybodyIsAnswered('one');
    }
    bench.write({ greeting: 'three' });
    assert.equal((await running.reload('test')).outcome, 'applied');
    const told = bench.lines.filter(({ event }) => event === 'needs a restart');
    assert.deepEqual(
      told.map(({ settings }) => settings),
      [['host.workers.av']],
    );
    await everybodyIsAnswered('three');
  });
}

function pidOf(answer: string): number {
  return Number(answer.split(' ')[1]);
}
