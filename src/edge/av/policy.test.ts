import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { until } from '#kernel';
import { Bench, EchoPeer, TestClient } from './testing/bench.ts';

const EXTERNAL = '127.0.9.191';
const INTERNAL = '127.0.9.192';
const PEER = '127.0.9.193';
const OUTSIDE = '127.0.9.194';

let range = 56_900;

async function start(t: TestContext): Promise<Bench> {
  const first = range;
  range += 10;
  const bench = await Bench.start({
    external: [EXTERNAL],
    internal: [INTERNAL],
    ports: [first, range - 1],
    allowedPeers: [`${PEER}/32`],
  });
  t.after(() => bench.stop());
  return bench;
}
type Credential = { readonly username: string; readonly password: string };
async function outside(t: TestContext, bench: Bench, credential?: Credential): Promise<TestClient> {
  const token = credential ?? bench.token('sip:alice@example.test');
  const client = await TestClient.open(bench, OUTSIDE, EXTERNAL, token);
  t.after(() => client.close());
  return client;
}
/** How many of `count` datagrams of 1000 octets get to a peer and back. */
async function echoed(
  t: TestContext,
  bench: Bench,
  clients: readonly TestClient[],
  count: number,
): Promise<number> {
  const peer = await EchoPeer.open(PEER);
  t.after(() => peer.close());
  const dropped = async () => {
    const { drops } = (await bench.verb('counters')) as { drops: Record<string, number> };
    return drops['over-bandwidth'] ?? 0;
  };
  const before = await dropped();
  for (const client of clients) assert.equal(await client.permit(PEER, peer.port), 0);
  for (let n = 0; n < count; n += 1) clients[n % clients.length]?.send(PEER, peer.port, 'x'.repeat(1_000));
  const heard = () => clients.reduce((sum, client) => sum + client.heard.length, 0);
  for (;;) {
    if (heard() + (await dropped()) - before >= count) return heard();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('what one port may send [setting policy.relay.bandwidth.perPortKilobits] [setting policy.relay.bandwidth.burstMilliseconds]', async (t) => {
  const bench = await start(t);
  bench.document.policy.relay.bandwidth = {
    perUserKilobits: 10_000,
    perPortKilobits: 64,
    burstMilliseconds: 500,
  };
  await bench.apply();
  const alice = await outside(t, bench);
  await alice.allocated();
  const few = await echoed(t, bench, [alice], 40);
  assert.ok(few >= 4 && few < 20, `${few} of 40`);
  bench.document.policy.relay.bandwidth.burstMilliseconds = 10_000;
  await bench.apply();
  const other = await outside(t, bench, bench.token('sip:bob@example.test'));
  await other.allocated();
  assert.equal(await echoed(t, bench, [other], 40), 40);
});

test('what one user may send over several ports [setting policy.relay.bandwidth.perUserKilobits]', async (t) => {
  const bench = await start(t);
  bench.document.policy.relay.bandwidth = {
    perUserKilobits: 64,
    perPortKilobits: 10_000,
    burstMilliseconds: 500,
  };
  await bench.apply();
  const clients = [await outside(t, bench), await outside(t, bench)];
  for (const client of clients) await client.allocated();
  const few = await echoed(t, bench, clients, 40);
  assert.ok(few >= 4 && few < 20, `${few} of 40`);
});

test('clients behind one address [setting policy.relay.allocationsPerAddress]', async (t) => {
  const bench = await start(t);
  bench.document.policy.relay.allocationsPerAddress = 1;
  await bench.apply();
  const first = await outside(t, bench);
  await first.allocated();
  const second = await outside(t, bench, bench.token('sip:bob@example.test'));
  const refused = await second.allocate();
  assert.notEqual(refused.type, 'allocated');
});

test('which ports are peers [setting policy.relay.lowestPeerPort]', async (t) => {
  const bench = await start(t);
  const alice = await outside(t, bench);
  await alice.allocated();
  await alice.bindChannel(PEER, 1_024);
  await assert.rejects(alice.bindChannel(PEER, 1_023));
  bench.document.policy.relay.lowestPeerPort = 3_000;
  await bench.apply();
  await assert.rejects(alice.bindChannel(PEER, 2_999));
  await alice.bindChannel(PEER, 3_000);
  await alice.bindChannel(PEER, 443);
});

test('an account of the document [setting policy.relay.accounts[].name] [setting policy.relay.accounts[].passwordFile]', async (t) => {
  const bench = await start(t);
  const passwordFile = join(bench.document.host.stateDirectory, 'gateway.password');
  writeFileSync(passwordFile, 'a password of the gateway\n', { mode: 0o600 });
  const credential = { username: 'gateway', password: 'a password of the gateway' };
  assert.notEqual((await (await outside(t, bench, credential)).allocate()).type, 'allocated');
  bench.document.policy.relay.accounts = [{ name: 'gateway', passwordFile }];
  await bench.apply();
  const gateway = await outside(t, bench, credential);
  await gateway.allocated();
  const wrong = await outside(t, bench, { ...credential, password: 'another password' });
  assert.notEqual((await wrong.allocate()).type, 'allocated');
  bench.document.policy.relay.accounts = [{ name: 'other', passwordFile }];
  await bench.apply();
  assert.notEqual((await (await outside(t, bench, credential)).allocate()).type, 'allocated');
  await until(() => bench.service.remaining() === 1);
});

test('behind a NAT the relayed address is the public one, and is switched inside [setting host.addresses.public.av]', async (t) => {
  const bench = await start(t);
  bench.document.host.addresses.public.av = ['198.51.100.30'];
  await bench.apply();
  const alice = await outside(t, bench);
  const bob = await outside(t, bench, bench.token('sip:bob@example.test'));
  const [a, b] = [await alice.allocated(), await bob.allocated()];
  assert.equal(a.address, '198.51.100.30');
  assert.equal(await alice.permit(b.address, b.port), 0);
  assert.equal(await bob.permit(a.address, a.port), 0);
  alice.send(b.address, b.port, 'inside');
  assert.deepEqual(await bob.hear(1), [{ from: `198.51.100.30 ${a.port}`, text: 'inside' }]);
  const carol = await outside(t, bench, bench.token('sip:carol@example.test'));
  await carol.allocated();
  assert.equal(await carol.permit('198.51.100.30', 3478), 403);
});

/** This edge and another one, of which only the addresses matter. */
function makePool(bench: Bench): void {
  const { host, policy } = bench.document;
  const other = structuredClone(host.addresses);
  other.access = ['127.0.9.195'];
  other.webConferencing = ['127.0.9.195'];
  other.av = [PEER];
  other.internal = ['127.0.9.196'];
  policy.pool.balancing = 'dns';
  policy.pool.members = [
    { name: host.name, addresses: host.addresses },
    { name: 'edge2.corp.test', addresses: other },
  ];
  policy.relay.allowedPeers = [];
}

test('T4: of another edge of the pool only the relay range is a peer, nothing else of it [setting policy.pool.members[].addresses.av]', async (t) => {
  const bench = await start(t);
  makePool(bench);
  await bench.apply();
  const { first, last } = bench.document.policy.relay.ports;
  /** A client asks the relay again only for an address that it has no permission for: so one client a question. */
  const asks = async (address: string, port: number): Promise<number> => {
    const client = await outside(t, bench);
    await client.allocated();
    const code = await client.permit(address, port);
    client.client.deallocate(bench.clock.now());
    return code;
  };
  for (const port of [first, last]) assert.equal(await asks(PEER, port), 0);
  for (const port of [443, 3478, first - 1]) assert.equal(await asks(PEER, port), 403, `${port}`);
  for (const address of ['127.0.9.195', '127.0.9.196'])
    assert.equal(await asks(address, first), 403, address);
  const alice = await outside(t, bench);
  await alice.allocated();
  const peer = createSocket('udp4');
  t.after(() => peer.close());
  peer.bind(last, PEER);
  await once(peer, 'listening');
  await alice.bindChannel(PEER, last);
  alice.send(PEER, last, 'edge to edge');
  assert.equal(String((await once(peer, 'message'))[0]), 'edge to edge');
});

test('a drained edge sends new clients to another edge of the pool, and says how many are left', async (t) => {
  const bench = await start(t);
  makePool(bench);
  await bench.apply();
  const alice = await outside(t, bench);
  await alice.allocated();
  await bench.service.drain();
  const carol = await outside(t, bench, bench.token('sip:carol@example.test'));
  const away = await carol.allocate();
  assert.notEqual(away.type, 'allocated');
  assert.match(JSON.stringify(away), /127\.0\.9\.193/);
  assert.equal(bench.service.remaining(), 1);
  assert.match(bench.service.health().detail, /1 allocations.*draining/);
  bench.document.policy.pool.members = [];
  await bench.apply();
  const dave = await outside(t, bench, bench.token('sip:dave@example.test'));
  assert.match(JSON.stringify(await dave.allocate()), /508/);
});
