import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { ManualClock, until } from '#kernel';
import { Bench, openStream } from './testing/bench.ts';
import { readToEnd, TcpRelayClient } from './testing/tcp-relay-client.ts';

const EXTERNAL = '127.0.9.201';
const INTERNAL = '127.0.9.202';
const PEER = '127.0.9.203';
const OUTSIDE = '127.0.9.204';
const INSIDE = '127.0.9.205';

let range = 57_200;

async function start(t: TestContext, kilobits?: number, clock?: ManualClock): Promise<Bench> {
  const first = range;
  range += 10;
  const bench = await Bench.start(
    { external: [EXTERNAL], internal: [INTERNAL], ports: [first, range - 1], allowedPeers: [`${PEER}/32`] },
    clock,
  );
  t.after(() => bench.stop());
  if (kilobits !== undefined) {
    bench.document.policy.relay.bandwidth = {
      perUserKilobits: kilobits,
      perPortKilobits: kilobits,
      burstMilliseconds: 1_000,
    };
    await bench.apply();
  }
  return bench;
}
async function client(t: TestContext, bench: Bench, side: 'outside' | 'inside', tls = false) {
  const place =
    side === 'outside' ? { address: OUTSIDE, server: EXTERNAL, tls } : { address: INSIDE, server: INTERNAL };
  const connect = () => openStream(bench, { ...place, halfOpen: true });
  const opened = await TcpRelayClient.open(connect, bench.token(`sip:${side}@example.test`));
  t.after(() => opened.end());
  return opened;
}
/** A peer that listens; the connections that it got. */
async function listeningPeer(t: TestContext): Promise<{ port: number; sockets: Socket[] }> {
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => sockets.push(socket));
  server.listen(0, PEER);
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { port: (server.address() as AddressInfo).port, sockets };
}
async function text(socket: Socket): Promise<string> {
  let all = '';
  await readToEnd(socket, (chunk) => {
    all += chunk;
  });
  return all;
}

test('a peer outside is reached by TCP from the relayed address, and each side may end first', async (t) => {
  const bench = await start(t);
  const peer = await listeningPeer(t);
  const alice = await client(t, bench, 'outside');
  const relayed = await alice.allocate();
  const id = await alice.connect(PEER, peer.port);
  assert.ok(id >= 0, `${id}`);
  const data = await alice.bind(id);
  const [far] = peer.sockets;
  assert.ok(far);
  assert.deepEqual([far.remoteAddress, far.remotePort], [relayed.address, relayed.port]);
  data.end('the question');
  assert.equal(await text(far), 'the question');
  far.end('the answer, after the other side has ended');
  assert.equal(await text(data), 'the answer, after the other side has ended');
});

test('two peers from one relayed port, one of them twice: 446; nobody there: 447', async (t) => {
  const bench = await start(t);
  const peers = [await listeningPeer(t), await listeningPeer(t)];
  const alice = await client(t, bench, 'outside');
  await alice.allocate();
  for (const peer of peers) assert.ok((await alice.connect(PEER, peer.port)) >= 0);
  assert.equal(await alice.connect(PEER, peers[0]?.port ?? 0), -446);
  assert.equal(await alice.connect(PEER, 2_000), -447);
});

test('T1, T2, T4, T18: Connect refuses what every method refuses', async (t) => {
  const bench = await start(t);
  const alice = await client(t, bench, 'outside');
  await alice.allocate();
  for (const address of [
    '127.0.0.1',
    '0.0.0.0',
    '10.1.2.3',
    '169.254.169.254',
    INTERNAL,
    EXTERNAL,
    '127.0.8.1',
  ]) {
    assert.equal(await alice.connect(address, 8_080), -403, address);
  }
  assert.equal(await alice.connect('::1', 8_080), -443);
  assert.equal(await alice.connect('::ffff:127.0.0.1', 8_080), -443);
  assert.equal(await alice.connect(PEER, 22), -403);
});

test('T11: what belongs to an allocation goes with its control connection', async (t) => {
  const bench = await start(t);
  const peer = await listeningPeer(t);
  const alice = await client(t, bench, 'outside');
  await alice.allocate();
  const data = await alice.bind(await alice.connect(PEER, peer.port));
  const [far] = peer.sockets;
  assert.ok(far);
  far.on('error', () => {});
  data.on('error', () => {});
  alice.close();
  far.resume();
  data.resume();
  await until(() => far.closed || far.readableEnded);
  await until(() => bench.service.remaining() === 0);
});

test('a connection is bound once, by its own user, and waits for its client for 30 s', async (t) => {
  const clock = new ManualClock({ wall: Date.now() });
  const bench = await start(t, undefined, clock);
  const peer = await listeningPeer(t);
  const alice = await client(t, bench, 'outside');
  const mallory = await client(t, bench, 'inside');
  await alice.allocate();
  const id = await alice.connect(PEER, peer.port);
  await assert.rejects(mallory.bind(id), /400/);
  await alice.bind(id);
  await assert.rejects(alice.bind(id), /400/);
  const other = await listeningPeer(t);
  const late = await alice.connect(PEER, other.port);
  for (let second = 0; second < 32; second += 1) clock.advance(1_000);
  await assert.rejects(alice.bind(late), /400/);
});

/** Sends `total` octets and gives their hash. */
async function pour(socket: Socket, total: number): Promise<string> {
  const hash = createHash('sha256');
  const block = Buffer.alloc(64 << 10);
  for (let sent = 0; sent < total; sent += block.length) {
    const chunk = Buffer.from(block);
    chunk.writeUInt32BE(sent, 0);
    hash.update(chunk);
    if (!socket.write(chunk)) await once(socket, 'drain');
  }
  socket.end();
  return hash.digest('hex');
}
/** Reads to the end, pausing now and then as a slow program does. */
async function drink(socket: Socket): Promise<string> {
  const hash = createHash('sha256');
  let chunks = 0;
  await readToEnd(socket, async (chunk) => {
    hash.update(chunk);
    chunks += 1;
    if (chunks % 64 === 0) await new Promise((resolve) => setImmediate(resolve));
  });
  return hash.digest('hex');
}

test('100 MB each way between an outside client (443, TLS) and an inside one (443), through a slow reader, unchanged', async (t) => {
  const bench = await start(t, 10_000_000);
  const alice = await client(t, bench, 'outside', true);
  const bob = await client(t, bench, 'inside');
  const [a, b] = [await alice.allocate(), await bob.allocate()];
  assert.equal(await alice.connect(b.address, b.port), -447, 'bob has not permitted it');
  assert.equal(await bob.permit(a), 0);
  const id = await alice.connect(b.address, b.port);
  const [near, far] = [await alice.bind(id), await bob.bind(await bob.attempted())];
  const total = 100 << 20;
  const [sentA, sentB, gotA, gotB] = await Promise.all([
    pour(near, total),
    pour(far, total),
    drink(near),
    drink(far),
  ]);
  assert.deepEqual([gotA, gotB], [sentB, sentA]);
});

test('streams between two relayed addresses are forgotten when both sides have ended: the same two may meet again', async (t) => {
  const bench = await start(t);
  const alice = await client(t, bench, 'outside');
  const bob = await client(t, bench, 'inside');
  const [a, b] = [await alice.allocate(), await bob.allocate()];
  assert.equal(await bob.permit(a), 0);
  for (const words of ['once', 'again']) {
    const id = await alice.connect(b.address, b.port);
    assert.ok(id >= 0, `${words}: ${-id}`);
    const stream = await alice.bind(id);
    const other = await bob.bind(await bob.attempted());
    stream.end(words);
    assert.equal(await text(other), words);
    other.end();
    assert.equal(await text(stream), '');
    await until(() => stream.closed && other.closed);
  }
});

test('what a peer said before it ended reaches a client that reads late, though both directions have ended', async (t) => {
  const bench = await start(t, 10_000_000);
  const peer = await listeningPeer(t);
  const alice = await client(t, bench, 'outside');
  await alice.allocate();
  const data = await alice.bind(await alice.connect(PEER, peer.port));
  const [far] = peer.sockets;
  assert.ok(far);
  data.end();
  assert.equal(await text(far), '');
  const sent = pour(far, 12 << 20);
  const hash = createHash('sha256');
  await readToEnd(data, async (chunk) => {
    hash.update(chunk);
    await new Promise((resolve) => setImmediate(resolve));
  });
  assert.equal(hash.digest('hex'), await sent);
});

test('a side that ends before the other is there, without a word, may still be spoken to: peer, and client of either', async (t) => {
  const bench = await start(t);
  const alice = await client(t, bench, 'outside');
  const bob = await client(t, bench, 'inside');
  const [a, b] = [await alice.allocate(), await bob.allocate()];
  const peer = await listeningPeer(t);
  const id = await alice.connect(PEER, peer.port);
  await until(() => peer.sockets.length === 1);
  const [far] = peer.sockets;
  assert.ok(far);
  far.end();
  await once(far, 'finish');
  const data = await alice.bind(id);
  assert.equal(await text(data), '', 'its end arrives');
  data.end('to whoever only listens');
  assert.equal(await text(far), 'to whoever only listens');
  assert.equal(await bob.permit(a), 0);
  const early = await alice.bind(await alice.connect(b.address, b.port));
  early.end();
  await once(early, 'finish');
  const late = await bob.bind(await bob.attempted());
  assert.equal(await text(late), '');
  late.end('to alice');
  assert.equal(await text(early), 'to alice');
});

test('a stream ends when the document no longer allows its peer', async (t) => {
  const bench = await start(t);
  const peer = await listeningPeer(t);
  const alice = await client(t, bench, 'outside');
  await alice.allocate();
  const data = await alice.bind(await alice.connect(PEER, peer.port));
  const [far] = peer.sockets;
  assert.ok(far);
  data.write('allowed');
  await once(far, 'data');
  bench.document.policy.relay.allowedPeers = [];
  await bench.apply();
  assert.deepEqual([await text(far), await text(data)], ['', '']);
});
