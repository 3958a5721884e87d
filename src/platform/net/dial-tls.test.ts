import assert from 'node:assert/strict';
import { type AddressInfo, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { ManualClock, until } from '#kernel';
import { LabAuthority } from '#platform/pki';
import { anchorsOf, Bench, credentialsOf, loaded, receive, TEST_ADDRESS } from './testing/test-bench.ts';

async function dialCode(bench: Bench, more: Parameters<Bench['dial']>[0] = {}): Promise<string> {
  const dialled = await bench.dial(more);
  if (dialled.ok) dialled.value.destroy('local');
  return dialled.ok ? 'connected' : dialled.error.code;
}

async function silentServer(t: TestContext) {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    t.after(() => socket.destroy());
  });
  t.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, TEST_ADDRESS, resolve));
  return { server, remote: { address: TEST_ADDRESS, port: (server.address() as AddressInfo).port } };
}

test('a port where nobody listens', async (t) => {
  const bench = await Bench.start(t);
  const { server, remote } = await silentServer(t);
  server.close();
  const dialled = await bench.dial({ remote });
  assert.equal(dialled.ok ? 'ok' : dialled.error.code, 'SLP-NET-0010');
  assert.match(dialled.ok ? '' : dialled.error.message, /server\.test at 127\.0\.9\.7:\d+: ECONNREFUSED/);
});

test('a local address that this machine does not have', async (t) => {
  const bench = await Bench.start(t);
  assert.equal(await dialCode(bench, { localAddress: '192.0.2.1' }), 'SLP-NET-0010');
});

test('a server that says nothing ends at the deadline', async (t) => {
  const bench = await Bench.start(t);
  const { server, remote } = await silentServer(t);
  const clock = new ManualClock({ wall: Date.now() });
  const accepted = new Promise((resolve) => server.once('connection', resolve));
  const dialling = bench.dial({ remote, clock, handshakeMs: 5000 });
  await accepted;
  await new Promise((resolve) => setImmediate(resolve));
  clock.advance(5000);
  const dialled = await dialling;
  assert.equal(dialled.ok ? 'ok' : dialled.error.code, 'SLP-NET-0011');
});

test('a server that is no TLS server', async (t) => {
  const bench = await Bench.start(t);
  const { server, remote } = await silentServer(t);
  server.on('connection', (socket) => socket.end('SIP/2.0 400 Bad Request\r\n\r\n'));
  assert.equal(await dialCode(bench, { remote }), 'SLP-NET-0012');
});

test('giving up', async (t) => {
  const bench = await Bench.start(t);
  const { server, remote } = await silentServer(t);
  const abort = new AbortController();
  server.once('connection', () => abort.abort());
  assert.equal(await dialCode(bench, { remote, signal: abort.signal }), 'SLP-NET-0015');
  assert.equal(await dialCode(bench, { signal: abort.signal }), 'SLP-NET-0015');
});

test('the name must be asserted by the certificate', async (t) => {
  const bench = await Bench.start(t);
  assert.equal(await dialCode(bench, { expectNames: ['other.test', 'server.test'] }), 'connected');
  assert.equal(await dialCode(bench, { expectNames: [TEST_ADDRESS] }), 'connected');
  assert.equal(await dialCode(bench, { expectNames: ['SERVER.test.'] }), 'connected');
  assert.equal(await dialCode(bench, { expectNames: [] }), 'SLP-NET-0014');
  const dialled = await bench.dial({ expectNames: ['other.test'] });
  assert.match(
    dialled.ok ? '' : dialled.error.message,
    /expected other\.test, found server\.test, 127\.0\.9\.7/,
  );
});

test('a wildcard matches only where the caller allows wildcards', async (t) => {
  const bench = await Bench.start(t);
  bench.acceptor.update({
    credentials: await credentialsOf(bench.authority, { name: 'w', hosts: ['*.pool.test'] }),
  });
  const expectNames = ['a.pool.test'];
  assert.equal(await dialCode(bench, { expectNames }), 'SLP-NET-0014');
  assert.equal(await dialCode(bench, { expectNames, names: { wildcards: true } }), 'connected');
});

test('the common name is never an identity', async (t) => {
  const bench = await Bench.start(t);
  bench.acceptor.update({
    credentials: await credentialsOf(bench.authority, { name: 'server.test', hosts: ['elsewhere.test'] }),
  });
  assert.equal(await dialCode(bench), 'SLP-NET-0014');
});

test('chains: unknown CA, self-signed, expired, with an intermediate', async (t) => {
  const bench = await Bench.start(t);
  const foreign = await LabAuthority.create({ name: 'Foreign root' });
  assert.equal(await dialCode(bench, { trust: anchorsOf(foreign) }), 'SLP-NET-0013');
  const request = { name: 'server', hosts: ['server.test'] };
  const middle = await bench.authority.intermediate({ name: 'Middle' });
  bench.acceptor.update({ credentials: await credentialsOf(middle, request) });
  assert.equal(await dialCode(bench), 'connected');
  bench.acceptor.update({ credentials: loaded(await LabAuthority.selfSigned(request), request) });
  assert.equal(await dialCode(bench), 'SLP-NET-0013');
  const past = { ...request, notBefore: new Date(Date.now() - 9e8), notAfter: new Date(Date.now() - 1e8) };
  bench.acceptor.update({ credentials: loaded(await bench.authority.issue(past), past) });
  assert.equal(await dialCode(bench), 'SLP-NET-0013');
});

test('an intermediate is seen although the trusted root would satisfy the TLS library', async (t) => {
  // The runtime reads the chain by itself when the library is satisfied, and leaves only the leaf to us.
  const bench = await Bench.start(t);
  const middle = await bench.authority.intermediate({ name: 'Middle' });
  bench.acceptor.update({ credentials: await credentialsOf(middle, { name: 's', hosts: ['server.test'] }) });
  const credentials = await credentialsOf(bench.authority, { name: 'client', hosts: ['client.test'] });
  for (const more of [{}, { credentials }]) assert.equal(await dialCode(bench, more), 'connected');
});

test('a lost connection is reported once, without an error event', async (t) => {
  const bench = await Bench.start(t);
  const dialled = await bench.dial();
  assert.ok(dialled.ok);
  const client = receive(dialled.value);
  const server = await bench.next();
  server.connection.destroy('policy');
  assert.equal(await server.closed, 'policy');
  assert.match(await client.closed, /peer-closed|reset/);
  assert.equal(dialled.value.write(Buffer.from('x')), false);
  dialled.value.end();
  dialled.value.destroy('local');
  await until(() => bench.acceptor.open === 0);
});
