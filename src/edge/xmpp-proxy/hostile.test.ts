import assert from 'node:assert/strict';
import { test } from 'node:test';
import { element, type XmlElement } from '#protocols/xml';
import { NS } from '#protocols/xmpp';
import { OTHERS, OURS, PLACES, ProxyBench, partner, THEIRS } from './testing/bench.ts';
import {
  chat,
  conditionOf,
  header,
  opened,
  PartnerServer,
  raw,
  stanza,
  TestGateway,
  until,
  xmlOf,
} from './testing/ends.ts';

test('X10: a flood of one partner is answered and goes no further, and takes nothing from another [setting policy.xmpp.limits.stanzasPerSecond]', async (t) => {
  const bench = await ProxyBench.start(t, ({ policy }) => {
    policy.xmpp.partners.push(partner(OTHERS));
    policy.xmpp.limits.stanzasPerSecond = 1;
  });
  const [flooder, other] = [
    await PartnerServer.start(t, bench),
    await PartnerServer.start(t, bench, { domain: OTHERS }),
  ];
  const gateway = await TestGateway.start(t, bench);
  await gateway.ready.count(1);
  const sent = 200;
  await Promise.all(Array.from({ length: sent }, (_, number) => flooder.send(chat(String(number)))));
  const refused = (await flooder.arrivals.count(1)).map(({ stanza: answer }) => conditionOf(answer));
  assert.ok(refused.every((condition) => condition === 'resource-constraint'));
  const passed = gateway.arrivals.all.length;
  assert.ok(passed >= 10 && passed < sent / 2, `${passed} passed`);
  assert.equal(await other.send(chat('mine', `x@${OTHERS}`)), undefined);
  await gateway.arrivals.count(passed + 1);
  assert.equal(gateway.arrivals.all.at(-1)?.origin.partner, OTHERS);
  assert.equal((await bench.event('xmpp-stanza-refused')).rule, 'partner-rate');
  bench.document.policy.xmpp.limits.stanzasPerSecond = 500;
  await bench.commit();
  await flooder.send(chat('again'));
  await gateway.arrivals.count(passed + 2);
});

test('X10: subscriptions have a budget of their own [setting policy.xmpp.limits.subscriptionsPerMinute]', async (t) => {
  const bench = await ProxyBench.start(t, ({ policy }) => {
    policy.xmpp.limits.subscriptionsPerMinute = 1;
  });
  const [server, gateway] = [await PartnerServer.start(t, bench), await TestGateway.start(t, bench)];
  await gateway.ready.count(1);
  const subscribe = (user: string) =>
    server.send(stanza('presence', { from: `spam@${THEIRS}`, to: `${user}@${OURS}`, type: 'subscribe' }));
  for (const user of ['a', 'b', 'c']) await subscribe(user);
  assert.equal(conditionOf((await server.arrivals.count(1))[0]!.stanza), 'resource-constraint');
  await server.send(chat('a message'));
  await gateway.arrivals.count(3);
  assert.equal((await bench.event('xmpp-stanza-refused')).rule, 'subscription-rate');
  bench.document.policy.xmpp.limits.subscriptionsPerMinute = 120;
  await bench.commit();
  await subscribe('d');
  await gateway.arrivals.count(4);
});

test('X8: a stanza from another domain than the stream has proven ends it, and reaches nobody', async (t) => {
  const bench = await ProxyBench.start(t, ({ policy }) => {
    policy.xmpp.partners.push(partner(OTHERS));
  });
  const gateway = await TestGateway.start(t, bench);
  await gateway.ready.count(1);
  const socket = await opened(t, bench);
  socket.write(xmlOf(chat('spoofed', `mallory@${OTHERS}`)));
  assert.match(await until(socket), /<invalid-from/);
  assert.equal((await bench.event('xmpp-stream-refused')).rule, 'from-not-authorized');
  assert.deepEqual(gateway.arrivals.all, []);
});

test('X9: an answer to an IQ counts only for what was asked of that very domain', async (t) => {
  const bench = await ProxyBench.start(t);
  const [server, gateway] = [await PartnerServer.start(t, bench), await TestGateway.start(t, bench)];
  await gateway.ready.count(1);
  await server.send(stanza('iq', { from: THEIRS, to: OURS, type: 'result', id: 'ping-guessed' }));
  assert.equal((await bench.event('xmpp-stanza-refused')).rule, 'iq-answer-unasked');
  assert.deepEqual(gateway.arrivals.all, []);
});

test('X1, X3: a stanza that grows when it is written anew is refused, and the link stays', async (t) => {
  const bench = await ProxyBench.start(t);
  const gateway = await TestGateway.start(t, bench);
  await gateway.ready.count(1);
  const socket = await opened(t, bench);
  const prefix = 'n'.repeat(20_000);
  const one = `<a:x/>`.repeat(900);
  socket.write(
    `<message from='juliet@${THEIRS}' to='romeo@${OURS}' id='1' xmlns:a='${prefix}'>${one}</message>`,
  );
  assert.equal((await bench.event('xmpp-stanza-refused')).rule, 'too-large');
  socket.write(xmlOf(chat('after')));
  await gateway.arrivals.count(1);
  assert.deepEqual(gateway.ends.all, []);
});

test('X3: an element in the namespace of `xml:` passes, and the link stays', async (t) => {
  const bench = await ProxyBench.start(t);
  const gateway = await TestGateway.start(t, bench);
  await gateway.ready.count(1);
  const socket = await opened(t, bench);
  socket.write(`<message from='juliet@${THEIRS}' to='romeo@${OURS}' id='1'><xml:x/></message>`);
  socket.write(xmlOf(chat('after')));
  await gateway.arrivals.count(2);
  assert.deepEqual(gateway.ends.all, []);
});

test('X1: who only claims the domain of a partner takes none of its places', async (t) => {
  const bench = await ProxyBench.start(t, ({ policy }) => {
    policy.xmpp.partners.push(partner(OTHERS));
    policy.xmpp.limits.connectionsPerPartner = 1;
  });
  const gateway = await TestGateway.start(t, bench);
  await gateway.ready.count(1);
  const stranger = await raw(t, PLACES[OTHERS]);
  stranger.write(header(THEIRS));
  await until(stranger, /<stream:features>/);
  const socket = await opened(t, bench);
  socket.write(xmlOf(chat('mine')));
  await gateway.arrivals.count(1);
});

test('the id that a partner gives to a stream of ours says nothing of what comes back on it', async (t) => {
  const bench = await ProxyBench.start(t);
  const [server, gateway] = [
    await PartnerServer.start(t, bench, { hosts: [THEIRS] }),
    await TestGateway.start(t, bench),
  ];
  await gateway.ready.count(1);
  await gateway.send(chat('out', `romeo@${OURS}`, `juliet@${THEIRS}`));
  const [there] = await server.arrivals.count(1);
  await server.send(chat('back'));
  const [back] = await gateway.arrivals.count(1);
  assert.match(back?.origin.stream ?? '', /-back$/, 'it came on the stream that we opened');
  assert.doesNotMatch(back?.origin.stream ?? '', new RegExp(there?.streamId ?? '.'));
});

test('X10: a partner that acknowledges nothing does not hold up what is for others', async (t) => {
  const bench = await ProxyBench.start(t, ({ policy }) => {
    policy.xmpp.partners.push(partner(OTHERS));
  });
  const silent = await PartnerServer.start(t, bench, { hold: true });
  await PartnerServer.start(t, bench, { domain: OTHERS });
  const gateway = await TestGateway.start(t, bench);
  await gateway.ready.count(1);
  const held = gateway.send(chat('1', `romeo@${OURS}`, `juliet@${THEIRS}`));
  await silent.arrivals.count(1);
  const others = gateway.send(chat('2', `romeo@${OURS}`, `x@${OTHERS}`), OTHERS);
  assert.equal(await others, undefined);
  // The first is acknowledged to the gateway with the word that its partner does not have it.
  let settled = false;
  void held.then(() => {
    settled = true;
  });
  assert.equal(await gateway.send(chat('3', `romeo@${OURS}`, `x@${OTHERS}`), OTHERS), undefined);
  assert.equal(settled, false, 'and nobody says that it has arrived');
  silent.arrivals.all[0]?.done();
  assert.equal(await held, undefined);
});

test('X3: what the gateway gets is written anew, however it was spelt', async (t) => {
  const bench = await ProxyBench.start(t);
  const gateway = await TestGateway.start(t, bench);
  await gateway.ready.count(1);
  const socket = await opened(t, bench);
  socket.write(
    `<q:message xmlns:q='jabber:server' q:x='y' from='juliet@${THEIRS}' to='romeo@${OURS}' id='&#49;'>` +
      `<q:body><![CDATA[<b>]]>&amp;</q:body></q:message>`,
  );
  const [arrived] = await gateway.arrivals.count(1);
  const expected: XmlElement = {
    ...element(NS.server, 'message', { from: `juliet@${THEIRS}`, to: `romeo@${OURS}`, id: '1' }, [
      element(NS.server, 'body', {}, ['<b>&']),
    ]),
    foreign: [{ namespace: NS.server, name: 'x', value: 'y' }],
  };
  assert.deepEqual(arrived?.stanza, expected);
});
