import assert from 'node:assert/strict';
import { hkdfSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { EdgeDocument } from '#platform/topology';
import { mediaKeyText } from '#protocols/credentials';
import { element } from '#protocols/xml';
import { dialbackKey, NS } from '#protocols/xmpp';
import { GATEWAY, OTHERS, OURS, type Partner, PLACES, ProxyBench, partner, THEIRS } from './testing/bench.ts';
import {
  bodyOf,
  chat,
  conditionOf,
  header,
  opened,
  PartnerServer,
  raw,
  TestGateway,
  until,
  xmlOf,
} from './testing/ends.ts';

type Limits = EdgeDocument['policy']['xmpp']['limits'];

const withLimits = (t: TestContext, limits: Partial<Limits>) =>
  ProxyBench.start(t, ({ policy }) => Object.assign(policy.xmpp.limits, limits));

/** What a stranger who says that it is `from` gets to see first. */
async function greeting(t: TestContext, from = THEIRS): Promise<string> {
  const socket = await raw(t);
  socket.write(header(from));
  const text = await until(socket, /<\/stream:features>|<\/stream:stream>/);
  socket.destroy();
  return text;
}

test('only listed domains are spoken with [setting policy.xmpp.partners[].domain] [setting policy.xmpp.partners[].additionalDomains]', async (t) => {
  const bench = await ProxyBench.start(t);
  const admitted = async () =>
    [await greeting(t), await greeting(t, OTHERS), await greeting(t, 'more.example')].map((text) =>
      text.includes('<stream:features>'),
    );
  assert.deepEqual(await admitted(), [true, false, false]);
  assert.match(await greeting(t, OTHERS), /<policy-violation/);
  assert.equal((await bench.event('xmpp-stream-refused')).rule, 'not-a-partner');
  bench.document.policy.xmpp.partners = [partner(OTHERS, { additionalDomains: ['more.example'] })];
  await bench.commit();
  assert.deepEqual(await admitted(), [false, true, true]);
});

test('a stream with a domain that is no partner any more ends', async (t) => {
  const bench = await ProxyBench.start(t);
  const socket = await opened(t, bench);
  bench.document.policy.xmpp.partners = [];
  await bench.commit();
  assert.match(await until(socket), /<policy-violation/);
});

test('nobody is a partner while the organisation exchanges nothing with others [setting policy.federation.enabled]', async (t) => {
  const bench = await ProxyBench.start(t);
  const socket = await opened(t, bench);
  bench.document.policy.federation.enabled = false;
  await bench.commit();
  assert.match(await until(socket), /<policy-violation/);
  assert.match(await greeting(t), /<policy-violation/);
  bench.document.policy.federation.enabled = true;
  await bench.commit();
  assert.match(await greeting(t), /<stream:features>/);
});

test('how a partner is trusted is told to the gateway [setting policy.xmpp.partners[].type]', async (t) => {
  const bench = await ProxyBench.start(t);
  const [partnerServer, gateway] = [await PartnerServer.start(t, bench), await TestGateway.start(t, bench)];
  const types = ['federated', 'public-verified', 'public-unverified'] as const;
  for (const [index, type] of types.entries()) {
    bench.document.policy.xmpp.partners = [partner(THEIRS, { type })];
    await bench.commit();
    await partnerServer.send(chat(type));
    assert.equal((await gateway.arrivals.count(index + 1))[index]?.origin.type, type);
  }
});

test('what is offered before TLS [setting policy.xmpp.partners[].tls] [setting policy.xmpp.partners[].dialback]', async (t) => {
  const bench = await ProxyBench.start(t);
  const offered = async (change: Partial<Partner>) => {
    bench.document.policy.xmpp.partners = [partner(THEIRS, change)];
    await bench.commit();
    const text = await greeting(t);
    const found = ['<starttls', '<required', '<dialback'].filter((feature) => text.includes(feature));
    return found.join(' ');
  };
  assert.equal(await offered({}), '<starttls <required');
  assert.equal(await offered({ tls: 'required', dialback: true }), '<starttls <required');
  assert.equal(await offered({ tls: 'optional' }), '<starttls <required', 'nothing but TLS proves anything');
  assert.equal(await offered({ tls: 'optional', dialback: true }), '<starttls <dialback');
  assert.equal(await offered({ tls: 'not-supported', sasl: 'not-supported', dialback: true }), '<dialback');
});

test('a dialback key that another edge of the pool made is known, by whichever of the keys it was made, and our own is of the one in use', async (t) => {
  const bench = await ProxyBench.start(t, ({ policy }) => {
    policy.xmpp.partners = [partner(THEIRS, { tls: 'not-supported', sasl: 'not-supported', dialback: true })];
  });
  const { mediaCredentials } = bench.document.policy;
  const secretOf = (file: string) =>
    Buffer.from(hkdfSync('sha256', readFileSync(file), '', 'sallyport xmpp dialback 1', 32)).toString('hex');
  const [current, other] = [mediaCredentials.keyFile, join(bench.folder, 'other.media')];
  writeFileSync(other, mediaKeyText(Buffer.alloc(32, 8)));
  const subject = { receiving: THEIRS, originating: OURS, streamId: 'abc' };
  const verdicts = async () => {
    const socket = await raw(t);
    socket.write(header(THEIRS));
    await until(socket, /<\/stream:features>/);
    const found: string[] = [];
    for (const file of [current, other]) {
      const key = dialbackKey(secretOf(file), subject);
      socket.write(`<db:verify from='${THEIRS}' to='${OURS}' id='abc'>${key}</db:verify>`);
      found.push(/type="(\w+)"/.exec(await until(socket, /<db:verify[^>]*>|<\/stream:stream>/))?.[1] ?? '');
    }
    socket.destroy();
    return found;
  };
  assert.deepEqual(await verdicts(), ['valid', 'invalid']);
  mediaCredentials.previousKeyFiles = [other];
  await bench.commit();
  assert.deepEqual(await verdicts(), ['valid', 'valid']);
  mediaCredentials.keyFile = other;
  mediaCredentials.previousKeyFiles = [current];
  await bench.commit();
  assert.deepEqual(await verdicts(), ['valid', 'valid']);
  mediaCredentials.previousKeyFiles = [join(bench.folder, 'absent.media')];
  await assert.rejects(bench.commit(), /SLP-AV-0203/);
});

test('by what a partner proves its domain [setting policy.xmpp.partners[].sasl]', async (t) => {
  const bench = await ProxyBench.start(t);
  const gateway = await TestGateway.start(t, bench);
  await gateway.ready.count(1);
  const server = await PartnerServer.start(t, bench, { methods: ['sasl-external', 'tls-dialback'] });
  const by = async (change: Partial<Partner>) => {
    bench.document.policy.xmpp.partners = [];
    await bench.commit();
    bench.document.policy.xmpp.partners = [partner(THEIRS, change)];
    await bench.commit();
    while (server.endpoint.open > 0) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal(await server.send(chat('in')), undefined);
    const { streams } = (await bench.verb('streams')) as { streams: { direction: string; by: string }[] };
    return streams.find(({ direction }) => direction === 'in')?.by;
  };
  assert.equal(await by({}), 'sasl-external');
  assert.equal(await by({ sasl: 'not-supported', dialback: true }), 'dialback');
  assert.equal(await by({ sasl: 'optional', dialback: true }), 'sasl-external');
});

test('blanks keep streams open where they are wanted [setting policy.xmpp.partners[].keepAlive] [setting policy.xmpp.limits.keepAliveSeconds]', async (t) => {
  const bench = await withLimits(t, { keepAliveSeconds: 1 });
  const socket = await opened(t, bench);
  assert.equal(await until(socket, /./), ' ');
  bench.document.policy.xmpp.partners = [partner(THEIRS, { keepAlive: false })];
  bench.document.policy.xmpp.limits.inactivitySeconds = 3;
  await bench.commit();
  assert.equal(await until(await opened(t, bench)), '</stream:stream>', 'not a blank before its end');
});

test('a partner may be at a server that the document names [setting policy.xmpp.partners[].server]', async (t) => {
  const bench = await ProxyBench.start(t);
  const elsewhere = await PartnerServer.start(t, bench, { address: PLACES[OTHERS] ?? '' });
  const gateway = await TestGateway.start(t, bench);
  await gateway.send(chat('by DNS', `romeo@${OURS}`, `juliet@${THEIRS}`));
  assert.equal(conditionOf((await gateway.arrivals.count(1))[0]!.stanza), 'remote-server-not-found');
  bench.document.policy.xmpp.partners = [];
  await bench.commit();
  bench.document.policy.xmpp.partners = [partner(THEIRS, { server: `host.${OTHERS}` })];
  await bench.commit();
  await gateway.send(chat('by name', `romeo@${OURS}`, `juliet@${THEIRS}`));
  await elsewhere.arrivals.count(1);
  assert.equal(bodyOf(elsewhere.arrivals.all[0]!.stanza), 'by name');
});

test('who may open the link [setting policy.xmpp.gateways]', async (t) => {
  const bench = await ProxyBench.start(t);
  assert.deepEqual(bench.document.policy.xmpp.gateways, ['pool.corp.example', GATEWAY]);
  const gateway = await TestGateway.start(t, bench);
  await gateway.ready.count(1);
  const stranger = await TestGateway.start(t, bench, { name: 'gateway.corp.example' });
  assert.equal((await stranger.ends.count(1))[0]?.reason, 'peer-closed');
  await bench.event('xmpp-gateway-refused', ({ rule }) => rule === 'not-a-gateway');
  bench.document.policy.xmpp.gateways = ['gateway.corp.example'];
  await bench.commit();
  await stranger.ready.count(1);
  await gateway.ends.count(1);
});

test('partners are at public addresses, or where the document says [setting policy.xmpp.allowedNetworks]', async (t) => {
  const bench = await ProxyBench.start(t, ({ policy }) => {
    policy.xmpp.allowedNetworks = [];
  });
  await PartnerServer.start(t, bench);
  const trial = async () => JSON.stringify(await bench.verb('test', { domain: THEIRS }));
  assert.match(await trial(), /127\.0\.3\.61 may not be dialled/);
  bench.document.policy.xmpp.allowedNetworks = ['127.0.3.61/32'];
  await bench.commit();
  assert.match(await trial(), /"ok":true,"steps"/);
});

test('streams are bounded, those of one partner too, and connections that have proven nothing [setting policy.xmpp.limits.connections] [setting policy.xmpp.limits.connectionsPerPartner] [setting policy.xmpp.limits.unprovenConnections]', async (t) => {
  const bench = await withLimits(t, { connectionsPerPartner: 1 });
  const first = await opened(t, bench);
  assert.match(await until(await opened(t, bench)), /^$/, 'told with the header: too many');
  assert.equal((await bench.event('xmpp-stream-refused')).rule, 'too-many-streams');
  bench.document.policy.xmpp.limits.connectionsPerPartner = 2;
  bench.document.policy.xmpp.limits.unprovenConnections = 2;
  await bench.commit();
  const strangers = [await raw(t), await raw(t)];
  for (const socket of strangers) {
    socket.write(header());
    await until(socket, /<stream:features>/);
  }
  assert.equal(await until(await raw(t)), '', 'no third one');
  bench.document.policy.xmpp.limits.unprovenConnections = 100;
  bench.document.policy.xmpp.limits.connections = 3;
  await bench.commit();
  assert.equal(await until(await raw(t)), '', 'one stream and two strangers are three');
  bench.document.policy.xmpp.limits.connections = 4;
  await bench.commit();
  assert.match(await greeting(t), /<stream:features>/);
  assert.equal(first.destroyed, false);
});

test('who proves nothing in time is closed, and so is who says nothing for long [setting policy.xmpp.limits.establishmentSeconds] [setting policy.xmpp.limits.inactivitySeconds]', async (t) => {
  const bench = await withLimits(t, { establishmentSeconds: 1 });
  const socket = await raw(t);
  socket.write(header());
  assert.match(await until(socket), /<connection-timeout/);
  bench.document.policy.xmpp.limits.establishmentSeconds = 60;
  bench.document.policy.xmpp.limits.inactivitySeconds = 1;
  await bench.commit();
  assert.equal(await until(await opened(t, bench)), '</stream:stream>');
});

test('the largest stanza [setting policy.xmpp.limits.stanzaBytes]', async (t) => {
  const bench = await withLimits(t, { stanzaBytes: 10_000 });
  const gateway = await TestGateway.start(t, bench);
  await gateway.ready.count(1);
  const large = xmlOf(chat('x'.repeat(20_000)));
  const small = await opened(t, bench);
  small.write(large);
  assert.match(await until(small), /<policy-violation/);
  bench.document.policy.xmpp.limits.stanzaBytes = 65_536;
  await bench.commit();
  (await opened(t, bench)).write(large);
  await gateway.arrivals.count(1);
});

test('no more is in flight than may be lost [setting policy.xmpp.limits.stanzasInFlight]', async (t) => {
  const bench = await withLimits(t, { stanzasInFlight: 2 });
  const gateway = await TestGateway.start(t, bench, { hold: true });
  await gateway.ready.count(1);
  const more = element(NS.server, 'subject', {}, ['x'.repeat(9000)]);
  const socket = await opened(t, bench);
  const sent = 60;
  for (let number = 0; number < sent; number++) {
    const one = chat(String(number));
    socket.write(xmlOf({ ...one, children: [...one.children, more] }));
  }
  await gateway.arrivals.count(2);
  const server = await PartnerServer.start(t, bench);
  await gateway.send(chat('mark', `romeo@${OURS}`, `juliet@${THEIRS}`));
  await server.arrivals.count(1);
  // Two, and what one read of at most 64 KiB held beyond them.
  assert.ok(gateway.arrivals.all.length <= 2 + 65_536 / 9000, String(gateway.arrivals.all.length));
  for (let number = 0; number < sent; number++) (await gateway.arrivals.count(number + 1))[number]?.done();
  assert.deepEqual(
    gateway.arrivals.all.map((arrival) => bodyOf(arrival.stanza)),
    Array.from({ length: sent }, (_, number) => String(number)),
  );
});

test('what waits for the gateway is bounded [setting policy.xmpp.limits.stanzasWaiting]', async (t) => {
  const bench = await withLimits(t, { stanzasWaiting: 1, gatewayWaitSeconds: 300 });
  const server = await PartnerServer.start(t, bench);
  const both = [server.send(chat('first')), server.send(chat('second'))];
  const [answer] = await server.arrivals.count(1);
  assert.equal(answer?.stanza.attributes.get('id'), 'second');
  const gateway = await TestGateway.start(t, bench);
  assert.deepEqual(await Promise.all(both), [undefined, undefined]);
  assert.equal(bodyOf((await gateway.arrivals.count(1))[0]!.stanza), 'first');
});
