import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { literalLookup } from '#kernel';
import { testDatagrams } from './datagrams.conformance.ts';
import { NodeDatagrams } from './node-datagrams.ts';
import { handleHolderOf, newHandle, newSendRequest } from './runtime-handle.ts';

testDatagrams('straight', (limits) => new NodeDatagrams(limits));
testDatagrams('node:dgram', (limits) => new NodeDatagrams(limits, false));

test('this runtime has the short way', async () => {
  const socket = createSocket({ type: 'udp4', lookup: literalLookup });
  const listening = once(socket, 'listening');
  socket.bind(0, '127.0.9.71');
  await listening;
  const holder = handleHolderOf(socket);
  assert.ok(holder?.handle);
  assert.ok(newSendRequest?.());
  assert.ok(newHandle, 'sockets can be made without node:dgram');
  socket.close();
  assert.equal(holder.handle ?? undefined, undefined, 'a closed socket lets its handle go');
});

test('a send queue at its bound drops and counts', async () => {
  const network = new NodeDatagrams({ queuedBytes: 4_096, receiveBuffer: 0 }, false);
  const socket = createSocket({ type: 'udp4', lookup: literalLookup });
  const listening = once(socket, 'listening');
  socket.bind(0, '127.0.9.71');
  await listening;
  const adopted = network.adopt(socket, () => {});
  // Loopback takes everything at once, so a backed-up queue is put in its place.
  let queued = 4_095;
  socket.getSendQueueSize = () => queued;
  const send = () => adopted.send(Buffer.alloc(100), 0, 100, '127.0.9.71', adopted.local.port);
  for (let n = 0; n < 200; n += 1) assert.equal(send(), undefined);
  queued = 4_096;
  assert.equal(send(), 'queue-full');
  assert.equal(network.counters.queueFull, 1);
  await network.close();
});

for (const direct of [true, false]) {
  test(`a datagram to a name is an error that is counted (direct ${direct})`, () => nameIsCounted(direct));
}

async function nameIsCounted(direct: boolean): Promise<void> {
  const network = new NodeDatagrams({ queuedBytes: 4_096, receiveBuffer: 0 }, direct);
  network.bind(
    { address: '127.0.9.71', port: 0 },
    () => {},
    (outcome) => {
      assert.ok(outcome.ok);
      outcome.socket.send(Buffer.alloc(1), 0, 1, 'localhost', 9);
    },
  );
  const errors = () => Object.values(network.counters.errors).reduce((sum, one) => sum + one);
  while (errors() === 0) await new Promise((resolve) => setImmediate(resolve));
  await network.close();
}
