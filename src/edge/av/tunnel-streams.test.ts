import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { until } from '#kernel';
import { Bench, openStream } from './testing/bench.ts';
import { readToEnd, TcpRelayClient } from './testing/tcp-relay-client.ts';

const UDP = 3_478;
const TCP = 443;
const OURS = '127.0.9.231';
const THEIRS = '127.0.9.232';
const PLAIN = '127.0.9.233';
const OUTSIDE = '127.0.9.234';
const CALLS = 20;

let range = 58_000;

type Profiles = Bench['document']['policy']['federation']['mediaProfiles'];

/** An edge at an address; what it starts anew with stays the same. */
async function edge(t: TestContext, address: string, profiles: Profiles): Promise<Bench> {
  const first = range;
  range += 100;
  const bench = await Bench.start({
    external: [address],
    internal: [address.replace('.23', '.24')],
    ports: [first, range - 1],
    allowedPeers: ['127.0.9.224/28'],
    udpPort: UDP,
    tcpPort: TCP,
  });
  t.after(() => bench.stop());
  bench.document.policy.relay.allocationsPerUser = 2 * CALLS;
  bench.document.policy.features.federation = true;
  bench.document.policy.federation.mediaProfiles = profiles;
  await bench.apply();
  return bench;
}
async function client(t: TestContext, bench: Bench, server: string): Promise<TcpRelayClient> {
  const token = bench.token('sip:alice@example.test');
  const opened = await TcpRelayClient.open(
    () => openStream(bench, { address: OUTSIDE, server, halfOpen: true }),
    token,
  );
  t.after(() => opened.end());
  return opened;
}
async function textOf(socket: Socket): Promise<string> {
  let text = '';
  await readToEnd(socket, (chunk) => {
    text += chunk;
  });
  return text;
}
const drops = async (bench: Bench) =>
  ((await bench.verb('counters')) as { drops: Record<string, number> }).drops;

/** One asks the other through both edges, and is answered. */
async function call(
  caller: TcpRelayClient,
  called: TcpRelayClient,
  to: { address: string; port: number },
  words: string,
): Promise<void> {
  const id = await caller.connect(to.address, to.port);
  assert.ok(id >= 0, `Connect: ${-id}`);
  const stream = await caller.bind(id);
  stream.end(`${words}?`);
  const other = await called.bind(await called.attempted());
  assert.equal(await textOf(other), `${words}?`);
  other.end(`${words}!`);
  assert.equal(await textOf(stream), `${words}!`);
}

test(`${CALLS} streams each way between two edges: only 443 is asked, from the relay range`, async (t) => {
  const ours = await edge(t, OURS, ['edge-tunnel']);
  const theirs = await edge(t, THEIRS, ['edge-tunnel']);
  for (const [from, to] of [
    [ours, theirs],
    [theirs, ours],
  ] as const) {
    const [here, there] = from === ours ? [OURS, THEIRS] : [THEIRS, OURS];
    const alice = await client(t, from, here);
    const bob = await client(t, to, there);
    const [a, b] = [await alice.allocate(), await bob.allocate()];
    assert.equal(await bob.permit(a), 0);
    // One after the other from one relayed address to another: the second and later ones take ports of their own.
    for (let n = 0; n < CALLS; n += 1) await call(alice, bob, b, `stream ${n}`);
  }
  for (const bench of [ours, theirs]) {
    // Sessions of both sides are still there, and nothing besides.
    await until(() => bench.service.health().detail.startsWith('2 allocations'));
    assert.deepEqual(await drops(bench), {});
  }
});

test('two streams at once between the same two edges, and the caller that the called one knows', async (t) => {
  const ours = await edge(t, OURS, ['edge-tunnel']);
  const theirs = await edge(t, THEIRS, ['edge-tunnel']);
  const alice = await client(t, ours, OURS);
  const [bob, carol] = [await client(t, theirs, THEIRS), await client(t, theirs, THEIRS)];
  const [a, b, c] = [await alice.allocate(), await bob.allocate(), await carol.allocate()];
  for (const one of [bob, carol]) assert.equal(await one.permit(a), 0);
  const first = await alice.connect(b.address, b.port);
  const second = await alice.connect(c.address, c.port);
  const streams = [await alice.bind(first), await alice.bind(second)];
  const others = [await bob.bind(await bob.attempted()), await carol.bind(await carol.attempted())];
  streams.forEach((stream, n) => {
    stream.end(`for ${n}`);
  });
  assert.deepEqual(await Promise.all(others.map(textOf)), ['for 0', 'for 1']);
});

test('without a permission, or with nobody at the target, Connect fails (447) and the reason is counted', async (t) => {
  const ours = await edge(t, OURS, ['edge-tunnel']);
  const theirs = await edge(t, THEIRS, ['edge-tunnel']);
  const alice = await client(t, ours, OURS);
  const bob = await client(t, theirs, THEIRS);
  await alice.allocate();
  const b = await bob.allocate();
  assert.equal(await alice.connect(b.address, b.port), -447);
  assert.equal(await alice.connect(b.address, b.port + 1), -447);
  assert.deepEqual(await drops(theirs), { 'peer-without-permission': 1, 'tunnel-no-target': 1 });
});

test('an edge that began anew is asked again, and the stream goes through', async (t) => {
  const ours = await edge(t, OURS, ['edge-tunnel']);
  const before = await edge(t, THEIRS, ['edge-tunnel']);
  const alice = await client(t, ours, OURS);
  const a = await alice.allocate();
  const bob = await client(t, before, THEIRS);
  const b = await bob.allocate();
  await bob.permit(a);
  await call(alice, bob, b, 'before');
  await before.stop();
  const after = await edge(t, THEIRS, ['edge-tunnel']);
  const again = await client(t, after, THEIRS);
  const c = await again.allocate();
  await again.permit(a);
  await call(alice, again, c, 'after');
  assert.deepEqual(await drops(after), { 'tunnel-bad-cookie': 1 });
});

test('who is no edge is connected to as a plain peer, once its silence has shown it', async (t) => {
  const ours = await edge(t, OURS, ['edge-tunnel', 'ice']);
  const server = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
  server.listen(0, PLAIN);
  await once(server, 'listening');
  t.after(() => server.close());
  const alice = await client(t, ours, OURS);
  await alice.allocate();
  const id = await alice.connect(PLAIN, (server.address() as { port: number }).port);
  const stream = await alice.bind(id);
  stream.end('plain');
  assert.equal(await textOf(stream), 'plain');
});

/** What comes back on a raw connection to the outer 443 that says these octets. */
async function say(server: string, from: string, hex: string): Promise<string> {
  const socket = connect({ host: server, port: TCP, localAddress: from });
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(Buffer.from(hex, 'hex'));
  let answer = '';
  socket.on('data', (chunk: Buffer) => {
    answer += chunk.toString('hex');
  });
  await once(socket, 'close');
  return answer;
}
const opening = (kind: string, cookie: string) => `e5${kind}0000${cookie}7f0009e2c3507f0009e7e290`;

test('guesses, other kinds and rubbish get no stream; off, or inside, the tunnel is not spoken at all', async (t) => {
  const bench = await edge(t, OURS, ['edge-tunnel']);
  const guess = '0102030405060708';
  // The sender may have had a cookie that we have forgotten: it is told, and nothing else.
  assert.equal(await say(OURS, OUTSIDE, opening('24', guess)), `e52f0000${guess}`);
  assert.equal(await say(OURS, OUTSIDE, opening('25', guess)), '');
  assert.equal(await say(OURS, OUTSIDE, `e524ffff${opening('24', guess).slice(8)}`), '');
  assert.deepEqual(await drops(bench), { 'tunnel-bad-cookie': 1, 'tunnel-malformed': 1 });
  assert.equal(await say('127.0.9.241', OUTSIDE, opening('24', guess)), '');
  bench.document.policy.federation.mediaProfiles = ['ice'];
  await bench.apply();
  assert.equal(await say(OURS, OUTSIDE, opening('24', guess)), '');
  assert.equal((await drops(bench))['tunnel-off'], 1);
});

test('an opening that does not end is closed by the deadline [setting policy.limits.av.openingSeconds]', async (t) => {
  const bench = await edge(t, OURS, ['edge-tunnel']);
  bench.document.policy.limits.av.openingSeconds = 1;
  await bench.apply();
  assert.equal(await say(OURS, OUTSIDE, 'e5240000'), '');
});
