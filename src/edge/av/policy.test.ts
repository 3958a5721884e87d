import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Bench, EchoPeer, TestClient, until } from './testing/bench.ts';

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
