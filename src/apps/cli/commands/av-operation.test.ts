import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { SystemClock } from '#kernel';
import { TestClient } from '../../../edge/av/testing/bench.ts';
import { Perimeter } from '../../lab/testing/perimeter.ts';
import { sallyport } from '../testing/printed.ts';

const NETWORK = 66;
const OUTSIDE = '127.66.5.1';
const INSIDE = '127.66.4.50';
const clock = new SystemClock();

let perimeter: Perimeter;
const clients: TestClient[] = [];

before(async () => {
  perimeter = await Perimeter.prepare({ network: NETWORK, frontEnd: false });
  await perimeter.edge.start();
});
after(async () => {
  for (const client of clients) client.close();
  await perimeter?.stop();
});

const av = (command: string, ...args: string[]) =>
  sallyport('av', command, '--socket', perimeter.files.edgeSocket, ...args);

/** A client with this user's credential, outside or inside. */
async function open(user: string, side: 'outside' | 'inside', password?: string): Promise<TestClient> {
  const { av: external, internal } = perimeter.plan;
  const server = side === 'outside' ? external.address : internal.address;
  const credential = perimeter.relayCredential(user);
  const client = await TestClient.openAt(
    { clock },
    side === 'outside' ? OUTSIDE : INSIDE,
    { server, port: external.port },
    password === undefined ? credential : { ...credential, password },
  );
  clients.push(client);
  return client;
}
async function allocate(user: string, side: 'outside' | 'inside'): Promise<TestClient> {
  const client = await open(user, side);
  await client.allocate();
  return client;
}

test('av allocations lists them, and those that fit its filters', async () => {
  const one = await allocate('alice', 'outside');
  const two = await allocate('bob', 'inside');
  const [first, second] = [one.client.relayed, two.client.relayed];
  assert.ok(first !== undefined && second !== undefined);
  await one.bindChannel(second.address, second.port);
  await two.bindChannel(first.address, first.port);
  one.send(second.address, second.port, 'counted');
  await two.hear(1);
  const all = await av('allocations');
  assert.equal(all.status, 0, all.error);
  assert.match(all.out, /\n2 of 2 that fit, 2 open\n$/);
  const line = new RegExp(`external udp +${OUTSIDE}:\\d+ +${first.address}:${first.port} .* rest:alice\n`);
  assert.match(all.out, line);
  assert.match(all.out, /1 \(1 KiB\)/);
  for (const [filter, count] of [
    [['--face', 'internal'], 1],
    [['--transport', 'tls'], 0],
    [['--client', INSIDE], 1],
    [['--user', 'alice'], 1],
    [['--user', 'rest:bob'], 1],
    [['--user', 'carol'], 0],
    [['--port', String(second.port)], 1],
    [['--face', 'internal', '--user', 'alice'], 0],
  ] as const) {
    const { out } = await av('allocations', ...filter);
    assert.match(out, new RegExp(`\n${count} of ${count} that fit, 2 open\n$`), filter.join(' '));
  }
  assert.match((await av('allocations', '--limit', '1')).out, /\n1 of 2 that fit, 2 open\n$/);
});

test('av allocations refuses filters that cannot be', async () => {
  assert.equal((await av('allocations', '--transport', 'dtls')).status, 2);
  assert.equal((await av('allocations', '--port', '70000')).status, 2);
  assert.equal((await av('allocations', '--limit', '0')).status, 2);
});

test('av indicators: bounds, and headroom against the document; beyond a bound the status is 1', async () => {
  const calm = await av('indicators');
  assert.equal(calm.status, 0, calm.out + calm.error);
  assert.match(calm.out, /authentication failures +\d+\.\d +below 20 +ok/);
  assert.match(calm.out, /packets dropped +\d+\.\d +below 300 +ok/);
  assert.match(calm.out, /\nallocations +2 +10000 +0\.0 % +document\n/);
  assert.match(calm.out, /\nports +2 +10000 +0\.0 % +document\n/);
  assert.match(calm.out, /\ndatagrams per second +\d+ +.* measurement\n/);
  await perimeter.until('so many failures show', async () => {
    // The relay answers strangers of one network only so often, so that not each of them hears of it.
    for (let guess = 0; guess < 40; guess++) {
      const { client } = await open('mallory', 'outside', 'guessed');
      client.allocate(clock.now());
    }
    return (await av('indicators')).status === 1;
  });
  const alarmed = await av('indicators');
  assert.match(alarmed.out, /authentication failures +\d+\.\d +below 20 +BEYOND/);
  assert.match(
    (await sallyport('status', '--socket', perimeter.files.edgeSocket)).out,
    /authenticationFailures \d+\/s/,
  );
});

test('av counters: relayed octets, refusals by code, drops by reason', async () => {
  const { out, status } = await av('counters');
  assert.equal(status, 0);
  assert.match(out, /relayed +sent bytes +7\n/);
  assert.match(out, /refused +401 +\d+\n/);
});

test('drain says how many are left, and those go on', async () => {
  const { out } = await sallyport('drain', 'av', '--socket', perimeter.files.edgeSocket);
  assert.match(out, /av +2\b/);
  const late = await allocate('late', 'inside');
  assert.equal(late.client.relayed, undefined);
  const [one, two] = clients;
  const peer = two?.client.relayed;
  assert.ok(one !== undefined && two !== undefined && peer !== undefined);
  one.send(peer.address, peer.port, 'still there');
  assert.equal((await two.hear(1))[0]?.text, 'still there');
  assert.match((await sallyport('undrain', 'av', '--socket', perimeter.files.edgeSocket)).out, /av +2\b/);
});
