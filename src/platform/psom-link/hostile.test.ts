import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { ok } from '#kernel';
import type { ServiceNode } from './index.ts';
import { content, hello, nothing, participant, reset, startHostileEdge } from './testing/hostile-edge.ts';
import { garbage, going, startHostileService } from './testing/hostile-service.ts';
import { type EdgeEnd, Heard, SERVICE, Seen, startEdge, startService } from './testing/link-bench.ts';

const OUTSIDE = { address: '203.0.113.7', port: 40_000 };
const HASH = 'ab'.repeat(32);

async function nodeOf(edge: EdgeEnd): Promise<ServiceNode> {
  await edge.ready.until(() => edge.links.node(SERVICE) !== undefined);
  return edge.links.node(SERVICE)!;
}

test('streams that are reset in the very packet that opens them end nothing but themselves', async (t) => {
  const edge = await startHostileEdge(t, 'edge1.example.com');
  const service = await startService(t, [edge.target]);
  const socket = await edge.linked;
  socket.write(hello('edge1.example.com', 1));
  await service.ready.count(1);
  for (const [at, open] of [
    participant,
    content,
    nothing,
    (id: number) => hello('edge1.example.com', id),
  ].entries()) {
    socket.write(Buffer.concat([open(3 + 2 * at), reset(3 + 2 * at)]));
  }
  socket.write(participant(21));
  await service.participants.until(() =>
    service.participants.all.some(({ connection }) => !connection.closed),
  );
  assert.deepEqual(service.ends.all, []);
});

/** Turns of the event loop until a node takes nobody any more; it is asked in each, whatever becomes of its link meanwhile. */
async function comeUntilRefused(edge: EdgeEnd, node: ServiceNode): Promise<void> {
  while (edge.links.node(SERVICE) !== undefined) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(node.open(OUTSIDE, [Buffer.from('x')]), undefined);
  assert.deepEqual(await node.fetch({ token: 'a-token', hash: HASH }), { ok: false, error: 'busy' });
}

test('a service that is going, and keeps what there is, gets nobody and nothing more', async (t) => {
  const edge = await startEdge(t, 'edge1.example.com');
  const socket = await startHostileService(t, edge.target);
  const node = await nodeOf(edge);
  const staying = new Heard(node.open(OUTSIDE, [Buffer.from('x')])!);
  socket.write(going);
  await comeUntilRefused(edge, node);
  assert.deepEqual(await staying.closes.count(1), ['reset']);
  assert.equal((await edge.ends.count(1))[0]?.reason, 'peer-closed');
});

test('who comes while a link is breaking is refused, and the process goes on', async (t) => {
  const edge = await startEdge(t, 'edge1.example.com');
  for (let round = 1; round <= 5; round++) {
    const socket = await startHostileService(t, edge.target);
    await edge.ready.count(round);
    const node = await nodeOf(edge);
    await new Promise<void>((resolve) => setImmediate(resolve));
    new Heard(node.open(OUTSIDE, [Buffer.from('x')])!);
    socket.write(garbage);
    await comeUntilRefused(edge, node);
    edge.links.configure({
      ...edge.settings,
      hello: { ...edge.settings.hello, state: round % 2 === 0 ? 'ready' : 'draining' },
    });
    await edge.ends.count(round);
  }
});

test('a file that is let go in the middle is closed at the service at once, and there is room as before', async (t) => {
  const edge = await startEdge(t, 'edge1.example.com');
  const body = Buffer.alloc(1 << 20);
  const closed = new Seen<boolean>();
  const service = await startService(t, [edge.target], {
    content: () => {
      const read = Readable.from([body]);
      read.once('close', () => closed.add(true));
      return ok({ type: 'image/png', bytes: body.length, name: 'a.png', body: read });
    },
  });
  const node = await nodeOf(edge);
  for (let got = 1; got <= 300; got++) {
    const answer = await node.fetch({ token: 'a-token', hash: HASH });
    assert.ok(answer.ok);
    answer.value.body.destroy();
    await closed.count(got);
  }
  const outside = new Heard(node.open(OUTSIDE, [Buffer.from('x')])!);
  await service.participants.count(1);
  assert.deepEqual([...outside.closes.all, ...service.ends.all], []);
});
