import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { SystemClock, SystemRandom } from '#kernel';
import { Metrics } from '#platform/telemetry';
import { DnsResolver, type LookUpReason, resolverPlaces, type ServerPlace } from './index.ts';
import { startDnsmasq, startSilence } from './testing/dnsmasq.ts';
import { startNamed } from './testing/named.ts';

const LOCAL = '127.77.0.9';

function resolverOf(t: TestContext, ...servers: readonly (ServerPlace | string)[]): DnsResolver {
  const places = servers.map((server) => {
    if (typeof server !== 'string') return server;
    const [address = '', port] = server.split(':');
    return { address, port: Number(port) };
  });
  const resolver = new DnsResolver({
    servers: places,
    localAddresses: [LOCAL],
    limits: { tryMs: 1000, rounds: 1 },
    clock: new SystemClock(),
    random: new SystemRandom(),
    metrics: new Metrics(),
  });
  t.after(() => resolver.close());
  return resolver;
}

const ZONE = [
  'edge IN A 192.0.2.10',
  'edge IN AAAA 2001:db8::10',
  'once 0 IN A 192.0.2.11',
  '_sipfederationtls._tcp IN SRV 10 60 5061 edge',
  '_sipfederationtls._tcp IN SRV 10 40 5061 edge2.partner.example.',
  '_none._tcp IN SRV 0 0 0 .',
  'alias IN CNAME edge',
  'far IN CNAME alias',
  // A circle that BIND itself refuses to walk, and a chain that it walks and we do not.
  'left IN CNAME right',
  'right IN CNAME left',
  ...Array.from({ length: 10 }, (_, hop) => `hop${hop} IN CNAME hop${hop + 1}`),
  'hop10 IN A 192.0.2.12',
  ...Array.from({ length: 60 }, (_, n) => `_big._tcp IN SRV ${n} 0 5061 a-rather-long-name-of-edge-${n}`),
];

test('BIND: addresses, aliases, services, and the times that they may be kept', async (t) => {
  const resolver = resolverOf(t, await startNamed(t, 'partner.example', ZONE));
  const addresses = await resolver.addresses('edge.partner.example', 4);
  assert.ok(addresses.ok);
  assert.deepEqual(addresses.value.values, ['192.0.2.10']);
  assert.equal(addresses.value.ttl, 300);
  const six = await resolver.addresses('far.partner.example', 6);
  assert.deepEqual(six.ok && six.value.values, ['2001:db8::10']);
  const services = await resolver.services('_sipfederationtls._tcp.partner.example');
  assert.deepEqual(
    services.ok && [...services.value.values].sort((one, other) => other.weight - one.weight),
    [
      { priority: 10, weight: 60, port: 5061, target: 'edge.partner.example' },
      { priority: 10, weight: 40, port: 5061, target: 'edge2.partner.example' },
    ],
  );
  const none = await resolver.services('_none._tcp.partner.example');
  assert.equal(none.ok && none.value.values[0]?.target, '');
});

test('BIND: TTL 0 is asked for each time', async (t) => {
  const resolver = resolverOf(t, await startNamed(t, 'partner.example', ZONE));
  for (let i = 0; i < 2; i++) {
    const once = await resolver.addresses('once.partner.example', 4);
    assert.deepEqual(once.ok && [once.value.ttl, once.value.cached], [0, false]);
  }
});

test('BIND: an answer too large for a datagram comes over TCP, whole', async (t) => {
  const resolver = resolverOf(t, await startNamed(t, 'partner.example', ZONE));
  const big = await resolver.services('_big._tcp.partner.example');
  assert.deepEqual(big.ok && [big.value.values.length, big.value.transport], [60, 'tcp']);
});

test('BIND: what is absent is absent for the minimum of its zone; circles and failures have their reasons', async (t) => {
  const resolver = resolverOf(t, await startNamed(t, 'partner.example', ZONE));
  const reasons: [string, LookUpReason, number][] = [
    ['nobody.partner.example', 'nxdomain', 45],
    ['_none._tcp.partner.example', 'no-data', 45],
    ['left.partner.example', 'servfail', 5],
    ['hop0.partner.example', 'alias-loop', 5],
    ['www.broken.example', 'servfail', 5],
    ['www.elsewhere.example', 'refused', 5],
  ];
  for (const [name, reason, ttl] of reasons) {
    const answer = await resolver.addresses(name, 4);
    assert.deepEqual(!answer.ok && [answer.error.reason, answer.error.ttl], [reason, ttl], name);
  }
  const kept = await resolver.addresses('nobody.partner.example', 4);
  assert.ok(!kept.ok && kept.error.ttl <= 45);
});

test('dnsmasq answers after a silent resolver was passed over', async (t) => {
  const dnsmasq = await startDnsmasq(t, ['--local=/lab.example/', '--host-record=a.lab.example,192.0.2.5']);
  const resolver = resolverOf(t, await startSilence(t), dnsmasq);
  const answer = await resolver.addresses('a.lab.example', 4);
  assert.deepEqual(answer.ok && [answer.value.values, answer.value.server], [['192.0.2.5'], dnsmasq]);
});

test('dnsmasq, which knows nobody to ask, refuses', async (t) => {
  const resolver = resolverOf(t, await startDnsmasq(t, []));
  const answer = await resolver.addresses('a.unknown.example', 4);
  assert.equal(!answer.ok && answer.error.reason, 'refused');
});

test('the servers to ask are those of the document, else those of the host', async () => {
  assert.deepEqual(resolverPlaces(['192.0.2.53', '2001:db8::53']), [
    { address: '192.0.2.53', port: 53 },
    { address: '2001:db8::53', port: 53 },
  ]);
});
