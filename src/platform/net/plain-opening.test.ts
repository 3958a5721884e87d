import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { Bench, TEST_ADDRESS } from './testing/test-bench.ts';

test('a plain connection that is paused with its first octets keeps what follows, and its end, until it is resumed', async (t) => {
  const chunks: string[] = [];
  const paused = Promise.withResolvers<() => void>();
  const closed = Promise.withResolvers<string>();
  const bench = await Bench.start(t, {
    clientCertificate: 'none',
    firstBytes: () => ({ plain: 'test' }),
    alsoAccept: (connection) => {
      connection.onData = (chunk) => {
        chunks.push(chunk.toString());
        connection.pause();
        paused.resolve(() => connection.resume());
      };
      connection.onClose = closed.resolve;
    },
  });
  const socket = connect({ host: TEST_ADDRESS, port: bench.port });
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write('first');
  const resume = await paused.promise;
  socket.end('second');
  await once(socket, 'finish');
  // By then whatever is wrongly read has been read: as much has gone forth and back on the same loop.
  for (let turn = 0; turn < 500; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(chunks, ['first']);
  resume();
  assert.equal(await closed.promise, 'peer-closed');
  assert.deepEqual(chunks, ['first', 'second']);
});
