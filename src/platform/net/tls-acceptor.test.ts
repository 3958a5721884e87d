import assert from 'node:assert/strict';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { ManualClock, until } from '#kernel';
import { Bench, credentialsOf, receive, TEST_ADDRESS } from './testing/test-bench.ts';

test('bytes go both ways and both ends close in order', async (t) => {
  const bench = await Bench.start(t);
  const dialled = await bench.dial();
  assert.ok(dialled.ok);
  const client = receive(dialled.value);
  const server = await bench.next();
  assert.equal(server.connection.tls?.protocol, 'TLSv1.3');
  assert.equal(server.connection.tls?.servername, 'server.test');
  assert.equal(server.connection.tls?.peer, undefined);
  assert.deepEqual(server.connection.remote, dialled.value.local);
  assert.equal(dialled.value.local.address, TEST_ADDRESS);
  assert.deepEqual(dialled.value.tls?.peer?.names.dns, ['server.test']);
  dialled.value.write(Buffer.from('hello'));
  await until(() => server.data === 'hello');
  server.connection.write(Buffer.from('welcome'));
  server.connection.end();
  assert.equal(await client.closed, 'peer-closed');
  assert.equal(client.data, 'welcome');
  assert.equal(await server.closed, 'local');
  assert.equal(server.connection.bytesReceived, 5);
  assert.equal(server.connection.bytesSent, 7);
  assert.equal(server.connection.write(Buffer.from('late')), false);
});

test('nothing is lost when onData is assigned late, nor onClose', async (t) => {
  const bench = await Bench.start(t);
  const dialled = await bench.dial();
  assert.ok(dialled.ok);
  const server = await bench.next();
  server.connection.write(Buffer.from('early'));
  server.connection.end();
  await new Promise((resolve) => setImmediate(resolve));
  const client = receive(dialled.value);
  assert.equal(await client.closed, 'peer-closed');
  assert.equal(client.data, 'early');
  const late = await new Promise((resolve) => {
    const other = dialled.value;
    other.onClose = resolve;
    queueMicrotask(() => resolve('only the first onClose is called'));
  });
  assert.equal(late, 'only the first onClose is called');
});

test('pause holds bytes back and resume delivers them', async (t) => {
  const bench = await Bench.start(t);
  const dialled = await bench.dial();
  assert.ok(dialled.ok);
  const client = receive(dialled.value);
  const server = await bench.next();
  dialled.value.pause();
  server.connection.write(Buffer.from('one'));
  server.connection.onData = (chunk) => server.connection.write(chunk);
  await until(() => server.connection.queued === 0);
  assert.equal(client.data, '');
  dialled.value.resume();
  await until(() => client.data === 'one');
});

test('a slow reader is destroyed at the outbound limit, and onClose never comes from inside write', async (t) => {
  const bench = await Bench.start(t, {
    limits: { connections: 10, handshakes: 10, perSource: 10, outboundBytes: 100_000 },
  });
  const dialled = await bench.dial();
  assert.ok(dialled.ok);
  const client = receive(dialled.value);
  dialled.value.pause();
  const { connection, closed } = await bench.next();
  let inside = false;
  let told = 0;
  const forward = connection.onClose;
  connection.onClose = (reason) => {
    assert.equal(inside, false);
    told += 1;
    forward(reason);
  };
  const block = Buffer.alloc(10_000);
  let wanted = true;
  for (let i = 0; i < 10_000 && !connection.closed; i++) {
    inside = true;
    wanted = connection.write(block);
    inside = false;
    assert.ok(connection.queued <= 110_000);
    if (!wanted) await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(await closed, 'slow-reader');
  assert.equal(told, 1);
  assert.equal(connection.write(block), false);
  dialled.value.resume();
  assert.equal(await client.closed, 'reset');
  assert.equal(bench.log.lines.filter((line) => line.reason === 'slow-reader').length, 1);
});

test('write tells when to wait, and onDrain when to go on', async (t) => {
  const bench = await Bench.start(t);
  const dialled = await bench.dial();
  assert.ok(dialled.ok);
  const client = receive(dialled.value);
  const { connection } = await bench.next();
  let drained = 0;
  connection.onDrain = () => {
    drained += 1;
  };
  assert.equal(connection.write(Buffer.alloc(500_000)), false);
  await until(() => drained === 1);
  await until(() => client.data.length === 500_000);
  assert.equal(connection.queued, 0);
});

test('an idle connection is closed by the one sweep, a busy or paused one is not', async (t) => {
  const clock = new ManualClock();
  const bench = await Bench.start(t, { clock, idleMs: 30_000 });
  const dialled = await bench.dial();
  assert.ok(dialled.ok);
  receive(dialled.value);
  const server = await bench.next();
  clock.advance(29_000);
  dialled.value.write(Buffer.from('x'));
  await until(() => server.data === 'x');
  clock.advance(29_000);
  assert.equal(server.connection.closed, false);
  server.connection.pause();
  clock.advance(29_000);
  assert.equal(server.connection.closed, false);
  server.connection.resume();
  clock.advance(2_000);
  assert.equal(await server.closed, 'idle');
});

test('end() towards a peer that takes nothing is bounded', async (t) => {
  const clock = new ManualClock();
  const bench = await Bench.start(t, {
    clock,
    limits: { connections: 10, handshakes: 10, perSource: 10, outboundBytes: 64 << 20 },
  });
  const dialled = await bench.dial();
  assert.ok(dialled.ok);
  receive(dialled.value);
  dialled.value.pause();
  const server = await bench.next();
  for (let i = 0; i < 32; i++) server.connection.write(Buffer.alloc(1 << 20));
  server.connection.end();
  clock.advance(60_000);
  assert.equal(await server.closed, 'timeout');
});

test('limits: connections, handshakes, per source', async (t) => {
  const limits = { connections: 3, handshakes: 2, perSource: 10, outboundBytes: 1 << 20 };
  const bench = await Bench.start(t, { limits });
  const silent = [bench.raw(), bench.raw()];
  await until(() => bench.acceptor.handshaking === 2);
  assert.equal((await bench.dial()).ok, false);
  assert.equal(bench.refused('too-many-handshakes'), 1);
  for (const socket of silent) socket.destroy();
  await until(() => bench.acceptor.open === 0);
  assert.equal(bench.refused('gone'), 2);
  for (let i = 0; i < 3; i++) assert.ok((await bench.dial()).ok);
  await until(() => bench.accepted === 3);
  assert.equal((await bench.dial()).ok, false);
  assert.equal(bench.refused('too-many-connections'), 1);

  const narrow = await Bench.start(t, { limits: { ...limits, perSource: 1 } });
  const first = await narrow.dial();
  assert.ok(first.ok);
  assert.equal((await narrow.dial()).ok, false);
  assert.equal(narrow.refused('too-many-from-source'), 1);
  assert.ok((await narrow.dial({ localAddress: '127.0.9.8' })).ok);
  first.value.destroy('local');
  await until(() => narrow.acceptor.open === 1);
  assert.ok((await narrow.dial()).ok);
});

test('what a source opens at the same moment in several processes is counted together when handshakes end', async (t) => {
  let [elsewhere, told] = [0, 0];
  const bench = await Bench.start(t, {
    limits: { connections: 10, handshakes: 10, perSource: 3, outboundBytes: 1 << 20 },
    elsewhere: {
      countOf: () => elsewhere,
      tell: (_source, count) => {
        told = count;
        // The other process accepted two meanwhile.
        if (count === 2 && elsewhere === 0) elsewhere = 2;
      },
    },
  });
  const first = await bench.dial();
  assert.ok(first.ok);
  await until(() => bench.accepted === 1);
  // In TLS 1.3 the client's handshake is over before the server's.
  await bench.dial();
  await until(() => bench.refused('too-many-from-source') === 1 && bench.acceptor.open === 1);
  assert.equal(bench.accepted, 1, 'it would be four of three');
  assert.equal(told, 1, 'its place is free for the other process');
  elsewhere = 1;
  assert.ok((await bench.dial()).ok);
  await until(() => bench.accepted === 2);
});

test('a source that holds every handshake and says nothing keeps nobody else out', async (t) => {
  const limits = { connections: 50, handshakes: 8, perSource: 20, outboundBytes: 1 << 20 };
  const bench = await Bench.start(t, { limits });
  const silent = Array.from({ length: 8 }, () => bench.raw());
  await until(() => bench.acceptor.handshaking === 8);
  const other = await bench.dial({ localAddress: '127.0.9.8' });
  assert.ok(other.ok, 'another source gets a place');
  assert.equal(bench.refused('made-room'), 1);
  await until(() => bench.acceptor.handshaking === 7);
  bench.raw();
  await until(() => bench.acceptor.handshaking === 8);
  assert.equal((await bench.dial()).ok, false, 'the same source gets no more than there is');
  assert.equal(bench.refused('too-many-handshakes'), 1);
  for (const socket of silent) socket.destroy();
});

test('new credentials serve new handshakes while open connections live on', async (t) => {
  const bench = await Bench.start(t);
  const before = await bench.dial();
  assert.ok(before.ok);
  receive(before.value);
  const server = await bench.next();
  const renewed = await credentialsOf(bench.authority, { name: 'server', hosts: ['server.test'] });
  bench.acceptor.update({ credentials: renewed, trust: bench.anchors });
  const after = await bench.dial();
  assert.ok(after.ok);
  assert.equal(before.value.tls?.peer?.fingerprint, bench.credentials.fingerprint);
  assert.equal(after.value.tls?.peer?.fingerprint, renewed.fingerprint);
  before.value.write(Buffer.from('still here'));
  await until(() => server.data === 'still here');
});

test('limits change for newcomers, and the outbound limit for everyone', async (t) => {
  const bench = await Bench.start(t);
  const dialled = await bench.dial();
  assert.ok(dialled.ok);
  receive(dialled.value);
  dialled.value.pause();
  const server = await bench.next();
  const limits = { connections: 1, handshakes: 1, perSource: 1, outboundBytes: 1000 };
  bench.acceptor.update({ credentials: bench.credentials, limits });
  assert.equal((await bench.dial()).ok, false);
  assert.equal(bench.refused('too-many-connections'), 1);
  assert.equal(server.connection.closed, false);
  for (let i = 0; i < 10_000 && !server.connection.closed; i++) server.connection.write(Buffer.alloc(900));
  assert.equal(await server.closed, 'slow-reader');
  bench.acceptor.update({ credentials: bench.credentials, limits: { ...limits, outboundBytes: 1 << 20 } });
  assert.ok((await bench.dial()).ok);
});

test('SNI selects credentials; an unknown or absent name gets the default', async (t) => {
  const bench = await Bench.start(t);
  const other = await credentialsOf(bench.authority, { name: 'other', hosts: ['other.test'] });
  bench.acceptor.update({
    credentials: bench.credentials,
    named: [{ name: 'Other.Test', credentials: other }],
    trust: bench.anchors,
  });
  const shown = async (servername: string, expected: string) => {
    const dialled = await bench.dial({ servername, expectNames: [expected] });
    assert.ok(dialled.ok, JSON.stringify(dialled));
    return dialled.value.tls?.peer?.fingerprint;
  };
  assert.equal(await shown('other.test', 'other.test'), other.fingerprint);
  assert.equal(await shown('OTHER.test', 'other.test'), other.fingerprint);
  assert.equal(await shown('server.test', 'server.test'), bench.credentials.fingerprint);
  assert.equal(await shown('unknown.test', 'server.test'), bench.credentials.fingerprint);
  assert.equal(await shown(TEST_ADDRESS, TEST_ADDRESS), bench.credentials.fingerprint);
});

test('ALPN: ours is chosen, foreign only is refused, none is fine', async (t) => {
  const bench = await Bench.start(t, { alpn: ['sip/2'] });
  const both = await bench.dial({ alpn: ['h2', 'sip/2'] });
  assert.ok(both.ok);
  assert.equal(both.value.tls?.alpn, 'sip/2');
  assert.equal((await bench.next()).connection.tls?.alpn, 'sip/2');
  const foreign = await bench.dial({ alpn: ['h2', 'http/1.1'] });
  assert.equal(foreign.ok ? 'ok' : foreign.error.code, 'SLP-NET-0012');
  await until(() => bench.refused('alpn') === 1);
  const none = await bench.dial();
  assert.ok(none.ok);
  assert.equal(none.value.tls?.alpn, undefined);

  const without = await Bench.start(t);
  assert.equal((await without.dial({ alpn: ['h2'] })).ok, false);
  await until(() => without.refused('alpn') === 1);
});

test('draining refuses newcomers and keeps who is there; close ends everyone', async (t) => {
  const bench = await Bench.start(t);
  const dialled = await bench.dial();
  assert.ok(dialled.ok);
  const client = receive(dialled.value);
  const server = await bench.next();
  bench.acceptor.drain();
  assert.equal((await bench.dial()).ok, false);
  assert.equal(bench.refused('draining'), 1);
  dialled.value.write(Buffer.from('x'));
  await until(() => server.data === 'x');
  bench.acceptor.undrain();
  assert.ok((await bench.dial()).ok);
  await bench.acceptor.close();
  assert.equal(await server.closed, 'shutdown');
  assert.notEqual(await client.closed, 'local');
  assert.equal(bench.acceptor.open, 0);
});

test('close in the middle of handshakes ends them', async (t) => {
  const bench = await Bench.start(t);
  bench.raw();
  bench.raw().write(Buffer.of(0x16));
  await until(() => bench.acceptor.handshaking === 2);
  await bench.acceptor.close();
  assert.equal(bench.acceptor.open, 0);
  assert.equal(bench.refused('draining'), 2);
});

/** Whether a second connection, `elsewhere` if need be, with the session of a first one resumes it. */
async function resumes(bench: Bench, maxVersion: 'TLSv1.2' | 'TLSv1.3', elsewhere = bench): Promise<boolean> {
  const how = { host: TEST_ADDRESS, port: bench.port, maxVersion, rejectUnauthorized: false };
  const first = connectTls(how);
  let session: Buffer | undefined;
  first.on('session', (ticket) => {
    session = ticket;
  });
  const server = await bench.next();
  server.connection.write(Buffer.from('x'));
  await new Promise((resolve) => first.once('data', resolve));
  session ??= first.getSession();
  first.destroy();
  const second = connectTls({ ...how, port: elsewhere.port, ...(session === undefined ? {} : { session }) });
  await new Promise((resolve) => second.once('secureConnect', resolve));
  const reused = second.isSessionReused();
  await elsewhere.next();
  second.destroy();
  return reused;
}

test('a session does not resume where client certificates are asked for, and does elsewhere', async (t) => {
  const asking = await Bench.start(t, { clientCertificate: 'optional' });
  assert.equal(await resumes(asking, 'TLSv1.2'), false);
  assert.equal(await resumes(asking, 'TLSv1.3'), false);
  const open = await Bench.start(t);
  assert.equal(await resumes(open, 'TLSv1.3'), true);
});

test('a session resumes at every listener with the same ticket key, and nowhere once that is another one', async (t) => {
  const ticketKey = Buffer.alloc(48, 7);
  const one = await Bench.start(t, { ticketKey });
  const other = await Bench.start(t, { ticketKey });
  const asking = await Bench.start(t, { ticketKey, clientCertificate: 'optional' });
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    assert.equal(await resumes(one, version, other), true);
    assert.equal(await resumes(asking, version), false);
    assert.equal(await resumes(one, version, asking), false);
  }
  other.acceptor.update({ credentials: other.credentials, ticketKey: Buffer.alloc(48, 8) });
  assert.equal(await resumes(one, 'TLSv1.3', other), false);
});

test('a key agreement that resists quantum computers is preferred, and whoever has none gets the usual one', async (t) => {
  const bench = await Bench.start(t);
  const groups = ['X25519:X25519MLKEM768', 'X25519'].map(async (ecdhCurve) => {
    const how = { host: TEST_ADDRESS, port: bench.port, ecdhCurve, rejectUnauthorized: false };
    const client = connectTls(how);
    await new Promise((resolve) => client.once('secureConnect', resolve));
    const info = client.getEphemeralKeyInfo();
    client.destroy();
    return info !== null && 'name' in info ? info.name : undefined;
  });
  assert.deepEqual(await Promise.all(groups), ['X25519MLKEM768', 'X25519']);
});

test('sockets of any server will do, also paused at accept and half-open ones', async (t) => {
  const bench = await Bench.start(t);
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, bench.acceptor.handle);
  t.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, TEST_ADDRESS, resolve));
  const { port } = server.address() as AddressInfo;
  const dialled = await bench.dial({ remote: { address: TEST_ADDRESS, port } });
  assert.ok(dialled.ok);
  const client = receive(dialled.value);
  const accepted = await bench.next();
  accepted.connection.write(Buffer.from('x'));
  await until(() => client.data === 'x');
  dialled.value.end();
  assert.equal(await accepted.closed, 'peer-closed');
  assert.equal(await client.closed, 'local');
});

test('everything is counted under closed labels', async (t) => {
  const bench = await Bench.start(t);
  const dialled = await bench.dial();
  assert.ok(dialled.ok);
  const client = receive(dialled.value);
  const server = await bench.next();
  dialled.value.write(Buffer.alloc(300));
  await until(() => server.data.length === 300);
  server.connection.destroy('protocol');
  await client.closed;
  await server.closed;
  const text = await bench.metrics.text();
  for (const line of [
    'sallyport_connections_opened_total{direction="accepted"} 1',
    'sallyport_connections_opened_total{direction="dialled"} 1',
    'sallyport_connections_closed_total{reason="protocol"} 1',
    'sallyport_connection_received_bytes_total 300',
    'sallyport_connection_sent_bytes_total 300',
    'sallyport_connections_refused_total{reason="not-tls"} 0',
  ])
    assert.ok(text.includes(`${line}\n`), line);
});

test('client certificates without anchors are a mistake of ours', async (t) => {
  const bench = await Bench.start(t, { clientCertificate: 'required' });
  assert.throws(() => bench.acceptor.update({ credentials: bench.credentials }), TypeError);
});
