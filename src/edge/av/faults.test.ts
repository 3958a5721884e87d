import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Clock, ManualClock, until } from '#kernel';
import { Bench, EchoPeer, openStream, TestClient } from './testing/bench.ts';
import { readToEnd, TcpRelayClient } from './testing/tcp-relay-client.ts';

const EXTERNAL = '127.0.9.191';
const INTERNAL = '127.0.9.192';
const PEER = '127.0.9.193';
const OUTSIDE = '127.0.9.194';
const STRANGER = '127.0.9.195';
const DAY_MS = 86_400_000;

let range = 55_000;

async function start(t: TestContext, ports: number, clock?: Clock): Promise<Bench> {
  const first = range;
  range += ports;
  const bench = await Bench.start(
    {
      external: [EXTERNAL],
      internal: [INTERNAL],
      ports: [first, range - 1],
      allowedPeers: [`${PEER}/32`, `${STRANGER}/32`],
    },
    clock,
  );
  t.after(() => bench.stop());
  bench.document.policy.features.federation = true;
  bench.document.policy.federation.mediaProfiles = ['ice', 'legacy-ocs2007'];
  await bench.apply();
  return bench;
}
async function byUdp(t: TestContext, bench: Bench, seconds = 600): Promise<TestClient> {
  const token = bench.token('sip:alice@example.test', seconds);
  const client = await TestClient.open(bench, OUTSIDE, EXTERNAL, token);
  t.after(() => client.close());
  return client;
}
async function byTcp(t: TestContext, bench: Bench): Promise<TcpRelayClient> {
  const client = await TcpRelayClient.open(
    () => openStream(bench, { address: OUTSIDE, server: EXTERNAL, halfOpen: true }),
    bench.token('sip:bob@example.test'),
  );
  t.after(() => client.end());
  return client;
}
async function listeningPeer(t: TestContext): Promise<{ port: number; sockets: Socket[] }> {
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    sockets.push(socket);
  });
  server.listen(0, PEER);
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { port: (server.address() as AddressInfo).port, sockets };
}
async function stranger(t: TestContext): Promise<UdpSocket> {
  const socket = createSocket('udp4');
  socket.bind(0, STRANGER);
  await once(socket, 'listening');
  t.after(() => socket.close());
  return socket;
}
interface Counters {
  readonly allocations: number;
  readonly ports: { readonly taken: number; readonly size: number };
  readonly drops: Readonly<Record<string, number>>;
}
const counters = async (bench: Bench) => structuredClone(await bench.verb('counters')) as Counters;

test('the relay range is exhausted: 508 by UDP, by TCP and for TCP, nothing leaks, and a port that comes back serves', async (t) => {
  const bench = await start(t, 4);
  const udp = [await byUdp(t, bench), await byUdp(t, bench)];
  const tcp = [await byTcp(t, bench), await byTcp(t, bench)];
  for (const client of udp) await client.allocated();
  for (const client of tcp) await client.allocate();
  for (let n = 0; n < 20; n++) {
    const late = await (await byUdp(t, bench)).allocate();
    assert.deepEqual([late.type, 'code' in late && late.code], ['ended', 508]);
    await assert.rejects((await byTcp(t, bench)).allocate(), /508/);
  }
  assert.deepEqual((await counters(bench)).ports, { taken: 4, size: 4 });
  tcp[0]?.end();
  await until(() => bench.service.remaining() === 3);
  const heir = await byUdp(t, bench);
  await heir.allocated();
  for (const client of [...udp, heir]) client.client.deallocate(bench.clock.now());
  tcp[1]?.end();
  await until(() => bench.service.remaining() === 0);
  assert.deepEqual((await counters(bench)).ports, { taken: 0, size: 4 });
});

test('clients by TCP that vanish without a word: streams, ports and connections are all freed', async (t) => {
  const clock = new ManualClock({ wall: Date.now() });
  const bench = await start(t, 10, clock);
  const peer = await listeningPeer(t);
  const client = await byTcp(t, bench);
  await client.allocate();
  await client.bind(await client.connect(PEER, peer.port));
  const [far] = peer.sockets;
  assert.ok(far);
  // Nothing is heard of it any more: no refresh, no end.
  for (let minute = 0; minute < 11; minute++) clock.advance(60_000);
  await until(() => bench.service.remaining() === 0);
  far.resume();
  await until(() => far.readableEnded || far.closed);
  for (let second = 0; second < 40; second++) clock.advance(1_000);
  await until(() => bench.service.health().detail.endsWith('0 connections'));
  assert.deepEqual((await counters(bench)).ports, { taken: 0, size: 10 });
});

test('a flooding peer is counted and changes nothing for others; one that is permitted gets its share', async (t) => {
  const bench = await start(t, 10);
  const [alice, bob] = [await byUdp(t, bench), await byUdp(t, bench)];
  const relayed = await alice.allocated();
  await bob.allocated();
  const echo = await EchoPeer.open(PEER);
  t.after(() => echo.close());
  await bob.bindChannel(PEER, echo.port);
  const flood = await stranger(t);
  const datagram = randomBytes(1_000);
  for (let n = 0; n < 2_000; n++) flood.send(datagram, relayed.port, relayed.address);
  for (let n = 0; n < 20; n++) {
    bob.send(PEER, echo.port, `bob ${n}`);
    assert.equal((await bob.hear(1))[0]?.text, `bob ${n}`);
  }
  assert.ok(((await counters(bench)).drops['peer-without-permission'] ?? 0) > 0);
  assert.equal(alice.heard.length, 0);
  bench.document.policy.relay.bandwidth = {
    perPortKilobits: 64,
    perUserKilobits: 10_000,
    burstMilliseconds: 100,
  };
  await bench.apply();
  await alice.permit(STRANGER, 9);
  for (let n = 0; n < 2_000; n++) flood.send(datagram, relayed.port, relayed.address);
  bob.send(PEER, echo.port, 'bob still');
  assert.equal((await bob.hear(1))[0]?.text, 'bob still');
  while (((await counters(bench)).drops['over-bandwidth'] ?? 0) === 0)
    await new Promise((resolve) => setTimeout(resolve, 2));
});

test('the wall clock jumps a day back and two ahead: sessions go on by the other clock, a credential that is over renews nothing', async (t) => {
  const clock = new ManualClock({ wall: Date.now() });
  const bench = await start(t, 10, clock);
  const echo = await EchoPeer.open(PEER);
  t.after(() => echo.close());
  const alice = await byUdp(t, bench, 3_600);
  await alice.allocated();
  await alice.bindChannel(PEER, echo.port);
  const hears = async (text: string) => {
    alice.send(PEER, echo.port, text);
    assert.equal((await alice.hear(1))[0]?.text, text);
  };
  clock.jump(-DAY_MS);
  await hears('a day back');
  clock.advance(200_000);
  await hears('later');
  clock.jump(2 * DAY_MS);
  await hears('a day ahead');
  const newcomer = await byUdp(t, bench);
  await newcomer.allocated();
  // What was issued before ends by the wall clock of now: nothing is begun with it, and nothing prolonged.
  const { username, password } = bench.token('sip:carol@example.test', -10);
  const late = await TestClient.open(bench, OUTSIDE, EXTERNAL, { username, password });
  t.after(() => late.close());
  assert.equal((await late.allocate()).type, 'ended');
  assert.equal(bench.service.remaining(), 2);
});

test('documents, keys and limits change in the middle of a stream: not an octet is lost', async (t) => {
  const bench = await start(t, 10);
  const peer = await listeningPeer(t);
  const client = await byTcp(t, bench);
  await client.allocate();
  bench.document.policy.relay.bandwidth = {
    perPortKilobits: 1_000_000,
    perUserKilobits: 1_000_000,
    burstMilliseconds: 1_000,
  };
  await bench.apply();
  const stream = await client.bind(await client.connect(PEER, peer.port));
  const [far] = peer.sockets;
  assert.ok(far);
  const hash = createHash('sha256');
  const received = createHash('sha256');
  const reading = readToEnd(far, (chunk) => void received.update(chunk));
  const { mediaCredentials } = bench.document.policy;
  for (let round = 0; round < 8; round++) {
    const block = randomBytes(1 << 20);
    hash.update(block);
    if (!stream.write(block)) await once(stream, 'drain');
    bench.writeKey(`key${round}.media`, 10 + round);
    mediaCredentials.keyFile = join(bench.document.host.stateDirectory, `key${round}.media`);
    mediaCredentials.previousKeyFiles = [];
    bench.document.policy.limits.av.lifetimeSeconds = 600 + round;
    await bench.apply();
  }
  stream.end();
  await reading;
  assert.equal(received.digest('hex'), hash.digest('hex'));
});
