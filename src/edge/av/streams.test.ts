import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { ManualClock, until } from '#kernel';
import { LabAuthority } from '#platform/pki';
import { Bench, EchoPeer, openStream, TestClient } from './testing/bench.ts';

const EXTERNAL = '127.0.9.181';
const INTERNAL = '127.0.9.182';
const PEER = '127.0.9.183';
const OUTSIDE = '127.0.9.184';
const INSIDE = '127.0.9.185';

/** Octets of a large datagram. */
const LARGEST = 60_000;

let range = 56_600;

async function start(t: TestContext, clock?: ManualClock): Promise<Bench> {
  const first = range;
  range += 10;
  const bench = await Bench.start(
    { external: [EXTERNAL], internal: [INTERNAL], ports: [first, range - 1], allowedPeers: [`${PEER}/32`] },
    clock,
  );
  t.after(() => bench.stop());
  return bench;
}
async function client(t: TestContext, bench: Bench, tls: boolean, inside = false): Promise<TestClient> {
  const at = inside ? { address: INSIDE, server: INTERNAL } : { address: OUTSIDE, server: EXTERNAL };
  const token = bench.token(inside ? 'sip:bob@example.test' : 'sip:alice@example.test');
  const opened = await TestClient.openStream(bench, { ...at, tls: tls && !inside }, token);
  t.after(() => opened.close());
  return opened;
}
async function raw(t: TestContext, bench: Bench): Promise<Socket> {
  const socket = await openStream(bench, { address: OUTSIDE, server: EXTERNAL });
  t.after(() => socket.destroy());
  socket.resume();
  return socket;
}
/** Closed, in order or by a reset. */
const gone = (socket: Socket) =>
  new Promise<void>((resolve) => {
    if (socket.closed) resolve();
    socket.once('close', () => resolve());
  });
const metric = async (bench: Bench, name: string, label: string): Promise<number> => {
  const text = await bench.metrics.text();
  return Number(new RegExp(`${name}\\{[^}]*"${label}"[^}]*\\} (\\d+)`).exec(text)?.[1] ?? 0);
};

for (const tls of [false, true]) {
  const name = tls ? 'TLS' : 'TCP';
  test(`over ${name} a client reaches a UDP peer by Send and by channel, whatever the lengths`, async (t) => {
    const bench = await start(t);
    const peer = await EchoPeer.open(PEER);
    t.after(() => peer.close());
    const alice = await client(t, bench, tls);
    assert.equal((await alice.allocated()).address, EXTERNAL);
    assert.equal(await alice.permit(PEER, peer.port), 0);
    const texts = ['', 'a', 'ab', 'abc', 'abcd', 'x'.repeat(1_300)];
    for (const text of texts) alice.send(PEER, peer.port, text);
    assert.deepEqual((await alice.hear(6)).map(({ text }) => text).sort(), [...texts].sort());
    await alice.bindChannel(PEER, peer.port);
    for (const text of texts) alice.send(PEER, peer.port, text);
    assert.deepEqual((await alice.hear(6)).map(({ text }) => text).sort(), [...texts].sort());
    assert.equal(await metric(bench, 'sallyport_av_streams_opened_total', tls ? 'tls' : 'tcp'), 1);
    assert.equal(await metric(bench, 'sallyport_av_allocations_opened_over_total', tls ? 'tls' : 'tcp'), 1);
  });

  test(`an outside client over ${name} meets an internal one over TCP inside the relay`, async (t) => {
    const bench = await start(t);
    const alice = await client(t, bench, tls);
    const bob = await client(t, bench, false, true);
    const [a, b] = [await alice.allocated(), await bob.allocated()];
    await alice.bindChannel(b.address, b.port);
    assert.equal(await bob.permit(a.address, a.port), 0);
    for (let n = 0; n < 50; n += 1) {
      alice.send(b.address, b.port, `to bob ${n}`);
      bob.send(a.address, a.port, `to alice ${n}`);
    }
    assert.equal((await bob.hear(50)).at(-1)?.text, 'to bob 49');
    assert.equal((await alice.hear(50)).at(-1)?.text, 'to alice 49');
  });
}

test('a TCP client and a UDP client meet inside the relay', async (t) => {
  const bench = await start(t);
  const alice = await client(t, bench, false);
  const bob = await TestClient.open(bench, INSIDE, INTERNAL, bench.token('sip:bob@example.test'));
  t.after(() => bob.close());
  const [a, b] = [await alice.allocated(), await bob.allocated()];
  assert.equal(await alice.permit(b.address, b.port), 0);
  assert.equal(await bob.permit(a.address, a.port), 0);
  alice.send(b.address, b.port, 'by TCP');
  assert.equal((await bob.hear(1))[0]?.text, 'by TCP');
  bob.send(a.address, a.port, 'by UDP');
  assert.equal((await alice.hear(1))[0]?.text, 'by UDP');
});

test('datagrams for a client of a stream that reads nothing are left out whole beyond a bound, and counted; it goes on when it reads', async (t) => {
  const bench = await start(t);
  bench.document.policy.relay.bandwidth = {
    perUserKilobits: 10_000_000,
    perPortKilobits: 10_000_000,
    burstMilliseconds: 1_000,
  };
  await bench.apply();
  const peer = await EchoPeer.open(PEER);
  t.after(() => peer.close());
  const alice = await client(t, bench, false);
  const relayed = await alice.allocated();
  assert.equal(await alice.permit(PEER, peer.port), 0);
  await alice.bindChannel(PEER, peer.port);
  alice.stream?.pause();
  const text = (number: number) => `${number} `.padEnd(LARGEST, String(number));
  const received = async () =>
    ((await bench.verb('counters')) as { relayed: { receivedPackets: number } }).relayed.receivedPackets;
  const leftOut = async () =>
    (await bench.metrics.text()).match(/queue_full_total\{.*"clients".*\} (\d+)/)?.[1];
  // One after the other: what a full socket of the relay would lose is not what is looked at.
  let sent = 0;
  const send = async () => {
    const before = await received();
    peer.socket.send(text(++sent), relayed.port, relayed.address);
    await until(async () => (await received()) > before);
  };
  // The network between them takes some megabytes first.
  while (Number((await leftOut()) ?? 0) < 5) {
    assert.ok(sent < 2_000, 'what waits for the client has no bound');
    await send();
  }
  const lost = Number(await leftOut());
  alice.stream?.resume();
  const whole = await alice.hear(sent - lost);
  const numbers = whole.map(({ text: one }) => Number.parseInt(one, 10));
  assert.deepEqual(
    whole.map(({ text: one }) => one.length),
    numbers.map(() => LARGEST),
    'no frame is cut',
  );
  assert.deepEqual(
    numbers,
    Array.from({ length: sent - lost }, (_, at) => at + 1),
    'what came first waits, what came last is left out',
  );
  await send();
  assert.deepEqual(await alice.hear(1), [{ from: `${PEER} ${peer.port}`, text: text(sent) }]);
});

test('an allocation goes with its connection, and its port is free again', async (t) => {
  const bench = await start(t);
  const alice = await client(t, bench, false);
  await alice.allocated();
  assert.equal(bench.service.remaining(), 1);
  alice.close();
  await until(() => bench.service.remaining() === 0);
  assert.equal(await metric(bench, 'sallyport_av_allocations_closed_total', 'connection-closed'), 1);
});

test('T19: first bytes that begin nothing here close: HTTP, garbage, the older dialect while it is not spoken', async (t) => {
  const bench = await start(t);
  for (const bytes of ['GET / HTTP/1.1\r\n\r\n', '\xff\xff\xff\xff', '\x80\x01\x00\x00', 'SSH-2.0-x\r\n']) {
    const socket = await raw(t, bench);
    socket.write(Buffer.from(bytes, 'latin1'));
    await gone(socket);
    assert.equal(socket.bytesRead, 0, JSON.stringify(bytes));
  }
});

test('T19: a frame that is no frame, or longer than a stranger may send, closes', async (t) => {
  const bench = await start(t);
  for (const hex of ['0003000300000000', '0003f00000000000', '4000f000', '00030000deadbeef0000']) {
    const socket = await raw(t, bench);
    socket.write(Buffer.from(hex, 'hex'));
    await gone(socket);
  }
  assert.equal(await metric(bench, 'sallyport_av_stream_faults_total', 'framing'), 4);
});

test('T19: who says nothing is closed [setting policy.limits.av.openingSeconds]', async (t) => {
  const clock = new ManualClock({ wall: Date.now() });
  const bench = await start(t, clock);
  bench.document.policy.limits.av.openingSeconds = 3;
  await bench.apply();
  const silent = await raw(t, bench);
  const halting = await raw(t, bench);
  halting.write(Buffer.from([0x16, 0x03]));
  const host = bench.service;
  await until(() => host.health().detail.includes('2 connections'));
  clock.advance(2_900);
  assert.equal(silent.closed, false);
  clock.advance(200);
  await Promise.all([gone(silent), gone(halting)]);
});

test('T19: who has no allocation, or does not end a frame, is closed', async (t) => {
  const clock = new ManualClock({ wall: Date.now() });
  const bench = await start(t, clock);
  const idle = await raw(t, bench);
  idle.write(Buffer.from('000100002112a442000000000000000000000000', 'hex'));
  await once(idle, 'data');
  const slow = await client(t, bench, false);
  const relayed = await slow.allocated();
  assert.ok(relayed.port > 0);
  clock.advance(31_000);
  await gone(idle);
  assert.equal(await metric(bench, 'sallyport_av_stream_faults_total', 'no-allocation'), 1);
  assert.equal(bench.service.remaining(), 1, 'who has one may be silent');
});

test('only ALPN ids of RFC 7443 are welcome, and none at all', async (t) => {
  const bench = await start(t);
  const offer = async (protocols: string[] = []): Promise<string | false | null> => {
    const options: ConnectionOptions = {
      host: EXTERNAL,
      port: bench.port(EXTERNAL, 'tcp'),
      rejectUnauthorized: false,
      ...(protocols.length === 0 ? {} : { ALPNProtocols: protocols }),
    };
    const socket = connectTls(options);
    t.after(() => socket.destroy());
    return new Promise((resolve) => {
      socket.once('secureConnect', () => resolve(socket.alpnProtocol));
      socket.once('error', () => resolve(null));
    });
  };
  assert.equal(await offer(['stun.turn']), 'stun.turn');
  assert.equal(await offer(['stun.nat-discovery', 'stun.turn']), 'stun.turn');
  assert.equal(await offer(['stun.nat-discovery']), 'stun.nat-discovery');
  assert.equal(await offer(), false);
  assert.equal(await offer(['http/1.1']), null);
  assert.equal(await offer(['sip']), null);
});

test('the certificate of turns: [setting host.certificates.av.certificate] [setting host.certificates.av.key]', async (t) => {
  const bench = await start(t);
  const other = await LabAuthority.create({ name: 'Another root' });
  const folder = bench.document.host.stateDirectory;
  const files = { certificate: join(folder, 'av.crt'), key: join(folder, 'av.key') };
  await other.issueTo(files, { name: 'av', hosts: ['av.example.test'] });
  bench.document.host.certificates.av = files;
  await bench.apply();
  const issuers = async (): Promise<string> => {
    const socket = connectTls({
      host: EXTERNAL,
      port: bench.port(EXTERNAL, 'tcp'),
      rejectUnauthorized: false,
    });
    await once(socket, 'secureConnect');
    const issuer = socket.getPeerX509Certificate()?.issuer ?? '';
    socket.destroy();
    return issuer;
  };
  assert.match(await issuers(), /Another root/);
  writeFileSync(files.key, 'no key');
  await assert.rejects(bench.apply());
  assert.match(await issuers(), /Another root/);
});

async function refusals(t: TestContext, bench: Bench, count: number): Promise<number> {
  const sockets = [];
  for (let n = 0; n < count; n += 1) {
    const socket = await raw(t, bench);
    socket.write(Buffer.from('000100002112a442000000000000000000000000', 'hex'));
    sockets.push(Promise.race([once(socket, 'data').then(() => 0), gone(socket).then(() => 1)]));
  }
  return (await Promise.all(sockets)).reduce((sum: number, one: number) => sum + one, 0);
}

test('connections are bounded [setting policy.limits.av.connections]', async (t) => {
  const bench = await start(t);
  bench.document.policy.limits.av.connections = 5;
  await bench.apply();
  assert.equal(await refusals(t, bench, 7), 2);
});

test('connections of one source are bounded [setting policy.limits.av.connectionsPerSource]', async (t) => {
  const bench = await start(t);
  bench.document.policy.limits.av.connectionsPerSource = 3;
  await bench.apply();
  assert.equal(await refusals(t, bench, 7), 4);
});

test('connections that have said nothing yet are bounded [setting policy.limits.av.openings]', async (t) => {
  const bench = await start(t);
  bench.document.policy.limits.av.openings = 4;
  await bench.apply();
  const silent: Socket[] = [];
  for (let n = 0; n < 6; n += 1) silent.push(await raw(t, bench));
  await until(() => silent.filter((socket) => socket.closed).length === 2);
});
