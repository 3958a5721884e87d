import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { until } from '#kernel';
import { Bench, openStream } from './testing/bench.ts';
import { readToEnd, TcpRelayClient } from './testing/tcp-relay-client.ts';

const EXTERNAL = '127.0.9.206';
const INTERNAL = '127.0.9.207';
const PEER = '127.0.9.208';
const STRANGER = '127.0.9.209';
const OUTSIDE = '127.0.9.210';

let range = 59_000;

/** Profiles under which a peer of the 2007 release may connect to a relayed address (port row ext-11), or not. */
async function start(t: TestContext, profiles: Bench['document']['policy']['federation']['mediaProfiles']) {
  const first = range;
  range += 20;
  const bench = await Bench.start({
    external: [EXTERNAL],
    internal: [INTERNAL],
    ports: [first, range - 1],
    allowedPeers: [`${PEER}/32`, `${STRANGER}/32`],
  });
  t.after(() => bench.stop());
  bench.document.policy.features.federation = true;
  bench.document.policy.federation.mediaProfiles = profiles;
  await bench.apply();
  const opened = await TcpRelayClient.open(
    () => openStream(bench, { address: OUTSIDE, server: EXTERNAL, halfOpen: true }),
    bench.token('sip:alice@example.test'),
  );
  t.after(() => opened.end());
  return { bench, alice: opened };
}
/** Resolves when the peer is connected, or says why not. */
async function dial(
  t: TestContext,
  from: string,
  { address, port }: { address: string; port: number },
): Promise<Socket | string> {
  const socket = connect({ host: address, port, localAddress: from, allowHalfOpen: true });
  t.after(() => socket.destroy());
  const failed = once(socket, 'error').then(([problem]) => (problem as NodeJS.ErrnoException).code ?? '');
  const outcome = await Promise.race([failed, once(socket, 'connect').then(() => socket)]);
  socket.on('error', () => {});
  return outcome;
}
async function connected(t: TestContext, from: string, to: { address: string; port: number }) {
  const socket = await dial(t, from, to);
  if (typeof socket === 'string') throw new Error(socket);
  return socket;
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

test('a peer connects to the relayed address, and the client that permitted it takes the stream [setting policy.federation.mediaProfiles]', async (t) => {
  const { alice } = await start(t, ['legacy-ocs2007']);
  const relayed = await alice.allocate();
  assert.equal(await alice.permit({ address: PEER, port: 0 }), 0);
  const peer = await connected(t, PEER, relayed);
  peer.end('from outside');
  const stream = await alice.bind(await alice.attempted());
  assert.equal(await textOf(stream), 'from outside');
  stream.end('and back');
  assert.equal(await textOf(peer), 'and back');
});

test('without the profile nobody listens there', async (t) => {
  const { alice } = await start(t, ['ice', 'edge-tunnel']);
  const relayed = await alice.allocate();
  assert.equal(await alice.permit({ address: PEER, port: 0 }), 0);
  assert.equal(await dial(t, PEER, relayed), 'ECONNREFUSED');
});

test('who is not permitted is closed and counted, and so is one too many', async (t) => {
  const { bench, alice } = await start(t, ['legacy-ocs2007']);
  const relayed = await alice.allocate();
  await alice.permit({ address: PEER, port: 0 });
  const stranger = await connected(t, STRANGER, relayed);
  stranger.resume();
  await once(stranger, 'end');
  const many = await Promise.all(Array.from({ length: 65 }, () => connected(t, PEER, relayed)));
  for (const one of many) one.resume();
  await until(() => many.some((one) => one.closed || one.readableEnded));
  await until(() => alice.control.attempts.length === 64);
  assert.deepEqual(await drops(bench), { 'peer-without-permission': 1, 'too-many-connections': 1 });
});

test('the same port is dialled from and listened on, so that a peer sees one relayed address', async (t) => {
  const { alice } = await start(t, ['ice', 'legacy-ocs2007']);
  const server = createServer((socket) => socket.end(`${socket.remotePort}`));
  server.listen(0, PEER);
  await once(server, 'listening');
  t.after(() => server.close());
  const relayed = await alice.allocate();
  await alice.permit({ address: PEER, port: 0 });
  const id = await alice.connect(PEER, (server.address() as AddressInfo).port);
  assert.equal(await textOf(await alice.bind(id)), `${relayed.port}`);
  await connected(t, PEER, relayed);
  await alice.attempted();
});

test('the port is closed with its allocation, and by a document without the profile', async (t) => {
  const { bench, alice } = await start(t, ['legacy-ocs2007']);
  const relayed = await alice.allocate();
  await connected(t, PEER, relayed);
  bench.document.policy.federation.mediaProfiles = ['ice'];
  await bench.apply();
  assert.equal(await dial(t, PEER, relayed), 'ECONNREFUSED');
  bench.document.policy.federation.mediaProfiles = ['legacy-ocs2007'];
  await bench.apply();
  alice.close();
  await until(() => bench.service.remaining() === 0);
  assert.equal(await dial(t, PEER, relayed), 'ECONNREFUSED');
});

test('a relayed port that another program has is not given: the next one is', async (t) => {
  const { bench, alice } = await start(t, ['legacy-ocs2007']);
  const { first, last } = bench.document.policy.relay.ports;
  const others = await Promise.all(
    Array.from({ length: 6 }, async (_, n) => {
      const server = createServer().listen(first + n * 2, EXTERNAL);
      await once(server, 'listening');
      t.after(() => server.close());
      return first + n * 2;
    }),
  );
  const relayed = await alice.allocate();
  assert.ok(relayed.port >= first && relayed.port <= last && !others.includes(relayed.port));
});
