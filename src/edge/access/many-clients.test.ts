import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { until } from '#kernel';
import type { TestAgent } from './testing/agent.ts';
import { Crowd } from './testing/crowd.ts';
import { AccessLab } from './testing/lab.ts';
import { heldBy, levelsOf, nothingIsLeft } from './testing/leftovers.ts';
import { request } from './testing/messages.ts';
import { signIn } from './testing/plays.ts';
import { Traffic } from './testing/traffic.ts';

/** Sources of the flood: addresses of this machine that nothing else here uses. */
const SOURCES = 50;
const EACH = 100;
const CROWD = 5000;
const IPV4 = Array.from({ length: 10 }, (_, index) => `127.0.10.${1 + index}`);

test('S7, S8: 5,000 connections at once, from fifty sources, and who is signed in notices nothing', async (t) => {
  const lab = await AccessLab.start(t, {
    change: ({ policy }) =>
      Object.assign(policy.limits.access, { connections: 1000, connectionsPerSource: 5, handshakes: 500 }),
  });
  const fe = await lab.frontEnds[0].connection();
  const client = await lab.client();
  await signIn(client, fe, 'alice');
  const flood: Socket[] = [];
  t.after(() => {
    for (const socket of flood) socket.destroy();
  });
  let closed = 0;
  for (let i = 0; i < SOURCES * EACH; i++) {
    const localAddress = `127.0.10.${1 + (i % SOURCES)}`;
    const socket = connect({ host: '127.0.9.10', port: lab.externalPort, localAddress });
    socket.on('error', () => {});
    socket.on('close', () => (closed += 1));
    // A ClientHello that is never finished.
    socket.write(Buffer.from([0x16, 3, 1]));
    flood.push(socket);
    // Below the backlog of the listener: what the system drops would come again only seconds later.
    if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const { connectionsPerSource, handshakes } = lab.document.policy.limits.access;
  const most = Math.min(SOURCES * connectionsPerSource, handshakes);
  for (let look = 0; closed < SOURCES * EACH - most; look++) {
    client.sends(request('MESSAGE', 'sip:bob@example.com', { Via: `SIP/2.0/TLS h;branch=z9hG4bKf${look}` }));
    fe.answers(await fe.receivesRequest('MESSAGE'), 200);
    await client.receives(200);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const text = await lab.metrics.text();
  assert.match(text, /refused_total\{[^}]*"too-many-from-source"[^}]*\} [1-9]/);
  const newcomer = await lab.client();
  await signIn(newcomer, fe, 'carol');
});

/** Of both families in turn; those of IPv6 are one source. */
function sourcesOf(count: number, all: readonly string[]): string[] {
  return Array.from({ length: count }, (_, index) => all[index % all.length] ?? '');
}

test('S7: 5,000 at once complete their handshakes, from addresses of both families; some sign in and write, and when all have left nothing is left of them', async (t) => {
  const lab = await AccessLab.start(t, {
    ipv6: true,
    change: ({ policy }) => {
      const room = {
        connectionsPerSource: 6000,
        connections: 6000,
        handshakes: 6000,
        handshakeSeconds: 120,
        overloadMs: 10_000,
      };
      Object.assign(policy.limits.access, room);
      policy.limits.access.preSignIn.seconds = 600;
    },
  });
  const traffic = new Traffic([lab], [await lab.frontEnds[0].connection()]);
  await traffic.arrive(2);
  const [alice, bob] = traffic.clients.map(({ agent }) => agent);
  assert.ok(alice !== undefined && bob !== undefined);
  const before = await heldBy(lab);
  const crowd = new Crowd(lab);
  const coming = crowd.comes(
    sourcesOf(
      CROWD,
      IPV4.flatMap((source) => [source, '::1']),
    ),
  );
  t.after(() => crowd.leaves());
  // Who is there goes on meanwhile.
  await worksMeanwhile(
    alice,
    bob,
    () => crowd.comers.length === CROWD && crowd.inState('connecting').length === 0,
  );
  await coming;
  assert.equal(crowd.inState('secure').length, CROWD);
  const peers = await crowd.isAnswered();
  assert.equal((await levelsOf(lab)).client_connections, CROWD + 2);
  for (const peer of peers.filter((_, index) => index % 50 === 0)) {
    const newcomer = await traffic.welcome(peer);
    assert.equal((await newcomer.ask('newcomer', 'MESSAGE', alice.options.address)).status, 200);
  }
  traffic.ledger.balances();

  crowd.leaves();
  await nothingIsLeft(lab, before);
  // Nor in what is counted by source.
  lab.document.policy.limits.access.connectionsPerSource = 1;
  await lab.commit();
  await crowd.comes([...IPV4, '::1']);
  await until(() => crowd.inState('connecting').length === 0);
  assert.equal(crowd.inState('secure').length, IPV4.length + 1);
});

test('S8: 5,000 at once under the usual limits: each source has what it may have, the surplus is closed and counted, and nothing is left of it', async (t) => {
  const { connectionsPerSource, ...usual } = {
    connections: 20_000,
    connectionsPerSource: 500,
    handshakes: 256,
  };
  const lab = await AccessLab.start(t, {
    ipv6: true,
    change: ({ policy }) => {
      Object.assign(policy.limits.access, usual, { connectionsPerSource, overloadMs: 10_000 });
      policy.limits.access.preSignIn.seconds = 600;
    },
  });
  const traffic = new Traffic([lab], [await lab.frontEnds[0].connection()]);
  await traffic.arrive(2);
  const [alice, bob] = traffic.clients.map(({ agent }) => agent);
  assert.ok(alice !== undefined && bob !== undefined);
  const before = await heldBy(lab);
  const crowd = new Crowd(lab);
  const sources = sourcesOf(CROWD, [...IPV4.slice(0, 4), '::1']);
  const coming = crowd.comes(sources);
  t.after(() => crowd.leaves());
  await worksMeanwhile(
    alice,
    bob,
    () => crowd.comers.length === CROWD && crowd.inState('connecting').length === 0,
  );
  await coming;
  const refused = await refusedByLimits(lab);
  assert.equal(refused, crowd.inState('refused').length);
  assert.equal(refused + crowd.inState('secure').length, CROWD);
  // Whom the number of handshakes kept out comes again, until its source has what it may have.
  for (const source of new Set(sources)) {
    const inside = () => crowd.inState('secure', source).length;
    assert.ok(inside() <= connectionsPerSource);
    for (let wave = 0; inside() < connectionsPerSource; wave++) {
      assert.ok(wave < 20, `${source} is kept out`);
      await crowd.comes(Array.from({ length: 100 }, () => source));
      await until(() => crowd.inState('connecting').length === 0);
    }
    await crowd.comes([source]);
    await until(() => crowd.inState('connecting').length === 0);
    assert.equal(inside(), connectionsPerSource);
  }
  await crowd.isAnswered();
  assert.equal((await levelsOf(lab)).client_connections, 5 * connectionsPerSource + 2);
  crowd.leaves();
  await nothingIsLeft(lab, before);
  assert.equal((await alice.ask('afterwards', 'MESSAGE', bob.options.address)).status, 200);
  traffic.ledger.balances();
});

/** Who is there goes on, until all who come have got in or were refused. */
async function worksMeanwhile(one: TestAgent, other: TestAgent, over: () => boolean): Promise<void> {
  while (!over()) {
    assert.equal((await one.ask('meanwhile', 'MESSAGE', other.options.address)).status, 200);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function refusedByLimits(lab: AccessLab): Promise<number> {
  const reasons = /refused_total\{[^}]*"(?:too-many-[\w-]+|made-room)"[^}]*\} (\d+)/g;
  return [...(await lab.metrics.text()).matchAll(reasons)].reduce((sum, [, count]) => sum + Number(count), 0);
}
