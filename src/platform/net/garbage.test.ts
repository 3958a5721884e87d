import assert from 'node:assert/strict';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { ManualClock, SeededRandom, until } from '#kernel';
import { Bench, TEST_ADDRESS } from './testing/test-bench.ts';

/** Closed by the server, whether in order or by reset. */
const closed = (socket: Socket) => until(() => socket.closed || socket.readableEnded);

test('random bytes are closed and counted, with one log line for each connection', async (t) => {
  const bench = await Bench.start(t);
  const random = new SeededRandom(1);
  const count = 40;
  for (let i = 0; i < count; i++) {
    const socket = bench.raw();
    socket.write(random.bytes(1 + random.integer(3000)));
    // Without an end the rare 0x16 at the front would rightly be waited for.
    socket.end();
    await closed(socket);
  }
  await until(() => bench.acceptor.open === 0);
  const refused = bench.refused('not-tls') + bench.refused('handshake-failed') + bench.refused('gone');
  assert.equal(refused, count);
  assert.ok(bench.refused('not-tls') >= count - 5);
  assert.ok(bench.log.lines.length <= count);
  assert.equal(bench.accepted, 0);
});

test('an HTTP request is closed at its first byte', async (t) => {
  const bench = await Bench.start(t);
  const socket = bench.raw();
  socket.write('GET / HTTP/1.1\r\nHost: server.test\r\n\r\n');
  await closed(socket);
  assert.equal(bench.refused('not-tls'), 1);
  assert.deepEqual(
    bench.log.lines.map((line) => [line.event, line.reason]),
    [['connection refused', 'not-tls']],
  );
});

test('a header of 1 MB is not read', async (t) => {
  const bench = await Bench.start(t);
  for (const first of ['X-Long: ', '\x16\x03\x01']) {
    const socket = bench.raw();
    socket.write(first, 'latin1');
    socket.write(Buffer.alloc(1 << 20, 'a'));
    await closed(socket);
  }
  await until(() => bench.acceptor.open === 0);
  assert.equal(bench.refused('not-tls'), 1);
  assert.equal(bench.refused('handshake-failed') + bench.refused('gone'), 1);
});

test('silence, one byte and silence, and half a hello end at the deadline', async (t) => {
  const clock = new ManualClock();
  const bench = await Bench.start(t, { clock, handshakeMs: 10_000 });
  const sockets = ['', '\x16', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'].map((first) => {
    const socket = bench.raw();
    if (first !== '') socket.write(first, 'latin1');
    return socket;
  });
  await until(() => bench.acceptor.handshaking === 3);
  await until(() => sockets.every((socket) => socket.writableLength === 0));
  // Their bytes have arrived when a connection that came later has been answered.
  assert.equal((await bench.dial()).ok, true);
  await bench.next();
  clock.advance(9_999);
  assert.equal(bench.acceptor.handshaking, 3);
  clock.advance(1);
  for (const socket of sockets) await closed(socket);
  assert.equal(bench.refused('silent'), 1);
  assert.equal(bench.refused('handshake-timeout'), 2);
});

test('a shorter time for handshakes holds for those under way too', async (t) => {
  const clock = new ManualClock();
  const bench = await Bench.start(t, { clock, handshakeMs: 120_000 });
  const early = bench.raw();
  await until(() => bench.acceptor.handshaking === 1);
  clock.advance(900);
  bench.acceptor.update({ credentials: bench.credentials, handshakeMs: 1_000 });
  const late = bench.raw();
  await until(() => bench.acceptor.handshaking === 2);
  clock.advance(100);
  await closed(early);
  assert.equal(bench.acceptor.handshaking, 1);
  clock.advance(900);
  await closed(late);
  assert.equal(bench.refused('silent'), 2);
});

/** A relay in front of the bench that may change what the client sends. */
async function startRelay(
  t: TestContext,
  bench: Bench,
  forward: (server: Socket, chunk: Buffer) => Promise<void>,
) {
  const relay = createServer((client) => {
    const server = connect({ port: bench.port, host: TEST_ADDRESS, noDelay: true });
    server.on('error', () => client.destroy());
    client.on('error', () => server.destroy());
    server.pipe(client);
    client.on('data', (chunk) => {
      client.pause();
      void forward(server, chunk).then(() => client.resume());
    });
    client.on('close', () => server.destroy());
  });
  t.after(() => relay.close());
  await new Promise<void>((resolve) => relay.listen(0, TEST_ADDRESS, resolve));
  const { port } = relay.address() as AddressInfo;
  return { address: TEST_ADDRESS, port };
}

const send = (socket: Socket, bytes: Buffer) =>
  new Promise<void>((resolve) => socket.write(bytes, () => resolve()));

test('a hello in single bytes is a hello', async (t) => {
  const bench = await Bench.start(t);
  const relay = await startRelay(t, bench, async (server, chunk) => {
    for (const byte of chunk) await send(server, Buffer.of(byte));
  });
  const dialled = await bench.dial({ remote: relay });
  assert.ok(dialled.ok, JSON.stringify(dialled));
  dialled.value.write(Buffer.from('made it'));
  const server = await bench.next();
  await until(() => server.data === 'made it');
  dialled.value.destroy('local');
});

test('plain bytes after the handshake are a TLS error, logged once', async (t) => {
  const bench = await Bench.start(t);
  let established = false;
  const relay = await startRelay(t, bench, (server, chunk) =>
    send(server, established ? Buffer.from('INVITE sip:bob@example.com SIP/2.0\r\n\r\n') : chunk),
  );
  const dialled = await bench.dial({ remote: relay });
  assert.ok(dialled.ok, JSON.stringify(dialled));
  const server = await bench.next();
  established = true;
  dialled.value.write(Buffer.from('anything'));
  assert.equal(await server.closed, 'tls-error');
  assert.equal(bench.log.lines.filter((line) => line.reason === 'tls-error').length, 1);
});

test('a peer that resets in the middle of anything causes no error of ours', async (t) => {
  const bench = await Bench.start(t);
  for (const first of ['', '\x16', '\x16\x03\x01\x02\x00\x01']) {
    const socket = bench.raw();
    await new Promise((resolve) => socket.once('connect', resolve));
    if (first !== '') await new Promise((resolve) => socket.write(first, 'latin1', resolve));
    socket.resetAndDestroy();
  }
  await until(() => bench.refused('gone') === 3);
  assert.equal(bench.acceptor.open, 0);
});
