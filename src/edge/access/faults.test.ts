import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type Cancel, type Clock, SystemClock, until } from '#kernel';
import type { EdgeDocument } from '#platform/topology';
import { PARTNER, startFederation } from './federation/testing/partners.ts';
import type { TestAgent } from './testing/agent.ts';
import { heldBy, nothingIsLeft } from './testing/leftovers.ts';
import { Traffic } from './testing/traffic.ts';

/*
 * Each fault: what it does to whom it concerns and to nobody else, that all is well when it is over, and that nothing of it is left.
 */

const UNDER_WAY = 20;
const SECOND = { domain: 'second.example', proxy: 'sip.second.example', address: '127.0.9.42' };
const BOB = 'sip:bob@partner.example';

/** Time runs faster: what takes half a minute is over in four seconds. */
class FastClock extends SystemClock {
  override now(): number {
    return super.now() * FASTER;
  }
  override after(ms: number, task: () => void): Cancel {
    return super.after(ms / FASTER, task);
  }
}
const FASTER = 8;

async function begin(t: TestContext, change: (document: EdgeDocument) => void = () => {}, clock?: Clock) {
  const listed = ({ domain, proxy }: typeof PARTNER) => ({
    domain,
    proxy,
    verification: 'use-source' as const,
  });
  const stage = await startFederation(
    t,
    (document) => {
      document.policy.federation.allowed = [listed(PARTNER), listed(SECOND)];
      change(document);
    },
    clock === undefined ? {} : { clock },
  );
  stage.names.hosts.set(SECOND.proxy, [SECOND.address]);
  const traffic = new Traffic([stage.lab], [stage.fe]);
  await traffic.arrive(2);
  const [alice, carol] = traffic.clients.map(({ agent }) => agent);
  assert.ok(alice !== undefined && carol !== undefined);
  return { ...stage, traffic, alice, carol };
}
function write(from: TestAgent, to: TestAgent | string, flow = 'well'): Promise<number> {
  const address = typeof to === 'string' ? to : to.options.address;
  return from.ask(flow, 'MESSAGE', address).then(({ status }) => status);
}
/** Tried again, as people do. */
async function comesThrough(from: TestAgent, to: TestAgent | string): Promise<void> {
  await until(async () => (await write(from, to, 'tried')) === 200, 'a message comes through');
}
const FAILS = new Set(['fails', 'tried']);

test('the next hop dies with requests under way: each sender is told, clients and partners; it returns, and all is as before', async (t) => {
  const { lab, traffic, alice, carol } = await begin(t);
  const partner = await traffic.partner(t, PARTNER);
  assert.equal(await write(partner.agent, alice), 200);
  assert.equal(await write(carol, partner.agent), 200);
  const before = await heldBy(lab);
  traffic.inside.holds = ({ method }) => method === 'MESSAGE';
  const { address } = traffic.inside.options;
  const asked = Array.from({ length: UNDER_WAY }, (_, index) =>
    write(index % 2 === 0 ? alice : partner.agent, address, 'fails'),
  );
  await until(() => traffic.inside.held === UNDER_WAY);
  await lab.frontEnds[0].stop();
  for (const status of await Promise.all(asked)) assert.equal(status, 503);
  assert.equal(await write(alice, carol, 'fails'), 503);
  assert.equal(await write(partner.agent, carol, 'fails'), 503);

  await lab.frontEnds[0].listen();
  traffic.addEdge(await lab.frontEnds[0].connection());
  for (const [from, to] of [
    [alice, carol],
    [partner.agent, alice],
    [carol, partner.agent],
  ] as const)
    assert.equal(await write(from, to), 200);
  traffic.ledger.balances(FAILS);
  await nothingIsLeft(lab, before);
});

test('the name service stops answering: who is connected is spoken with, who is not is missed at once, and is found when it answers again', async (t) => {
  const { lab, names, traffic, alice, carol } = await begin(t, ({ policy }) => {
    for (const entry of policy.federation.allowed) delete entry.proxy;
  });
  for (const { domain, proxy } of [PARTNER, SECOND]) names.publish(domain, proxy);
  const known = await traffic.partner(t, PARTNER);
  const unknown = await traffic.partner(t, SECOND);
  assert.equal(await write(alice, known.agent), 200);
  assert.equal(await write(known.agent, alice), 200);
  names.silent = true;
  assert.equal(await write(alice, known.agent), 200);
  assert.equal(await write(known.agent, alice), 200);
  assert.equal(await write(alice, unknown.agent, 'fails'), 504);
  assert.equal(await write(unknown.agent, alice, 'fails'), 504);
  assert.equal(await write(alice, carol), 200);
  const before = await heldBy(lab);
  names.silent = false;
  assert.equal(await write(alice, unknown.agent), 200);
  assert.equal(await write(unknown.agent, alice), 200);
  traffic.ledger.balances(FAILS);
  const { levels, handles } = before;
  const more = { outbound_connections: 2, flows: (levels.flows ?? 0) + 1 };
  await nothingIsLeft(lab, { levels: { ...levels, ...more }, handles: handles + 2 });
});

test('[S7] a partner takes the connection and says nothing: its senders are told, others notice nothing, its socket is let go, and it is reached when it speaks', async (t) => {
  const { lab, traffic, alice, carol } = await begin(t, ({ policy }) => {
    policy.limits.access.handshakeSeconds = 2;
  });
  const other = await traffic.partner(t, SECOND);
  assert.equal(await write(alice, other.agent), 200);
  const before = await heldBy(lab);
  const held = new Set<Socket>();
  const silent = createServer((socket) => {
    held.add(
      socket
        .on('error', () => {})
        .on('close', () => held.delete(socket))
        .resume(),
    );
  });
  silent.listen(5061, PARTNER.address);
  await once(silent, 'listening');
  const asked = Array.from({ length: UNDER_WAY }, () => write(alice, BOB, 'fails'));
  await until(() => held.size > 0);
  assert.equal(await write(alice, other.agent), 200);
  assert.equal(await write(carol, alice), 200);
  for (const status of await Promise.all(asked)) assert.equal(status, 504);
  await until(() => held.size === 0);
  silent.close();
  await nothingIsLeft(lab, before);

  const partner = await traffic.partner(t, PARTNER);
  await comesThrough(alice, partner.agent);
  traffic.ledger.balances(FAILS);
});

test('[S7] a partner ends its handshake and says nothing: who waits is told when a transaction has lasted, others notice nothing, and it is spoken with when it speaks', async (t) => {
  const { lab, traffic, alice, carol } = await begin(
    t,
    ({ policy }) => {
      Object.assign(policy.limits.access, { handshakeSeconds: 120, overloadMs: 10_000 });
      policy.federation.connectionsPerPartner = 1;
    },
    new FastClock(),
  );
  const partner = await traffic.partner(t, PARTNER);
  const other = await traffic.partner(t, SECOND);
  for (const { agent } of [partner, other]) assert.equal(await write(alice, agent), 200);
  const before = await heldBy(lab);
  partner.agent.holds = () => true;
  const { address } = partner.agent.options;
  const asked = Array.from({ length: UNDER_WAY }, () =>
    alice.ask('fails', 'INVITE', address, { Contact: `<${alice.options.contact}>` }),
  );
  // Of other requests a proxy says nothing when their time is over (RFC 4320 §4.2): their senders know it by themselves.
  for (let turn = 0; turn < UNDER_WAY; turn++) void write(alice, partner.agent, 'unanswered');
  await until(() => partner.agent.held === 2 * UNDER_WAY);
  assert.equal(await write(carol, other.agent), 200);
  assert.equal(await write(other.agent, alice), 200);
  for (const { status } of await Promise.all(asked)) assert.equal(status, 408);
  partner.agent.holds = () => false;
  assert.equal(await write(alice, partner.agent), 200);
  assert.equal(await write(partner.agent, carol), 200);
  traffic.ledger.balances(FAILS, new Set(['unanswered']));
  await nothingIsLeft(lab, before);
});

test('[S7] a client never reads: it is cut off, who wrote to it is told, others notice nothing; it comes back and is reached', async (t) => {
  const { lab, traffic, alice, carol } = await begin(t, ({ policy }) => {
    policy.limits.access.outboundBytes = 65_536;
  });
  const before = await heldBy(lab);
  const unread = traffic.clients[1]?.peer ?? assert.fail();
  unread.socket.pause();
  const answers: Promise<number>[] = [];
  const body = 'x'.repeat(60_000);
  while (lab.service.remaining() > 1) {
    answers.push(write(alice, carol, 'fails'));
    answers.push(
      traffic.inside.ask('fails', 'MESSAGE', carol.options.address, {}, body).then(({ status }) => status),
    );
    assert.equal(await write(alice, alice), 200);
  }
  const told = await Promise.all(answers);
  assert.ok(told.length > 2 && told.every((status) => status >= 400), told.join());
  assert.equal(await write(alice, carol, 'fails'), 430);
  await traffic.returns(1);
  unread.ends();
  const back = traffic.clients[1]?.agent ?? assert.fail();
  assert.equal(await write(alice, back), 200);
  assert.equal(await write(back, alice), 200);
  traffic.ledger.balances(FAILS);
  await nothingIsLeft(lab, before);
});
