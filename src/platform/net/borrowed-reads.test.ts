import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { until } from '#kernel';
import { borrowReads } from './borrowed-reads.ts';
import { Bench } from './testing/test-bench.ts';

test('chunks of a connection that lends them lie in the same memory, and hold what was said', async (t) => {
  const bench = await Bench.start(t);
  const dialled = await bench.dial();
  assert.ok(dialled.ok);
  const { connection, closed } = await bench.next();
  const memory = new Set<ArrayBufferLike>();
  let heard = '';
  connection.onData = (chunk) => {
    memory.add(chunk.buffer);
    heard += chunk.toString('latin1');
  };
  dialled.value.write(Buffer.from('kept '));
  await until(() => heard === 'kept ');
  memory.clear();
  connection.borrowChunks?.();
  for (const text of ['lent ', 'and ', 'lent ', 'again']) {
    dialled.value.write(Buffer.from(text));
    await until(() => heard.endsWith(text));
  }
  assert.equal(heard, 'kept lent and lent again');
  assert.equal(memory.size, 1);
  assert.equal(connection.bytesReceived, heard.length);
  dialled.value.end();
  assert.equal(await closed, 'peer-closed');
});

test('lent chunks stop at a pause, but for what TLS has decrypted, and go on', async (t) => {
  const bench = await Bench.start(t, {
    limits: { connections: 10, handshakes: 10, perSource: 10, outboundBytes: 1 << 24 },
  });
  const dialled = await bench.dial();
  assert.ok(dialled.ok);
  const { connection } = await bench.next();
  let bytes = 0;
  connection.onData = (chunk) => {
    bytes += chunk.length;
    connection.pause();
  };
  connection.borrowChunks?.();
  const most = 8 << 20;
  let left = most;
  const send = () => {
    while (left > 0 && dialled.value.write(Buffer.alloc(65_536))) left -= 65_536;
  };
  dialled.value.onDrain = () => {
    left -= 65_536;
    send();
  };
  send();
  await until(() => bytes > 0);
  // Nothing more is taken from the system, so the other end has to wait.
  await until(() => dialled.value.queued > 0);
  assert.ok(bytes <= 131_072, `${bytes} came`);
  const paused = bytes;
  connection.onData = (chunk) => {
    bytes += chunk.length;
  };
  connection.resume();
  await until(() => bytes > paused);
});

test('a connection of which something was read and waits goes on as before, in order', async (t) => {
  const bench = await Bench.start(t);
  const dialled = await bench.dial();
  assert.ok(dialled.ok);
  const server = await bench.next();
  server.connection.pause();
  dialled.value.write(Buffer.from('early '));
  dialled.value.write(Buffer.from('and '));
  // It is read in spite of the pause, and kept.
  const answered = new Promise<void>((resolve) => {
    dialled.value.onData = () => resolve();
  });
  server.connection.write(Buffer.from('?'));
  await answered;
  server.connection.borrowChunks?.();
  dialled.value.write(Buffer.from('late'));
  await until(() => dialled.value.queued === 0);
  server.connection.resume();
  await until(() => server.data.length === 'early and late'.length);
  assert.equal(server.data, 'early and late');
});

test('a connection that lends its chunks tells a reset, and nothing after destroy', async (t) => {
  const bench = await Bench.start(t);
  for (const way of ['theirs', 'ours'] as const) {
    const dialled = await bench.dial();
    assert.ok(dialled.ok);
    const { connection, closed } = await bench.next();
    let told = 0;
    connection.onData = () => {
      told += 1;
      if (way === 'ours') connection.destroy('policy');
    };
    connection.borrowChunks?.();
    for (let count = 0; count < 4; count++) dialled.value.write(Buffer.alloc(16_384));
    await until(() => told > 0);
    if (way === 'theirs') dialled.value.destroy('local');
    assert.ok(['peer-closed', 'reset', 'policy'].includes(await closed));
    if (way === 'ours') assert.equal(told, 1);
  }
});

test('a write says when its bytes may change, and one that fails does not', async (t) => {
  const bench = await Bench.start(t);
  const dialled = await bench.dial();
  assert.ok(dialled.ok);
  const server = await bench.next();
  let sent = 0;
  const count = () => {
    sent += 1;
  };
  const bytes = Buffer.from('first');
  dialled.value.write(bytes, count);
  await until(() => sent === 1);
  bytes.fill(0);
  await until(() => server.data === 'first');
  server.connection.pause();
  while (dialled.value.write(Buffer.alloc(65_536))) await new Promise((resolve) => setImmediate(resolve));
  dialled.value.write(bytes, count);
  server.connection.destroy('policy');
  await new Promise((resolve) => {
    dialled.value.onClose = resolve;
  });
  assert.equal(dialled.value.write(bytes, count), false);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(sent, 1);
});

test('a stream that is none of the system goes on as before', () => {
  assert.equal(
    borrowReads(new PassThrough(), () => {}),
    false,
  );
});
