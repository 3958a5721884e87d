import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { SeededRandom, SystemClock } from '#kernel';
import { Trace } from '#platform/telemetry';
import { FixedResolver, srv } from '../dns/testing/fixed-resolver.ts';
import { Bench, credentialsOf, TEST_ADDRESS } from '../net/testing/test-bench.ts';
import { addressGuard, type ReachTlsOptions, reach, reachTls } from './index.ts';

const SERVICE = '_sipfederationtls._tcp';
const way = { domain: 'test', services: [SERVICE], sameDomain: true };

function options(
  bench: Bench,
  resolver: FixedResolver,
  more: Partial<ReachTlsOptions> = {},
): ReachTlsOptions {
  const clock = new SystemClock();
  return {
    way,
    resolver,
    localAddresses: [TEST_ADDRESS, '::1'],
    mayDial: () => true,
    targetMs: 20_000,
    race: { staggerMs: 20, resolutionMs: 10, attempts: 4 },
    clock,
    random: new SeededRandom(5),
    tls: ({ host }) => ({
      servername: host,
      expectNames: [host],
      trust: bench.anchors,
      handshakeMs: 10_000,
      metrics: bench.metrics,
    }),
    ...more,
  };
}

/** Takes connections and says nothing. */
async function silentServer(t: TestContext, address: string): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket.on('error', () => {}))).listen(0, address);
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

test('the server that the SRV record names is reached, and the trace tells every step', async (t) => {
  const bench = await Bench.start(t);
  const resolver = new FixedResolver({
    services: { [`${SERVICE}.test`]: [srv('server.test', { port: bench.port })] },
    addresses: { 'A server.test': [TEST_ADDRESS] },
  });
  const trace = new Trace(new SystemClock());
  const reached = await reachTls(options(bench, resolver, { trace }));
  assert.ok(reached.ok);
  assert.equal(reached.value.target.host, 'server.test');
  assert.equal(reached.value.value.local.address, TEST_ADDRESS);
  reached.value.value.destroy('local');
  const told = trace.steps.map(({ topic, ok }) => `${topic}${ok ? '' : ' failed'}`);
  assert.deepEqual(told, ['dns', 'locate', 'dns failed', 'dns', 'certificate', 'names', 'connect']);
  assert.match(trace.steps[5]!.text, /^server\.test sought in server\.test, .*: recognised$/);
});

test('an address that accepts and says nothing is overtaken by the next one, and let go', async (t) => {
  const bench = await Bench.start(t);
  const silent = '127.0.9.8';
  const held = createServer();
  held.listen(bench.port, silent);
  await once(held, 'listening');
  const gone = new Promise((resolve) =>
    held.on('connection', (socket) => socket.resume().on('close', resolve)),
  );
  t.after(() => held.close());
  const resolver = new FixedResolver({ addresses: { 'A server.test': [silent, TEST_ADDRESS] } });
  const reached = await reachTls(
    options(bench, resolver, {
      way: { targets: [{ host: 'server.test', port: bench.port, service: undefined }] },
    }),
  );
  assert.ok(reached.ok);
  assert.equal(reached.value.value.remote.address, TEST_ADDRESS);
  reached.value.value.destroy('local');
  await gone;
});

test('[S9] a server with another certificate is passed over for the next target', async (t) => {
  const bench = await Bench.start(t);
  const other = await Bench.start(t, {
    credentials: await credentialsOf(bench.authority, { name: 'other', hosts: ['other.test'] }),
  });
  const resolver = new FixedResolver({
    services: {
      [`${SERVICE}.test`]: [
        srv('first.test', { priority: 1, port: other.port }),
        srv('server.test', { priority: 2, port: bench.port }),
      ],
    },
    addresses: { 'A first.test': [TEST_ADDRESS], 'A server.test': [TEST_ADDRESS] },
  });
  const reached = await reachTls(options(bench, resolver));
  assert.equal(reached.ok && reached.value.target.host, 'server.test');
  if (reached.ok) reached.value.value.destroy('local');
});

test('[S12] addresses that may not be dialled are not, whatever the DNS says', async (t) => {
  const bench = await Bench.start(t);
  const guard = addressGuard({
    ownAddresses: ['198.51.100.7'],
    internalNetworks: ['100.64.0.0/10'],
    allowedNetworks: ['127.0.9.7/32'],
  });
  assert.ok(guard.ok);
  for (const inside of [
    '127.0.9.8',
    '10.0.0.1',
    '100.64.3.3',
    '198.51.100.7',
    '169.254.169.254',
    '::ffff:10.0.0.1',
  ])
    assert.equal(guard.value(inside), false, inside);
  assert.equal(guard.value('127.0.9.7'), true);
  assert.equal(guard.value('8.8.8.8'), true);
  const port = await silentServer(t, '127.0.9.8');
  const resolver = new FixedResolver({ addresses: { 'A server.test': ['127.0.9.8'] } });
  const refused = await reachTls(
    options(bench, resolver, {
      way: { targets: [{ host: 'server.test', port, service: undefined }] },
      mayDial: guard.value,
    }),
  );
  assert.equal(!refused.ok && refused.error.code, 'SLP-NET-0031');
});

test('[S7] a partner that accepts TCP and says nothing costs the time of one target, not more', async (t) => {
  const bench = await Bench.start(t);
  const port = await silentServer(t, TEST_ADDRESS);
  const resolver = new FixedResolver({
    addresses: { 'A server.test': [TEST_ADDRESS], 'AAAA server.test': 'no-data' },
  });
  const trace = new Trace(new SystemClock());
  const reached = await reachTls(
    options(bench, resolver, {
      way: { targets: [{ host: 'server.test', port, service: undefined }] },
      targetMs: 100,
      trace,
    }),
  );
  assert.equal(!reached.ok && reached.error.code, 'SLP-NET-0011');
  // That it has no IPv6 address is no fault of it; that it took the connection and said nothing is.
  const faults = trace.steps.filter(({ ok }) => !ok);
  assert.deepEqual(
    faults.map(({ topic }) => topic),
    ['connect'],
  );
  assert.match(faults[0]?.text ?? '', /no TLS handshake until then$/);
});

test('nothing to dial: the reason is the gravest of what the DNS said', async (t) => {
  const bench = await Bench.start(t);
  const target = { targets: [{ host: 'server.test', port: 1, service: undefined }] };
  const cases = [
    [{ 'A server.test': 'no-data', 'AAAA server.test': 'servfail' }, 'SLP-DNS-0004'],
    [{ 'A server.test': 'nxdomain', 'AAAA server.test': 'nxdomain' }, 'SLP-DNS-0001'],
    [{ 'AAAA server.test': ['2001:db8::1'] }, 'SLP-NET-0030'],
  ] as const;
  for (const [addresses, code] of cases) {
    const given = { way: target, localAddresses: [TEST_ADDRESS] };
    const reached = await reachTls(options(bench, new FixedResolver({ addresses }), given));
    assert.equal(!reached.ok && reached.error.code, code);
  }
});

test('any other kind of attempt races the same way', async (t) => {
  const bench = await Bench.start(t);
  const { tls: _, ...rest } = options(
    bench,
    new FixedResolver({ addresses: { 'A x.test': ['192.0.2.1'], 'AAAA x.test': ['2001:db8::1'] } }),
  );
  const reached = await reach<string>({
    ...rest,
    way: { targets: [{ host: 'x.test', port: 5269, service: undefined }] },
    attempt: async ({ remote, localAddress }) => ({ ok: true, value: `${localAddress} ${remote.address}` }),
    discard: () => {},
  });
  assert.equal(reached.ok && reached.value.value, '::1 2001:db8::1');
});
