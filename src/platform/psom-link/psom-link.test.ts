import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { ManualClock, ok } from '#kernel';
import type { ServiceNode } from './index.ts';
import { type EdgeEnd, Heard, SERVICE, startEdge, startService } from './testing/link-bench.ts';
import { startStranger } from './testing/stranger.ts';

const OUTSIDE = { address: '203.0.113.7', port: 40_000 };
const HASH = 'ab'.repeat(32);

async function nodeOf(edge: EdgeEnd, name = SERVICE): Promise<ServiceNode> {
  await edge.ready.until(() => edge.links.node(name) !== undefined);
  return edge.links.node(name)!;
}
function open(node: ServiceNode, first = 'join'): Heard {
  const connection = node.open(OUTSIDE, [Buffer.from(first)]);
  assert.ok(connection);
  return new Heard(connection);
}

test('the service dials, says who it is and what its tokens are checked with, and hears where the edge is', async (t) => {
  const edge = await startEdge(t, 'edge1.example.com');
  const service = await startService(t, [edge.target]);
  const node = await nodeOf(edge);
  assert.equal(node.state, 'ready');
  assert.equal(node.keys[0]?.id, service.key.id);
  assert.ok(Math.abs(node.wall - Date.now()) < 60_000);
  await service.ready.count(1);
  assert.deepEqual(service.links.places(), [{ host: 'conf.edge1.example.com', port: 443 }]);
  assert.equal(edge.links.states()[0]?.node, SERVICE);
});

test('a participant is one stream: both directions, from its own address, until one side ends', async (t) => {
  const edge = await startEdge(t, 'edge1.example.com');
  const service = await startService(t, [edge.target]);
  const outside = open(await nodeOf(edge));
  const [inside] = await service.participants.count(1);
  await inside?.says('join');
  assert.deepEqual(inside?.connection.remote, OUTSIDE);
  inside?.connection.write(Buffer.from('joined'));
  await outside.says('joined');
  outside.connection.write(Buffer.from('a call'));
  await inside?.says('a call');
  assert.equal(edge.links.states()[0]?.participants, 1);
  inside?.connection.write(Buffer.from('the last word'));
  inside?.connection.end();
  assert.deepEqual(await outside.closes.count(1), ['peer-closed']);
  await outside.says('the last word');
  assert.deepEqual(await inside?.closes.count(1), ['local']);
  assert.equal(edge.links.states()[0]?.participants, 0);
});

test('a participant whose chunks are borrowed: the same bytes in the same memory, and the same end', async (t) => {
  const edge = await startEdge(t, 'edge1.example.com');
  const service = await startService(t, [edge.target]);
  const outside = open(await nodeOf(edge));
  const [inside] = await service.participants.count(1);
  const memory = new Set<ArrayBufferLike>();
  const { onData } = outside.connection;
  outside.connection.onData = (chunk) => {
    memory.add(chunk.buffer);
    onData(Buffer.from(chunk));
  };
  outside.connection.borrowChunks?.();
  for (const text of ['joined', 'a call', 'another']) {
    inside?.connection.write(Buffer.from(text));
    await outside.says(text);
  }
  assert.equal(memory.size, 1);
  inside?.connection.end();
  assert.deepEqual(await outside.closes.count(1), ['peer-closed']);
});

test('a participant that leaves, and one that is reset, end on the other side too', async (t) => {
  const edge = await startEdge(t, 'edge1.example.com');
  const service = await startService(t, [edge.target]);
  const node = await nodeOf(edge);
  const [leaving, reset] = [open(node), open(node)];
  const [first, second] = await service.participants.count(2);
  leaving.connection.end();
  assert.deepEqual(await first?.closes.count(1), ['peer-closed']);
  reset.connection.destroy('slow-reader');
  assert.deepEqual(await reset.closes.count(1), ['slow-reader']);
  await second?.closes.count(1);
});

test('one that is not read is reset at its bound, and nobody else waits', async (t) => {
  const edge = await startEdge(t, 'edge1.example.com', { limits: { outboundBytes: 1 << 18 } });
  const service = await startService(t, [edge.target], { limits: { outboundBytes: 1 << 18 } });
  const node = await nodeOf(edge);
  const frozen = node.open(OUTSIDE, [Buffer.from('frozen')]);
  const [, reading] = [frozen, open(node, 'reading')];
  const both = await service.participants.count(2);
  await Promise.all(both.map((one) => one.hasBytes(6)));
  const [toFrozen, toReading] = [
    both.find(({ text }) => text === 'frozen'),
    both.find(({ text }) => text === 'reading'),
  ];
  const piece = Buffer.alloc(16_384, 7);
  // What the windows hold does not count as waiting: 256 KiB on the way, then the bound.
  for (let sent = 0; sent < 1 << 20 && toFrozen?.connection.closed === false; sent += piece.length) {
    toFrozen.connection.write(piece);
    toReading?.connection.write(piece);
    await reading.hasBytes(toReading?.connection.bytesSent ?? 0);
  }
  assert.deepEqual(await toFrozen?.closes.count(1), ['slow-reader']);
  toReading?.connection.write(Buffer.from('goes on'));
  await reading.says('goes on');
});

test('every stream may fill its window and not one of the others waits', async (t) => {
  const edge = await startEdge(t, 'edge1.example.com');
  const service = await startService(t, [edge.target]);
  const node = await nodeOf(edge);
  const piece = Buffer.alloc(200_000, 1);
  for (let number = 0; number < 20; number++) node.open(OUTSIDE, [Buffer.from('x')]);
  for (const { connection } of await service.participants.count(20)) connection.write(piece);
  const reading = open(node);
  const last = (await service.participants.count(21))[20];
  last?.connection.write(piece);
  await reading.hasBytes(piece.length);
});

test('a link whose both directions are full does not stand still', async (t) => {
  const roomy = { limits: { outboundBytes: 1 << 23 } };
  const edge = await startEdge(t, 'edge1.example.com', roomy);
  const service = await startService(t, [edge.target], roomy);
  const node = await nodeOf(edge);
  const outside = Array.from({ length: 16 }, () => open(node));
  const inside = await service.participants.count(outside.length);
  // More than the system holds of a connection, from either end in the same turn.
  const piece = Buffer.alloc(2 << 20, 1);
  for (const { connection } of [...outside, ...inside]) connection.write(piece);
  await Promise.all([...outside, ...inside].map((one) => one.hasBytes(piece.length)));
});

test('a file comes with its type, length and name, at the pace of its reader', async (t) => {
  const edge = await startEdge(t, 'edge1.example.com');
  const body = Buffer.alloc(3 << 20, 'slide');
  const service = await startService(t, [edge.target], {
    content: () =>
      ok({
        type: 'image/png',
        bytes: body.length,
        name: 'Übersicht\r\n "1".png',
        body: Readable.from([body]),
      }),
  });
  const node = await nodeOf(edge);
  const answer = await node.fetch({ token: 'a-token', hash: HASH });
  assert.ok(answer.ok);
  const { type, bytes, name } = answer.value;
  assert.deepEqual(
    { type, bytes, name },
    { type: 'image/png', bytes: body.length, name: 'Übersicht\r\n "1".png' },
  );
  // A participant is served while nobody reads the file.
  const outside = open(node);
  const [inside] = await service.participants.count(1);
  inside?.connection.write(Buffer.from('meanwhile'));
  await outside.says('meanwhile');
  assert.ok((await buffer(answer.value.body)).equals(body));
  assert.deepEqual(service.asked.all, [{ token: 'a-token', hash: HASH }]);
});

test('a file that is not there, or not for the holder of this token', async (t) => {
  const edge = await startEdge(t, 'edge1.example.com');
  await startService(t, [edge.target], {
    content: ({ token }) => ({ ok: false, error: token === 'bad' ? 'not-allowed' : 'not-found' }),
  });
  const node = await nodeOf(edge);
  assert.deepEqual(await node.fetch({ token: 'bad', hash: HASH }), { ok: false, error: 'not-allowed' });
  assert.deepEqual(await node.fetch({ token: 'good', hash: HASH }), { ok: false, error: 'not-found' });
  assert.deepEqual(await node.fetch({ token: '../hello', hash: HASH }), { ok: false, error: 'not-found' });
});

test('a fault of the service while a file is asked for: busy, told once, and the link stays', async (t) => {
  const edge = await startEdge(t, 'edge1.example.com');
  const service = await startService(t, [edge.target], {
    content: () => {
      throw new Error('a bug');
    },
  });
  const node = await nodeOf(edge);
  assert.deepEqual(await node.fetch({ token: 'a-token', hash: HASH }), { ok: false, error: 'busy' });
  assert.deepEqual(service.faults.all, ['Error: a bug']);
  open(node);
  await service.participants.count(1);
  assert.deepEqual(service.ends.all, []);
});

test('a link that breaks ends its participants, and is opened again', async (t) => {
  const edge = await startEdge(t, 'edge1.example.com');
  const service = await startService(t, [edge.target]);
  const outside = open(await nodeOf(edge));
  const [inside] = await service.participants.count(1);
  edge.cut();
  assert.deepEqual(await outside.closes.count(1), ['reset']);
  assert.deepEqual(await inside?.closes.count(1), ['reset']);
  await edge.ready.count(2);
  open(await nodeOf(edge));
  await service.participants.count(2);
});

test('a service that stops says so; its node is gone at once', async (t) => {
  const edge = await startEdge(t, 'edge1.example.com');
  const service = await startService(t, [edge.target]);
  const node = await nodeOf(edge);
  service.links.close();
  assert.equal((await edge.ends.count(1))[0]?.reason, 'peer-closed');
  assert.equal(edge.links.node(SERVICE), undefined);
  assert.equal(node.open(OUTSIDE, []), undefined);
  assert.deepEqual(await node.fetch({ token: 'x', hash: HASH }), { ok: false, error: 'busy' });
});

test('other keys and another state are told on links that stay; so is another place of the edge', async (t) => {
  const edge = await startEdge(t, 'edge1.example.com');
  const service = await startService(t, [edge.target]);
  const outside = open(await nodeOf(edge));
  await service.participants.count(1);
  service.links.announce({
    node: SERVICE,
    keys: [Buffer.alloc(32, 1), service.key.publicBytes],
    state: 'draining',
  });
  await edge.changes.until(() => edge.links.node(SERVICE)?.state === 'draining');
  assert.equal(edge.links.node(SERVICE)?.keys.length, 2);
  const { settings } = edge;
  const hello = {
    ...settings.hello,
    place: { host: 'other.example', port: 444 },
    state: 'draining' as const,
  };
  edge.links.configure({ ...settings, hello });
  await service.changes.until(() => service.links.places().length === 0);
  assert.equal(service.links.states()[0]?.state, 'draining', 'an edge that drains is no place');
  edge.links.configure({ ...settings, hello: { ...hello, state: 'ready' } });
  await service.changes.until(() => service.links.places().length === 1);
  assert.deepEqual(service.links.places(), [{ host: 'other.example', port: 444 }]);
  assert.equal(outside.closes.all.length, 0);
});

test('an edge says by which keys it checks tokens: once it has them, again when they are others, and after anything else', async (t) => {
  const edge = await startEdge(t, 'edge1.example.com');
  const service = await startService(t, [edge.target]);
  const heard = () => service.links.states()[0]?.keys;
  const own = service.key.publicBytes;
  const hears = (...keys: Buffer[]) => {
    const texts = keys.map((key) => key.toString('base64'));
    return service.changes.until(() => isDeepStrictEqual(heard(), texts));
  };
  await nodeOf(edge);
  await hears(own);
  const other = Buffer.alloc(32, 1);
  service.links.announce({ node: SERVICE, keys: [own, other], state: 'ready' });
  await hears(own, other);
  assert.equal(edge.links.node(SERVICE)?.keys.length, 2, 'it does what it says');
  const { settings } = edge;
  edge.links.configure({ ...settings, hello: { ...settings.hello, state: 'draining' } });
  await service.changes.until(() => service.links.states()[0]?.state === 'draining');
  await hears(own, other);
  service.links.announce({ node: SERVICE, keys: [other], state: 'ready' });
  await hears(other);
  edge.cut();
  await service.ends.count(1);
  await service.ready.count(2);
  await hears(other);
});

test('a certificate that is none of the services named opens no link', async (t) => {
  const edge = await startEdge(t, 'edge1.example.com');
  const stranger = await startService(t, [edge.target], { name: 'other.corp.example' });
  await stranger.ends.count(1);
  assert.equal(edge.links.size, 0);
  const misled = await startService(t, [{ ...edge.target, name: 'edge2.example.com' }]);
  assert.match((await misled.ends.count(1))[0]?.detail ?? '', /^SLP-NET-0014 /);
});

test('a service speaks for its own name only, even for one that the document lists', async (t) => {
  const edge = await startEdge(t, 'edge1.example.com');
  await startService(t, [edge.target], { node: 'wc2.corp.example' });
  assert.equal((await edge.ends.count(1))[0]?.reason, 'hello');
  assert.equal(edge.links.node('wc2.corp.example'), undefined);
});

test('a service that is taken from the list loses its link', async (t) => {
  const edge = await startEdge(t, 'edge1.example.com');
  const service = await startService(t, [edge.target]);
  await nodeOf(edge);
  edge.links.configure({ ...edge.settings, services: ['wc2.corp.example'] });
  assert.equal((await edge.ends.count(1))[0]?.reason, 'policy');
  await service.ends.count(1);
});

test('a newer link of the same service takes the place of the older one', async (t) => {
  const edge = await startEdge(t, 'edge1.example.com');
  const before = await startService(t, [edge.target]);
  const outside = open(await nodeOf(edge));
  await before.participants.count(1);
  const after = await startService(t, [edge.target]);
  await outside.closes.count(1);
  before.links.close();
  await edge.ends.until(() => edge.ends.all.some(({ reason }) => reason === 'replaced'));
  await edge.ready.until(() => edge.links.node(SERVICE)?.keys[0]?.id === after.key.id);
});

test('a peer that says nothing at all is let go in time', async (t) => {
  const clock = new ManualClock();
  const edge = await startEdge(t, 'edge1.example.com', { clock });
  await startService(t, [edge.target], { take: () => {} });
  await nodeOf(edge);
  // Its answers to PINGs are not read while time flies.
  clock.advance(30_000);
  clock.advance(30_000);
  assert.equal((await edge.ends.count(1))[0]?.reason, 'silent');
});

test('more participants than a link has streams for are refused at the edge', async (t) => {
  const edge = await startEdge(t, 'edge1.example.com', { limits: { streams: 8 } });
  const service = await startService(t, [edge.target], { limits: { streams: 6 } });
  const node = await nodeOf(edge);
  open(node);
  await service.participants.count(1);
  const opened = Array.from({ length: 8 }, () => node.open(OUTSIDE, [Buffer.from('x')]));
  assert.equal(opened.filter((one) => one !== undefined).length, 3, 'the smaller number counts, less two');
});

test('garbage in the place of HTTP/2 ends the link', async (t) => {
  const edge = await startEdge(t, 'edge1.example.com');
  const stranger = await startStranger(t, edge.target);
  stranger.write('HTTP/1.1 400 Bad Request\r\n\r\n');
  const [notice] = await edge.ends.count(1);
  assert.equal(notice?.peer, SERVICE);
  assert.equal(edge.links.size, 0);
});
