import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock, SeededRandom } from '#kernel';
import { Trace } from '#platform/telemetry';
import { FixedResolver, srv } from '../testing/fixed-resolver.ts';
import { type LocateReason, locate, type Sought, targetAddresses } from './locate.ts';
import { orderServices } from './order-services.ts';

const FEDERATION = '_sipfederationtls._tcp';
const sought: Sought = {
  domain: 'partner.example',
  services: [FEDERATION, '_sips._tcp'],
  fallbackPort: 5061,
  sameDomain: true,
};
const name = `${FEDERATION}.partner.example`;
const random = new SeededRandom(3);

test('lower priorities come first, and within one the weights decide how often (RFC 2782)', () => {
  const records = [
    srv('late', { priority: 20, weight: 1000 }),
    srv('heavy', { priority: 10, weight: 75 }),
    srv('light', { priority: 10, weight: 25 }),
    srv('never', { priority: 10, weight: 0 }),
  ];
  const first = new Map<string, number>();
  const rounds = 2000;
  for (let i = 0; i < rounds; i++) {
    const ordered = orderServices(records, random).map(({ target }) => target);
    assert.equal(ordered[3], 'late');
    assert.equal(new Set(ordered).size, 4);
    first.set(ordered[0]!, (first.get(ordered[0]!) ?? 0) + 1);
  }
  assert.ok(Math.abs((first.get('heavy') ?? 0) / rounds - 0.75) < 0.06);
  assert.ok(Math.abs((first.get('light') ?? 0) / rounds - 0.25) < 0.06);
  assert.ok((first.get('never') ?? 0) > 0, 'weight 0 has a chance, if a small one');
});

test('the first service that exists counts, later ones are not asked for', async () => {
  const resolver = new FixedResolver({ services: { [name]: [srv('edge.partner.example')] } });
  const located = await locate(resolver, sought, random);
  assert.deepEqual(located.ok && located.value.targets, [
    { host: 'edge.partner.example', port: 5061, service: FEDERATION },
  ]);
  assert.deepEqual(resolver.asked, [`SRV ${name}`]);
});

test('without a service record the domain itself is tried at the fallback port (RFC 3263 §4.2)', async () => {
  const located = await locate(new FixedResolver({}), sought, random);
  assert.deepEqual(located.ok && located.value.targets, [
    { host: 'partner.example', port: 5061, service: undefined },
  ]);
  const { fallbackPort: _, ...strict } = sought;
  const failed = await locate(new FixedResolver({}), strict, random);
  assert.equal(!failed.ok && failed.error.reason, 'no-service');
  assert.equal(!failed.ok && failed.error.ttl, 60);
});

test('[S12] a failure of the DNS is no absence: whoever suppresses an answer does not choose the server', async () => {
  for (const reason of ['timeout', 'servfail', 'bad-answer', 'refused'] as const) {
    const located = await locate(new FixedResolver({ services: { [name]: reason } }), sought, random);
    assert.deepEqual(!located.ok && [located.error.reason, located.error.lookUp], ['dns', reason]);
  }
});

test('[S12] targets outside the domain are not tried, look-alikes neither', async () => {
  const cases: [readonly string[], readonly string[] | LocateReason][] = [
    [['edge.other.example'], 'other-domain'],
    [['evilpartner.example'], 'other-domain'],
    [['partner.example.evil.test'], 'other-domain'],
    [['edge.other.example', 'edge.partner.example'], ['edge.partner.example']],
    [['partner.example'], ['partner.example']],
    [['a.b.partner.example'], ['a.b.partner.example']],
  ];
  for (const [targets, expected] of cases) {
    const resolver = new FixedResolver({ services: { [name]: targets.map((target) => srv(target)) } });
    const located = await locate(resolver, sought, random);
    const result = located.ok ? located.value.targets.map(({ host }) => host) : located.error.reason;
    assert.deepEqual(result, expected);
  }
  const free = new FixedResolver({ services: { [name]: [srv('edge.other.example')] } });
  assert.ok((await locate(free, { ...sought, sameDomain: false }, random)).ok);
});

test('a target that is the root says that the service is not offered, and nothing else is tried', async () => {
  const resolver = new FixedResolver({ services: { [name]: [srv('')] } });
  const located = await locate(resolver, sought, random);
  assert.equal(!located.ok && located.error.reason, 'not-offered');
  assert.equal(resolver.asked.length, 1);
});

test('at most sixteen servers of one domain are tried', async () => {
  const many = Array.from({ length: 60 }, (_, n) => srv(`edge${n}.partner.example`));
  const located = await locate(new FixedResolver({ services: { [name]: many } }), sought, random);
  assert.equal(located.ok && located.value.targets.length, 16);
});

test('both families are asked at once, IPv6 first; an address stands for itself; the trace tells it', async () => {
  const resolver = new FixedResolver({ addresses: { 'A edge.partner.example': ['192.0.2.1'] } });
  const trace = new Trace(new ManualClock());
  const [six, four] = await Promise.all(targetAddresses(resolver, 'edge.partner.example', trace));
  assert.deepEqual(resolver.asked, ['AAAA edge.partner.example', 'A edge.partner.example']);
  assert.ok(six?.ok === false && four?.ok === true);
  assert.deepEqual(
    trace.steps.map(({ text, ok }) => [ok, text]),
    [
      [false, 'AAAA edge.partner.example: nxdomain'],
      [true, 'A edge.partner.example: 192.0.2.1 (from 192.0.2.53:53 over UDP)'],
    ],
  );
  const [itself] = await Promise.all(targetAddresses(resolver, '2001:db8::1'));
  assert.deepEqual(itself?.ok && itself.value, ['2001:db8::1']);
});
