import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  ADDRESS,
  askTcp,
  askUdp,
  Bench,
  eventually,
  freePort,
  listens,
  Outside,
  TcpClient,
} from './testdata/bench.ts';

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A process that nobody has waited for yet is dead all the same.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

function pidsOf(running: { status(): { services: { name: string; pid?: number | undefined }[] } }) {
  const pid = (name: string) => running.status().services.find((service) => service.name === name)?.pid ?? 0;
  return { access: pid('access'), av: pid('av') };
}

test('a killed TCP service: who connects in the gap is served by the next one, the other service goes on', async () => {
  await using bench = await Bench.create();
  const running = await bench.start(false);
  const before = pidsOf(running);
  process.kill(before.access, 'SIGKILL');
  const clients = Array.from({ length: 20 }, () => new TcpClient(bench.tcp));
  const answers = await Promise.all(clients.map((client) => client.ask('a')));
  await eventually('back', () => running.status().services[0]?.documentVersion);
  const after = pidsOf(running);
  assert.notEqual(after.access, before.access);
  assert.equal(after.av, before.av);
  assert.deepEqual(
    answers,
    answers.map(() => `one ${after.access} a`),
  );
  assert.equal(await askUdp(bench.udp, 'b'), `one ${before.av} b`);
  for (const client of clients) client.close();
  const service = running.status().services[0];
  assert.deepEqual([service?.restarts, service?.lastEnd], [1, 'signal SIGKILL']);
  const metrics = await (await fetch(`http://${ADDRESS}:${bench.metrics}/metrics`)).text();
  assert.match(metrics, /sallyport_service_restarts_total\{service="supervisor",name="access"\} 1\n/);
});

test('a killed UDP service keeps its port: a datagram sent in the gap is answered', async () => {
  await using bench = await Bench.create();
  const running = await bench.start(false);
  const before = pidsOf(running);
  process.kill(before.av, 'SIGKILL');
  await eventually('dead', () => !alive(before.av) || undefined);
  const squatter = createSocket('udp4').bind(bench.udp, ADDRESS);
  const [refusal] = (await once(squatter, 'error')) as [NodeJS.ErrnoException];
  assert.equal(refusal.code, 'EADDRINUSE');
  const answer = await askUdp(bench.udp, 'a');
  const after = pidsOf(running);
  assert.notEqual(after.av, before.av);
  assert.equal(answer, `one ${after.av} a`);
});

test('a service that ends again and again is started again every time', async () => {
  await using bench = await Bench.create();
  const running = await bench.start(false);
  for (let times = 1; times <= 3; times++) {
    const { av } = pidsOf(running);
    process.kill(av, 'SIGKILL');
    await eventually(`restart ${times}`, () => {
      const service = running.status().services[1];
      return (service?.restarts === times && service.documentVersion === 1 && service.health.ok) || undefined;
    });
    assert.match(await askUdp(bench.udp, 'a'), /^one/);
  }
  const delays = bench.lines.filter((line) => line.event === 'service ended').map((line) => line.restartInMs);
  assert.equal(delays[0], 0);
  assert.ok(Number(delays[1]) > 0 && Number(delays[2]) > 0);
});

test('a service that hangs is replaced', async () => {
  await using bench = await Bench.create();
  const running = await bench.start(false, { watchMs: 50, healthMs: 1500, verbMs: 1000 });
  const before = pidsOf(running);
  const hung = await bench.administration.call('call', { service: 'av', verb: 'hang' });
  assert.equal(hung.ok, false);
  assert.match(await askUdp(bench.udp, 'a'), /^one/);
  assert.notEqual(pidsOf(running).av, before.av);
  assert.equal(pidsOf(running).access, before.access);
});

test('one that ends while it swaps brings all back', async () => {
  await using bench = await Bench.create();
  const running = await bench.start(false);
  const before = pidsOf(running);
  bench.write({ greeting: 'two', crash: ['av'] });
  assert.equal((await running.reload('test')).outcome, 'rolled-back');
  assert.equal(await askTcp(bench.tcp, 'a'), `one ${before.access} a`);
  assert.match(await askUdp(bench.udp, 'b'), /^one/);
  assert.deepEqual(
    running.status().services.map((service) => service.documentVersion),
    [1, 1],
  );
});

test('a new document mends a service that waits to be started again', async () => {
  await using bench = await Bench.create();
  const running = await bench.start(false);
  for (let times = 0; times < 4; times++) {
    const { av } = await eventually('a process', () =>
      pidsOf(running).av === 0 ? undefined : pidsOf(running),
    );
    process.kill(av, 'SIGKILL');
    await eventually('noticed', () => pidsOf(running).av !== av || undefined);
  }
  bench.write({ greeting: 'two' });
  assert.equal((await running.reload('test')).outcome, 'applied');
  assert.match(await askUdp(bench.udp, 'b'), /^two/);
});

test('a killed supervisor leaves no orphan, and a new one starts in its place', async () => {
  await using bench = await Bench.create();
  const first = new Outside(bench.file);
  await first.said('running');
  const status = await bench.administration.call('status', {});
  assert.ok(status.ok);
  const pids = status.value.services.map((service) => service.pid ?? 0);
  assert.ok(pids.every(alive));
  first.process.kill('SIGKILL');
  await first.ended();
  for (const pid of pids) await eventually(`end of ${pid}`, () => !alive(pid) || undefined);
  // The last thread of a killed process closes its sockets, which may be after its first one is counted as dead.
  await eventually('nobody listens', async () => !(await listens(bench.tcp)) || undefined);
  assert.equal(existsSync(bench.socket), true);

  const second = new Outside(bench.file);
  await second.said('running');
  assert.match(await askTcp(bench.tcp, 'a'), /^one/);
  const again = new Outside(bench.file);
  assert.equal(await again.ended(), 1);
  assert.match(JSON.stringify(await again.said('not started')), /SLP-SVC-0002/);
  second.process.kill('SIGTERM');
  assert.equal(await second.ended(), 0);
  assert.equal(existsSync(bench.socket), false);
});

for (const mode of ['', '--single-process']) {
  test(`SIGTERM drains, SIGINT cuts it short, SIGHUP reloads ${mode}`, async () => {
    await using bench = await Bench.create();
    const outside = new Outside(bench.file, mode);
    await outside.said('running');
    const client = new TcpClient(bench.tcp);
    await client.ask('a');
    bench.write({ greeting: 'two' });
    outside.process.kill('SIGHUP');
    await outside.said('document applied');
    assert.match(await client.ask('b'), /^two/);
    outside.process.kill('SIGTERM');
    await outside.said('stopping');
    assert.match(await client.ask('c'), /^two/);
    outside.process.kill('SIGINT');
    assert.equal(await outside.ended(), 0);
    assert.equal(existsSync(bench.socket), false);
  });
}

test('every listener that cannot be bound is named with row, address and port', async () => {
  await using bench = await Bench.create();
  const other = new TcpClient(bench.tcp);
  other.close();
  await using holder = await Bench.create();
  await holder.start(false);
  const plan = [
    { ...bench.document.plan[0]!, id: 'a', port: holder.tcp },
    { ...bench.document.plan[1]!, id: 'b', port: holder.udp },
    { ...bench.document.plan[0]!, id: 'c', address: '192.0.2.1', port: await freePort() },
    { ...bench.document.plan[0]!, id: 'd', address: '0.0.0.0' },
    bench.document.plan[0]!,
  ];
  bench.write({ plan });
  const started = await bench.run(false);
  assert.ok(!started.ok);
  assert.deepEqual(
    started.error.problems.map((problem) => problem.code),
    ['SLP-SVC-0002', 'SLP-SVC-0002', 'SLP-SVC-0003', 'SLP-SVC-0005'],
  );
  assert.match(
    started.error.problems[0]?.message ?? '',
    new RegExp(`tcp ${ADDRESS}:${holder.tcp} for access`),
  );
  assert.match(started.error.problems[0]?.message ?? '', /port row ext-05/);
  assert.equal(await listens(bench.tcp), false);
});
