import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { Bench, EchoPeer, TestClient } from './testing/bench.ts';

const PORT = 3_478;
const OURS = '127.0.9.201';
const THEIRS = '127.0.9.202';
const PLAIN = '127.0.9.203';
const OUTSIDE = '127.0.9.204';
const CALLS = 50;

let range = 57_400;

async function edge(
  t: TestContext,
  address: string,
  profiles: Bench['document']['policy']['federation']['mediaProfiles'],
) {
  const first = range;
  range += 120;
  const bench = await Bench.start({
    external: [address],
    internal: [address.replace('.20', '.21')],
    ports: [first, range - 1],
    allowedPeers: ['127.0.9.200/29'],
    udpPort: PORT,
  });
  t.after(() => bench.stop());
  bench.document.policy.relay.allocationsPerUser = 2 * CALLS;
  bench.document.policy.features.federation = true;
  bench.document.policy.federation.mediaProfiles = profiles;
  await bench.apply();
  return bench;
}
async function client(t: TestContext, bench: Bench, server: string): Promise<TestClient> {
  const opened = await TestClient.open(bench, OUTSIDE, server, bench.token('sip:alice@example.test'));
  t.after(() => opened.close());
  return opened;
}
interface Counters {
  readonly tunnelled: { readonly sent: number; readonly received: number };
  readonly datagrams: { readonly peers: { readonly sent: number; readonly received: number } };
}
const counters = async (bench: Bench) => structuredClone(await bench.verb('counters')) as Counters;

test(`${CALLS} calls each way between two edges, nothing through the relay range [setting policy.federation.mediaProfiles]`, async (t) => {
  const ours = await edge(t, OURS, ['edge-tunnel']);
  const theirs = await edge(t, THEIRS, ['edge-tunnel']);
  for (const [from, to] of [
    [
      { bench: ours, address: OURS },
      { bench: theirs, address: THEIRS },
    ],
    [
      { bench: theirs, address: THEIRS },
      { bench: ours, address: OURS },
    ],
  ] as const) {
    const call = async (number: number) => {
      const alice = await client(t, from.bench, from.address);
      const bob = await client(t, to.bench, to.address);
      const [a, b] = [await alice.allocated(), await bob.allocated()];
      assert.equal(await bob.permit(a.address, a.port), 0);
      await alice.bindChannel(b.address, b.port);
      for (let n = 0; n < 4; n += 1) alice.send(b.address, b.port, `call ${number} there ${n}`);
      assert.equal((await bob.hear(4)).length, 4);
      for (let n = 0; n < 4; n += 1) bob.send(a.address, a.port, `call ${number} back ${n}`);
      assert.deepEqual(
        (await alice.hear(4)).map(({ text }) => text).sort(),
        [0, 1, 2, 3].map((n) => `call ${number} back ${n}`),
      );
    };
    // The first of them waits for the other edge's answer; little is held for each partner meanwhile.
    await call(0);
    await Promise.all(Array.from({ length: CALLS - 1 }, (_, number) => call(number + 1)));
  }
  for (const bench of [ours, theirs]) {
    const { tunnelled, datagrams } = await counters(bench);
    assert.deepEqual(tunnelled, { sent: 8 * CALLS, received: 8 * CALLS });
    assert.deepEqual([datagrams.peers.sent, datagrams.peers.received], [0, 0], 'the range is still');
  }
});

test('a plain peer is reached from the range once its silence has shown that it is no edge', async (t) => {
  const ours = await edge(t, OURS, ['edge-tunnel']);
  // Something that hears the question and says nothing.
  const silent = createSocket('udp4');
  silent.bind(PORT, PLAIN);
  await once(silent, 'listening');
  t.after(() => silent.close());
  const peer = await EchoPeer.open(PLAIN);
  t.after(() => peer.close());
  const alice = await client(t, ours, OURS);
  await alice.allocated();
  await alice.bindChannel(PLAIN, peer.port);
  const asked = once(silent, 'message');
  alice.send(PLAIN, peer.port, 'held');
  const [question, from] = await asked;
  assert.equal((question as Buffer).readUInt16BE(0), 1);
  assert.deepEqual([from.address, from.port], [OURS, PORT], 'from our own 3478');
  assert.deepEqual(
    (await alice.hear(1)).map(({ text }) => text),
    ['held'],
  );
});

test('without the profile nobody is asked', async (t) => {
  const ours = await edge(t, OURS, ['ice']);
  const theirs = await edge(t, THEIRS, ['edge-tunnel']);
  const alice = await client(t, ours, OURS);
  const bob = await client(t, theirs, THEIRS);
  const [a, b] = [await alice.allocated(), await bob.allocated()];
  assert.equal(await bob.permit(a.address, a.port), 0);
  await alice.bindChannel(b.address, b.port);
  alice.send(b.address, b.port, 'plain');
  assert.equal((await bob.hear(1)).length, 1);
  assert.deepEqual((await counters(ours)).tunnelled, { sent: 0, received: 0 });
});
