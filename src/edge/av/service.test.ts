import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Clock, ManualClock, until } from '#kernel';
import { restCredential } from '#protocols/credentials';
import { Bench, EchoPeer, REST_SECRET, TestClient } from './testing/bench.ts';

const EXTERNAL = '127.0.9.81';
const INTERNAL = '127.0.9.82';
const PEER = '127.0.9.83';
const OUTSIDE = '127.0.9.84';
const INSIDE = '127.0.9.85';

interface Listed {
  readonly face: string;
  readonly relayed: readonly { readonly address: string; readonly port: number }[];
  readonly ageSeconds: number;
}

let range = 56_200;

/** A service with a relay range of its own, stopped with the test. */
async function start(t: TestContext, options: { clock?: Clock; ports?: number } = {}): Promise<Bench> {
  const first = range;
  range += options.ports ?? 10;
  const bench = await Bench.start(
    { external: [EXTERNAL], internal: [INTERNAL], ports: [first, range - 1], allowedPeers: [`${PEER}/32`] },
    options.clock,
  );
  t.after(() => bench.stop());
  return bench;
}

async function outside(
  t: TestContext,
  bench: Bench,
  identity = 'sip:alice@example.test',
): Promise<TestClient> {
  const client = await TestClient.open(bench, OUTSIDE, EXTERNAL, bench.token(identity));
  t.after(() => client.close());
  return client;
}
async function inside(t: TestContext, bench: Bench): Promise<TestClient> {
  const client = await TestClient.open(bench, INSIDE, INTERNAL, bench.token('sip:bob@example.test'));
  t.after(() => client.close());
  return client;
}
async function echoPeer(t: TestContext): Promise<EchoPeer> {
  const peer = await EchoPeer.open(PEER);
  t.after(() => peer.close());
  return peer;
}

test('an outside client reaches a peer by Send and by channel', async (t) => {
  const bench = await start(t);
  const peer = await echoPeer(t);
  const alice = await outside(t, bench);
  const relayed = await alice.allocated();
  assert.equal(relayed.address, EXTERNAL);
  assert.ok(relayed.port >= bench.document.policy.relay.ports.first);
  assert.equal(await alice.permit(PEER, peer.port), 0);
  alice.send(PEER, peer.port, 'by Send');
  assert.deepEqual(await alice.hear(1), [{ from: `${PEER} ${peer.port}`, text: 'by Send' }]);
  await alice.bindChannel(PEER, peer.port);
  for (const text of ['by', 'channel', '']) alice.send(PEER, peer.port, text);
  assert.deepEqual(
    (await alice.hear(3)).map(({ text }) => text),
    ['by', 'channel', ''],
  );
  assert.deepEqual(new Set(peer.sources), new Set([`${relayed.address} ${relayed.port}`]));
});

test('ICMP about what was relayed (RFC 8656 §11.5) is not told, since the runtime does not tell it, and ends nothing', async (t) => {
  const bench = await start(t);
  const gone = await EchoPeer.open(PEER);
  const { port } = gone;
  gone.close();
  await once(gone.socket, 'close');
  const alice = await outside(t, bench);
  await alice.allocated();
  assert.equal(await alice.permit(PEER, port), 0);
  // Both draw a "port unreachable" of the peer's host.
  for (const text of ['nobody', 'is there']) alice.send(PEER, port, text);
  const sent = async () =>
    ((await bench.verb('counters')) as { relayed: { sentPackets: number } }).relayed.sentPackets;
  await until(async () => (await sent()) === 2);
  const socket = createSocket('udp4');
  t.after(() => socket.close());
  socket.on('message', (bytes, from) => socket.send(bytes, from.port, from.address));
  socket.bind(port, PEER);
  await once(socket, 'listening');
  alice.send(PEER, port, 'somebody is');
  assert.deepEqual(await alice.hear(1), [{ from: `${PEER} ${port}`, text: 'somebody is' }]);
});

test('an internal client gets its relayed address on the external A/V address', async (t) => {
  const bench = await start(t);
  const peer = await echoPeer(t);
  const bob = await inside(t, bench);
  assert.equal((await bob.allocated()).address, EXTERNAL);
  assert.equal(await bob.permit(PEER, peer.port), 0);
  bob.send(PEER, peer.port, 'hello');
  assert.equal((await bob.hear(1))[0]?.text, 'hello');
});

test('outside and inside meet relay to relay, without a datagram on any relay socket', async (t) => {
  const bench = await start(t);
  const alice = await outside(t, bench);
  const bob = await inside(t, bench);
  const [a, b] = [await alice.allocated(), await bob.allocated()];
  await alice.bindChannel(b.address, b.port);
  assert.equal(await bob.permit(a.address, a.port), 0);
  for (let n = 0; n < 50; n += 1) {
    alice.send(b.address, b.port, `to bob ${n}`);
    bob.send(a.address, a.port, `to alice ${n}`);
  }
  assert.deepEqual((await bob.hear(50)).at(-1), { from: `${a.address} ${a.port}`, text: 'to bob 49' });
  assert.deepEqual((await alice.hear(50)).at(-1), { from: `${b.address} ${b.port}`, text: 'to alice 49' });
  const counters = (await bench.verb('counters')) as {
    relayed: { switchedPackets: number };
    datagrams: { peers: { received: number; sent: number } };
  };
  assert.equal(counters.relayed.switchedPackets, 100);
  assert.equal(counters.datagrams.peers.received + counters.datagrams.peers.sent, 0);
});

test('IPv6: two clients meet relay to relay, and IPv4 inside IPv6 is refused', async (t) => {
  const first = range;
  range += 10;
  const bench = await Bench.start({
    external: [EXTERNAL, '::1'],
    internal: [INTERNAL],
    ports: [first, range - 1],
    allowedPeers: [],
  });
  t.after(() => bench.stop());
  const clients = [];
  for (const identity of ['sip:alice@example.test', 'sip:carol@example.test']) {
    const client = await TestClient.open(bench, '::1', '::1', bench.token(identity));
    t.after(() => client.close());
    clients.push({ client, relayed: await client.allocated() });
  }
  const [alice, carol] = clients;
  assert.ok(alice !== undefined && carol !== undefined);
  assert.equal(alice.relayed.address, '::1');
  await alice.client.bindChannel(carol.relayed.address, carol.relayed.port);
  assert.equal(await carol.client.permit(alice.relayed.address, alice.relayed.port), 0);
  alice.client.send(carol.relayed.address, carol.relayed.port, 'over IPv6');
  assert.deepEqual(await carol.client.hear(1), [{ from: `::1 ${alice.relayed.port}`, text: 'over IPv6' }]);
  assert.equal(await carol.client.permit('::ffff:127.0.0.1', 3478), 403);
});

test('peers are refused by default, on both faces: own and internal addresses, loopback [setting policy.relay.allowedPeers]', async (t) => {
  const bench = await start(t);
  for (const client of [await outside(t, bench), await inside(t, bench)]) {
    await client.allocated();
    for (const address of [EXTERNAL, INTERNAL, '127.0.8.1', '127.0.0.1', '10.0.0.1', '0.0.0.0', OUTSIDE]) {
      assert.equal(await client.permit(address, 3478), 403, address);
    }
  }
  bench.document.policy.relay.allowedPeers = ['127.0.0.0/8'];
  await bench.apply();
  const later = await outside(t, bench, 'sip:carol@example.test');
  await later.allocated();
  assert.equal(await later.permit(OUTSIDE, 3478), 0, 'now an exception');
  for (const address of [EXTERNAL, INTERNAL, '127.0.8.1']) {
    assert.equal(await later.permit(address, 3478), 403, `${address} stays refused`);
  }
});

test('an address of this host that the document does not know is no peer, not even by an exception', async (t) => {
  const bench = await start(t);
  const unlisted = Object.values(networkInterfaces())
    .flatMap((addresses = []) => addresses)
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address);
  bench.document.policy.relay.allowedPeers = unlisted.map((address) => `${address}/32`);
  await bench.apply();
  const alice = await outside(t, bench);
  await alice.allocated();
  for (const address of unlisted) assert.equal(await alice.permit(address, 22), 403, address);
});

test('credentials: expired, of an unknown key, of the previous key, wrong password', async (t) => {
  const bench = await start(t);
  const attempt = async (token: { username: string; password: string }) => {
    const client = await TestClient.open(bench, OUTSIDE, EXTERNAL, token);
    t.after(() => client.close());
    const event = await client.allocate();
    return event.type === 'ended' ? event.code : event.type;
  };
  const identity = 'sip:alice@example.test';
  assert.equal(await attempt(bench.token(identity, -1)), 401);
  assert.equal(await attempt(bench.token(identity, 600, 3)), 401);
  assert.equal(await attempt({ ...bench.token(identity), password: 'wrong' }), 401);
  assert.equal(await attempt(bench.token(identity, 600, 2)), 'allocated');
  assert.equal(await attempt(bench.token(identity)), 'allocated');
});

test('key roll: the new key counts at once, the old one while it is listed, sessions go on [setting policy.mediaCredentials.keyFile] [setting policy.mediaCredentials.previousKeyFiles]', async (t) => {
  const bench = await start(t);
  const peer = await echoPeer(t);
  const alice = await outside(t, bench);
  await alice.allocated();
  await alice.permit(PEER, peer.port);
  const { mediaCredentials } = bench.document.policy;
  bench.writeKey('next.media', 3);
  const folder = bench.document.host.stateDirectory;
  mediaCredentials.previousKeyFiles = [mediaCredentials.keyFile];
  mediaCredentials.keyFile = join(folder, 'next.media');
  await bench.apply();
  const allocates = async (fill: number) => {
    const token = bench.token(`sip:user${fill}@example.test`, 600, fill);
    const client = await TestClient.open(bench, OUTSIDE, EXTERNAL, token);
    t.after(() => client.close());
    return (await client.allocate()).type === 'allocated';
  };
  assert.deepEqual([await allocates(1), await allocates(2), await allocates(3)], [true, false, true]);
  mediaCredentials.previousKeyFiles = [];
  await bench.apply();
  assert.deepEqual([await allocates(1), await allocates(3)], [false, true]);
  alice.send(PEER, peer.port, 'still here');
  assert.equal((await alice.hear(1))[0]?.text, 'still here');
});

test('a vanished client expires, and its socket is closed', async (t) => {
  const clock = new ManualClock({ wall: Date.now() });
  const bench = await start(t, { clock });
  const alice = await TestClient.open(
    bench,
    OUTSIDE,
    EXTERNAL,
    bench.token('sip:alice@example.test', 86_400),
  );
  const { port } = await alice.allocated();
  alice.close();
  clock.advance(599_000);
  assert.equal(bench.service.remaining(), 1);
  clock.advance(2_000);
  assert.equal(bench.service.remaining(), 0);
  const again = createSocket('udp4');
  again.bind(port, EXTERNAL);
  await once(again, 'listening');
  again.close();
  const text = await bench.metrics.text();
  assert.match(text, /sallyport_av_allocations_closed_total\{cause="lifetime-expired"\} 1/);
  assert.match(text, /sallyport_av_allocations 0/);
});

test('a credential that ends in mid-session ends the allocation', async (t) => {
  const clock = new ManualClock({ wall: Date.now() });
  const bench = await start(t, { clock });
  const alice = await TestClient.open(bench, OUTSIDE, EXTERNAL, bench.token('sip:alice@example.test', 60));
  t.after(() => alice.close());
  const event = await alice.allocate();
  assert.ok(event.type === 'allocated' && event.lifetime <= 60, 'not granted beyond the credential');
  clock.advance(61_000);
  assert.equal(bench.service.remaining(), 0);
});

test('limits of the document: allocations of a user, a lifetime, and the range [setting policy.relay.allocationsPerUser] [setting policy.limits.av.allocations] [setting policy.limits.av.lifetimeSeconds]', async (t) => {
  const bench = await start(t, { ports: 3 });
  bench.document.policy.relay.allocationsPerUser = 1;
  bench.document.policy.limits.av.lifetimeSeconds = 120;
  await bench.apply();
  const first = await outside(t, bench);
  const event = await first.allocate();
  assert.ok(event.type === 'allocated' && event.lifetime === 120);
  const codeOf = async (identity: string) => {
    const outcome = await (await outside(t, bench, identity)).allocate();
    return outcome.type === 'ended' ? outcome.code : outcome.type;
  };
  assert.equal(await codeOf('sip:alice@example.test'), 486);
  assert.equal(await codeOf('sip:b@example.test'), 'allocated');
  assert.equal(await codeOf('sip:c@example.test'), 'allocated');
  assert.equal(await codeOf('sip:d@example.test'), 508);
  first.client.deallocate(bench.clock.now());
  await until(() => bench.service.remaining() === 2);
  bench.document.policy.limits.av.allocations = 2;
  await bench.apply();
  assert.equal(await codeOf('sip:e@example.test'), 508);
});

test('room in one allocation [setting policy.limits.av.permissionsPerAllocation] [setting policy.limits.av.channelsPerAllocation]', async (t) => {
  const bench = await start(t);
  bench.document.policy.relay.allowedPeers = ['127.0.0.0/8'];
  bench.document.policy.limits.av.permissionsPerAllocation = 2;
  bench.document.policy.limits.av.channelsPerAllocation = 1;
  await bench.apply();
  const alice = await outside(t, bench);
  await alice.allocated();
  await alice.bindChannel(PEER, 4_000);
  await assert.rejects(alice.bindChannel(PEER, 4_001), /508/);
  assert.equal(await alice.permit('127.0.9.86', 4_000), 0);
  assert.equal(await alice.permit('127.0.9.87', 4_000), 508);
});

test('time-limited credentials of a shared secret [setting policy.mediaCredentials.staticSecretFiles]', async (t) => {
  const bench = await start(t);
  const outcome = async () => {
    const credential = restCredential(REST_SECRET, 'alice', bench.clock.wall() + 60_000);
    const client = await TestClient.open(bench, OUTSIDE, EXTERNAL, credential);
    t.after(() => client.close());
    const event = await client.allocate();
    return event.type === 'ended' ? event.code : event.type;
  };
  assert.equal(await outcome(), 'allocated');
  bench.document.policy.mediaCredentials.staticSecretFiles = [];
  await bench.apply();
  assert.equal(await outcome(), 401);
});

test('clients are told the realm [setting policy.relay.realm]', async (t) => {
  const bench = await start(t);
  const socket = createSocket('udp4');
  t.after(() => socket.close());
  const answerTo = async (request: Buffer) => {
    socket.send(request, bench.port(EXTERNAL), EXTERNAL);
    const [answer] = (await once(socket, 'message')) as [Buffer];
    return answer.toString('latin1');
  };
  // An Allocate request with nothing but its header.
  const allocate = Buffer.from('000300002112a442000102030405060708090a0b', 'hex');
  assert.match(await answerTo(allocate), /example\.test/);
  bench.document.policy.relay.realm = 'another.test';
  await bench.apply();
  assert.match(await answerTo(allocate), /another\.test/);
  await (await outside(t, bench)).allocated();
});

test('a port that somebody else holds is passed over', async (t) => {
  const bench = await start(t, { ports: 2 });
  const squatter = createSocket('udp4');
  squatter.bind(bench.document.policy.relay.ports.first, EXTERNAL);
  await once(squatter, 'listening');
  t.after(() => squatter.close());
  const alice = await outside(t, bench);
  assert.equal((await alice.allocated()).port, bench.document.policy.relay.ports.last);
});

test('drain refuses newcomers with 508 and leaves the others alone', async (t) => {
  const bench = await start(t);
  const peer = await echoPeer(t);
  const alice = await outside(t, bench);
  await alice.allocated();
  await bench.service.drain();
  assert.equal(bench.service.remaining(), 1);
  assert.match(bench.service.health().detail, /1 allocations.*draining/);
  const refused = await (await outside(t, bench)).allocate();
  assert.ok(refused.type === 'ended' && refused.code === 508);
  assert.equal(await alice.permit(PEER, peer.port), 0);
  await bench.apply();
  const stillRefused = await (await outside(t, bench)).allocate();
  assert.equal(stillRefused.type, 'ended', 'a reload does not end the drain');
  await bench.service.undrain();
  await (await outside(t, bench)).allocated();
  alice.client.deallocate(bench.clock.now());
  await until(() => bench.service.remaining() === 1);
});

test('a listener that leaves the plan ends its allocations; the others and a new one serve', async (t) => {
  const bench = await start(t);
  const alice = await outside(t, bench);
  const bob = await inside(t, bench);
  const [, b] = [await alice.allocated(), await bob.allocated()];
  const [external, internal] = bench.plan;
  assert.ok(external !== undefined && internal !== undefined);
  bench.plan = [internal, await bench.bind(EXTERNAL, 'external')];
  await bench.apply();
  assert.equal(bench.service.remaining(), 1);
  const carol = await outside(t, bench, 'sip:carol@example.test');
  const c = await carol.allocated();
  await carol.permit(b.address, b.port);
  await bob.permit(c.address, c.port);
  carol.send(b.address, b.port, 'hello bob');
  assert.equal((await bob.hear(1))[0]?.text, 'hello bob');
});

test('a document that moves the relay range ends what cannot stay, and serves from the new range [setting policy.relay.ports.first] [setting policy.relay.ports.last]', async (t) => {
  const bench = await start(t);
  await (await outside(t, bench)).allocated();
  const only = range;
  range += 1;
  bench.document.policy.relay.ports = { first: only, last: only };
  await bench.apply();
  assert.equal(bench.service.remaining(), 0);
  assert.ok(bench.log.lines.some((line) => line.code === 'SLP-AV-0206'));
  assert.equal((await (await outside(t, bench)).allocated()).port, only);
});

test('a document that cannot be used changes nothing', async (t) => {
  const bench = await start(t);
  const alice = await outside(t, bench);
  await alice.allocated();
  const broken = structuredClone(bench.document);
  broken.policy.mediaCredentials.keyFile = '/nowhere/media.key';
  const refused = await bench.service.provision(broken);
  assert.ok(!refused.ok && refused.error.code === 'SLP-AV-0203');
  const unused = await bench.service.provision(structuredClone(bench.document));
  assert.ok(unused.ok);
  await unused.value.abandon();
  assert.equal(bench.service.remaining(), 1);
  assert.equal(bench.service.health().ok, true);
});

test('garbage is counted, and answered with nothing', async (t) => {
  const bench = await start(t);
  const socket = createSocket('udp4');
  socket.bind(0, OUTSIDE);
  await once(socket, 'listening');
  t.after(() => socket.close());
  let answers = 0;
  socket.on('message', () => {
    answers += 1;
  });
  const garbage = [
    Buffer.alloc(0),
    Buffer.from([0x16]),
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    Buffer.alloc(1_400, 0xff),
    Buffer.from([0x40, 0x00, 0x00, 0x04, 1, 2, 3, 4]),
    Buffer.from([0, 1, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]),
  ];
  for (const bytes of garbage) socket.send(bytes, bench.port(EXTERNAL), EXTERNAL);
  const dropped = async () => {
    const { drops } = (await bench.verb('counters')) as { drops: Record<string, number> };
    return Object.values(drops).reduce((sum, one) => sum + one, 0);
  };
  while ((await dropped()) < garbage.length) await new Promise((resolve) => setTimeout(resolve, 2));
  // A client that comes after the garbage is answered, so that whatever answered it would have arrived.
  await (await outside(t, bench)).allocated();
  assert.equal(answers, 0);
  assert.equal(bench.service.remaining(), 1);
});

test('verbs: what is open and what was counted; metrics too', async (t) => {
  const clock = new ManualClock({ wall: Date.now() });
  const bench = await start(t, { clock });
  const alice = await outside(t, bench);
  const relayed = await alice.allocated();
  clock.advance(2_000);
  const listed = (await bench.verb('allocations')) as {
    open: number;
    allocations: Listed[];
  };
  assert.equal(listed.open, 1);
  assert.deepEqual(listed.allocations[0]?.relayed, [relayed]);
  assert.equal(listed.allocations[0]?.face, 'external');
  assert.equal(listed.allocations[0]?.ageSeconds, 2);
  assert.deepEqual(((await bench.verb('allocations', { limit: 1 })) as { open: number }).open, 1);
  await assert.rejects(bench.verb('allocations', { limit: 0 }), /SLP-SVC-0010/);
  const text = await bench.metrics.text();
  assert.match(text, /sallyport_av_allocations_opened_total\{face="external"\} 1/);
  assert.match(text, /sallyport_av_refusals_total\{code="401"\} 1/);
  assert.match(text, /sallyport_av_ports_taken 1/);
  assert.ok(!text.includes('alice'));
  const [opened] = bench.events.take(1);
  assert.equal(opened?.name, 'allocation-opened');
});

test('stop closes every socket', async (t) => {
  const bench = await start(t);
  const { port } = await (await outside(t, bench)).allocated();
  const listener = bench.port(EXTERNAL);
  await bench.service.stop();
  assert.equal(bench.service.remaining(), 0);
  for (const free of [port, listener]) {
    const socket = createSocket('udp4');
    socket.bind(free, EXTERNAL);
    await once(socket, 'listening');
    socket.close();
  }
});
