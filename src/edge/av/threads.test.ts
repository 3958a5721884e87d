import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { until } from '#kernel';
import { Bench, EchoPeer, TestClient } from './testing/bench.ts';

const EXTERNAL = '127.0.9.191';
const INTERNAL = '127.0.9.192';
const PEER = '127.0.9.193';
const OUTSIDE = '127.0.9.194';

/** Relayed addresses whose descriptors are more than those of any other test here. */
const MANY = 4_000;

let range = 57_900;
/** Those that were started, and not ended by a test. */
const workers: Worker[] = [];
process.on('worker', (worker) => workers.push(worker));

function tableSize(): string | undefined {
  return /^FDSize:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1];
}
async function start(t: TestContext, threads = 2, ports = 40): Promise<Bench> {
  const first = range;
  range += ports;
  workers.length = 0;
  const bench = await Bench.start({
    external: [EXTERNAL],
    internal: [INTERNAL],
    ports: [first, range - 1],
    allowedPeers: [`${PEER}/32`],
    threads,
  });
  t.after(() => bench.stop());
  await until(async () => (await counters(bench)).threads.running === (threads === 1 ? 0 : threads));
  return bench;
}

interface Counters {
  readonly relayed: {
    readonly sentPackets: number;
    readonly receivedPackets: number;
    readonly switchedPackets: number;
  };
  readonly drops: Readonly<Record<string, number>>;
  readonly threads: { readonly count: number; readonly running: number; readonly ends: number };
  readonly flows: number;
  readonly ports: { readonly taken: number };
}
const counters = async (bench: Bench) => structuredClone(await bench.verb('counters')) as Counters;

async function arrive(t: TestContext, bench: Bench, name: string, server = EXTERNAL): Promise<TestClient> {
  const client = await TestClient.open(bench, OUTSIDE, server, bench.token(`sip:${name}@example.test`));
  t.after(() => client.close());
  return client;
}
async function echo(t: TestContext): Promise<EchoPeer> {
  const peer = await EchoPeer.open(PEER);
  t.after(() => peer.close());
  return peer;
}
/** Clients whose channels to the peer run in each of the threads: the kernel spreads them by their ports. */
async function talking(t: TestContext, bench: Bench, peer: EchoPeer, count: number): Promise<TestClient[]> {
  const clients: TestClient[] = [];
  for (let n = 0; n < count; n += 1) {
    const client = await arrive(t, bench, `user${n}`);
    await client.allocated();
    await client.bindChannel(PEER, peer.port);
    clients.push(client);
  }
  return clients;
}
async function talks(client: TestClient, peer: EchoPeer, text: string): Promise<void> {
  client.send(PEER, peer.port, text);
  assert.equal((await client.hear(1))[0]?.text, text);
}

test('channels run in threads, and count as ever; with one thread there is none [setting host.workers.av]', async (t) => {
  const bench = await start(t);
  const peer = await echo(t);
  const clients = await talking(t, bench, peer, 8);
  assert.equal((await counters(bench)).flows, 16, 'one out and one back for each');
  for (const [n, client] of clients.entries()) await talks(client, peer, `by a channel ${n}`);
  const { relayed, drops, threads } = await counters(bench);
  assert.deepEqual([relayed.sentPackets, relayed.receivedPackets], [8, 8]);
  assert.deepEqual(threads, { count: 2, running: 2, ends: 0 });
  assert.deepEqual(drops, {});
  const { allocations } = (await bench.verb('allocations')) as { allocations: { sent: object }[] };
  assert.ok(allocations.every(({ sent }) => JSON.stringify(sent) === '{"packets":1,"bytes":14}'));
  assert.match(bench.service.health().detail, /2 of 2 threads/);
  const alone = await start(t, 1);
  const client = await arrive(t, alone, 'alice');
  await client.allocated();
  await client.bindChannel(PEER, peer.port);
  const { flows, threads: none } = await counters(alone);
  assert.deepEqual([flows, none], [0, { count: 0, running: 0, ends: 0 }]);
});

test('many set-ups at once are all answered, and the table of descriptors does not grow meanwhile', async (t) => {
  const bench = await start(t, 2, 700);
  const peer = await echo(t);
  const before = tableSize();
  const lane = async (_: unknown, number: number) => {
    for (let n = 0; n < 20; n += 1) {
      const client = await arrive(t, bench, `user${number}.${n}`);
      await client.allocated();
      await client.bindChannel(PEER, peer.port);
    }
  };
  await Promise.all(Array.from({ length: 20 }, lane));
  assert.equal(tableSize(), before, 'nobody waited for the kernel to make it larger');
  const { flows, threads, ports } = await counters(bench);
  assert.deepEqual([flows, threads.ends, ports.taken], [800, 0, 400]);
});

test('a document with more relayed addresses makes room for their descriptors before anybody asks for one', async (t) => {
  const bench = await start(t);
  const peer = await echo(t);
  const [alice] = await talking(t, bench, peer, 1);
  assert.ok(alice !== undefined && Number(tableSize()) < MANY);
  bench.document.policy.relay.ports = { first: 60_000, last: 60_000 + MANY - 1 };
  await bench.apply();
  const size = tableSize();
  assert.ok(Number(size) >= 2 * MANY, size);
  assert.equal(bench.service.remaining(), 0, 'all relayed addresses are others');
  const clients = await talking(t, bench, peer, 4);
  for (const [n, client] of clients.entries()) await talks(client, peer, `call ${n}`);
  const { flows, threads } = await counters(bench);
  assert.deepEqual([flows, threads.running, threads.ends], [8, 2, 0]);
  assert.equal(tableSize(), size);
});

test('a key roll, a reload and a drain in the middle of calls: these go on in the threads, newcomers hear what has changed', async (t) => {
  const bench = await start(t);
  const peer = await echo(t);
  const clients = await talking(t, bench, peer, 6);
  const { mediaCredentials } = bench.document.policy;
  bench.writeKey('next.media', 3);
  mediaCredentials.previousKeyFiles = [];
  mediaCredentials.keyFile = join(bench.document.host.stateDirectory, 'next.media');
  await bench.apply();
  for (const client of clients) await talks(client, peer, 'by the old key');
  const late = async (fill: number) => {
    const token = bench.token(`sip:late${fill}@example.test`, 600, fill);
    const client = await TestClient.open(bench, OUTSIDE, EXTERNAL, token);
    t.after(() => client.close());
    return client;
  };
  assert.notEqual((await (await late(1)).allocate()).type, 'allocated');
  const carol = await late(3);
  await carol.allocated();
  await carol.bindChannel(PEER, peer.port);
  await talks(carol, peer, 'by the new key');
  await bench.service.drain();
  assert.match(JSON.stringify(await (await late(3)).allocate()), /508/);
  for (const client of [...clients, carol]) await talks(client, peer, 'while draining');
  assert.equal(bench.service.remaining(), 7);
  await bench.service.undrain();
  await (await late(3)).allocated();
  const { flows, threads } = await counters(bench);
  assert.deepEqual([flows, threads], [14, { count: 2, running: 2, ends: 0 }]);
});

test('two clients of any two threads meet inside, from both interfaces', async (t) => {
  const bench = await start(t);
  for (let n = 0; n < 6; n += 1) {
    const alice = await arrive(t, bench, 'alice');
    const bob = await arrive(t, bench, 'bob', INTERNAL);
    const [a, b] = [await alice.allocated(), await bob.allocated()];
    await alice.bindChannel(b.address, b.port);
    await bob.bindChannel(a.address, a.port);
    assert.equal((await counters(bench)).flows, 2);
    alice.send(b.address, b.port, 'to bob');
    bob.send(a.address, a.port, 'to alice');
    assert.equal((await bob.hear(1))[0]?.text, 'to bob');
    assert.equal((await alice.hear(1))[0]?.text, 'to alice');
    assert.equal((await counters(bench)).relayed.switchedPackets, 2 * n + 2);
    // One goes: what the other one may send to it is over at that moment.
    bob.client.deallocate(bench.clock.now());
    await until(async () => (await counters(bench)).flows === 0);
    alice.send(b.address, b.port, 'nobody');
    await until(async () => (await counters(bench)).drops['peer-own-address'] === n + 1);
    alice.client.deallocate(bench.clock.now());
    await until(() => bench.service.remaining() === 0);
  }
});

test('the bandwidth of a user holds for all threads together, and changes with the document', async (t) => {
  const bench = await start(t);
  bench.document.policy.relay.bandwidth = {
    perUserKilobits: 8,
    perPortKilobits: 10_000,
    burstMilliseconds: 10_000,
  };
  await bench.apply();
  const peer = await echo(t);
  const clients: TestClient[] = [];
  for (let n = 0; n < 8; n += 1) {
    const client = await arrive(t, bench, 'alice');
    await client.allocated();
    await client.bindChannel(PEER, peer.port);
    clients.push(client);
  }
  for (let n = 0; n < 80; n += 1) clients[n % 8]?.send(PEER, peer.port, 'x'.repeat(1_000));
  const over = async () => (await counters(bench)).drops['over-bandwidth'] ?? 0;
  const heard = () => clients.reduce((sum, client) => sum + client.heard.length, 0);
  await until(async () => heard() + (await over()) >= 80);
  // 10 000 octets at once, and a thousand a second; the way back has a budget of its own.
  assert.ok(heard() >= 10 && heard() < 30, `${heard()} of 80`);
  bench.document.policy.relay.bandwidth = {
    perUserKilobits: 100_000,
    perPortKilobits: 100_000,
    burstMilliseconds: 10_000,
  };
  await bench.apply();
  const before = await over();
  await until(async () => {
    for (const client of clients) client.heard.length = 0;
    clients[0]?.send(PEER, peer.port, 'more');
    await new Promise((resolve) => setTimeout(resolve, 5));
    return heard() > 0;
  });
  assert.ok((await over()) >= before);
});

test('a thread that ends: calls go on, new ones begin at once, it is told and another one comes', async (t) => {
  const bench = await start(t);
  const peer = await echo(t);
  const clients = await talking(t, bench, peer, 6);
  await Promise.all(workers.splice(0).map((worker) => worker.terminate()));
  const newcomer = await arrive(t, bench, 'newcomer');
  await newcomer.allocated();
  await newcomer.bindChannel(PEER, peer.port);
  await talks(newcomer, peer, 'at once');
  for (const client of clients) await talks(client, peer, 'still');
  await until(async () => (await counters(bench)).threads.running === 2);
  for (const client of [...clients, newcomer]) await talks(client, peer, 'and again');
  const { threads, relayed, flows } = await counters(bench);
  assert.deepEqual([threads.ends, flows], [2, 14]);
  assert.equal(relayed.sentPackets, 14);
  assert.equal(bench.service.remaining(), 7);
  const told = bench.log.lines.filter(({ code }) => code === 'SLP-AV-0208');
  assert.deepEqual(told.map(({ thread }) => thread).sort(), [1, 2]);
  for (const client of [...clients, newcomer]) client.client.deallocate(bench.clock.now());
  await until(async () => (await counters(bench)).flows === 0 && bench.service.remaining() === 0);
});

test('rights that end in the middle of a session end in the threads: by the client, and by a document', async (t) => {
  const bench = await start(t);
  const peer = await echo(t);
  const [one, two] = await talking(t, bench, peer, 2);
  assert.ok(one && two);
  one.client.deallocate(bench.clock.now());
  await until(() => bench.service.remaining() === 1);
  assert.equal((await counters(bench)).flows, 2);
  await talks(two, peer, 'not concerned');
  bench.document.policy.relay.allowedPeers = [];
  await bench.apply();
  assert.equal((await counters(bench)).flows, 0);
  two.send(PEER, peer.port, 'forbidden now');
  await until(async () => ((await counters(bench)).drops['no-channel'] ?? 0) === 1);
  assert.equal(peer.sources.length, 1);
});

test('TCP and UDP clients, indications and channels, meet through threads; all is freed in the end', async (t) => {
  const descriptors = () => readdirSync('/proc/self/fd').length;
  const before = descriptors();
  const bench = await start(t);
  const peer = await echo(t);
  const alice = await arrive(t, bench, 'alice');
  const stream = { address: OUTSIDE, server: INTERNAL };
  const bob = await TestClient.openStream(bench, stream, bench.token('sip:bob@example.test'));
  const [a, b] = [await alice.allocated(), await bob.allocated()];
  await alice.bindChannel(b.address, b.port);
  await bob.permit(a.address, a.port);
  alice.send(b.address, b.port, 'channel to stream');
  assert.equal((await bob.hear(1))[0]?.text, 'channel to stream');
  bob.send(a.address, a.port, 'stream to channel');
  assert.equal((await alice.hear(1))[0]?.text, 'stream to channel');
  assert.equal(await alice.permit(PEER, peer.port), 0);
  await talks(alice, peer, 'indication');
  for (const client of [alice, bob]) client.client.deallocate(bench.clock.now());
  await until(() => bench.service.remaining() === 0);
  bob.close();
  await bench.stop();
  // The sockets of Alice and the peer are the test's own.
  await until(() => descriptors() <= before + 2);
});
