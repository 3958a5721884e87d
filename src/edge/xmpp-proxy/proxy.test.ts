import assert from 'node:assert/strict';
import { test } from 'node:test';
import { element } from '#protocols/xml';
import { GATEWAY, OTHERS, OURS, ProxyBench, partner, THEIRS } from './testing/bench.ts';
import { bodyOf, chat, conditionOf, PartnerServer, stanza, TestGateway } from './testing/ends.ts';

const JULIET = `juliet@${THEIRS}`;
const ROMEO = `romeo@${OURS}`;

test('messages and presence of a partner reach the gateway with their origin, and the other way round', async (t) => {
  const bench = await ProxyBench.start(t);
  const [partnerServer, gateway] = [await PartnerServer.start(t, bench), await TestGateway.start(t, bench)];
  await gateway.ready.count(1);
  assert.equal(await partnerServer.send(chat('in')), undefined);
  assert.equal(
    await partnerServer.send(stanza('presence', { from: JULIET, to: ROMEO, type: 'subscribe' })),
    undefined,
  );
  const [message, subscribe] = await gateway.arrivals.count(2);
  assert.equal(bodyOf(message!.stanza), 'in');
  assert.equal(message?.origin.partner, THEIRS);
  assert.equal(message?.origin.type, 'public-unverified');
  assert.equal(subscribe?.origin.stream, message?.origin.stream);
  assert.equal(subscribe?.origin.number, (message?.origin.number ?? 0) + 1);
  assert.equal(await gateway.send(chat('out', `${ROMEO}/phone`, JULIET)), undefined);
  const arrived = await partnerServer.arrivals.count(1);
  assert.equal(bodyOf(arrived[0]!.stanza), 'out');
  assert.equal(arrived[0]?.stanza.children.length, 1, 'nothing of the link leaves');
  assert.match(bench.service.health().detail, /1 gateways connected, 0 stanzas under way/);
});

test('a partner hears that a stanza was taken over only when the gateway has taken it over', async (t) => {
  const bench = await ProxyBench.start(t);
  const [partnerServer, gateway] = [
    await PartnerServer.start(t, bench),
    await TestGateway.start(t, bench, { hold: true }),
  ];
  await gateway.ready.count(1);
  let settled = false;
  const sent = partnerServer.send(chat('in')).then(() => {
    settled = true;
  });
  const [arrived] = await gateway.arrivals.count(1);
  // A whole round trip, both ways, behind it.
  await gateway.send(chat('mark', `${ROMEO}/phone`, JULIET));
  await partnerServer.arrivals.count(1);
  assert.equal(settled, false);
  arrived?.done();
  await sent;
});

test('a gateway hears that a stanza was taken over only when the partner has taken it over', async (t) => {
  const bench = await ProxyBench.start(t);
  const [partnerServer, gateway] = [
    await PartnerServer.start(t, bench, { hold: true }),
    await TestGateway.start(t, bench),
  ];
  let settled = false;
  const sent = gateway.send(chat('out', `${ROMEO}/phone`, JULIET)).then(() => {
    settled = true;
  });
  const [arrived] = await partnerServer.arrivals.count(1);
  await partnerServer.send(chat('mark'));
  await gateway.arrivals.count(1);
  assert.equal(settled, false);
  arrived?.done();
  await sent;
});

test('IQ requests of a partner: ping, version and disco are answered, the rest is not served', async (t) => {
  const bench = await ProxyBench.start(t);
  const [partnerServer, gateway] = [await PartnerServer.start(t, bench), await TestGateway.start(t, bench)];
  await gateway.ready.count(1);
  const ask = (what: string, namespace: string, to = OURS, type = 'get', more = {}) =>
    partnerServer.send(
      stanza('iq', { from: THEIRS, to, type, id: `${what} ${namespace}` }, [element(namespace, what, more)]),
    );
  await ask('ping', 'urn:xmpp:ping');
  await ask('query', 'jabber:iq:version');
  await ask('query', 'http://jabber.org/protocol/disco#info');
  await ask('query', 'http://jabber.org/protocol/disco#items');
  await ask('query', 'http://jabber.org/protocol/disco#info', OURS, 'get', { node: 'x' });
  await ask('ping', 'urn:xmpp:ping', ROMEO);
  await ask('query', 'jabber:iq:roster', ROMEO, 'set');
  const answers = (await partnerServer.arrivals.count(7)).map(({ stanza: answer }) => answer);
  assert.deepEqual(
    answers.map(({ attributes }) => attributes.get('type')),
    ['result', 'result', 'result', 'result', 'error', 'error', 'error'],
  );
  assert.deepEqual(answers.slice(4).map(conditionOf), Array(3).fill('service-unavailable'));
  assert.equal(answers[0]?.attributes.get('id'), 'ping urn:xmpp:ping');
  assert.deepEqual(gateway.arrivals.all, []);
});

test('only messages between two people and presence pass; the sender is told, and an event names the rule', async (t) => {
  const bench = await ProxyBench.start(t);
  const [partnerServer, gateway] = [await PartnerServer.start(t, bench), await TestGateway.start(t, bench)];
  await gateway.ready.count(1);
  const refused = [
    stanza('message', { from: JULIET, to: ROMEO, type: 'groupchat', id: '1' }),
    stanza('message', { from: JULIET, to: OURS, id: '2' }),
    stanza('message', { from: THEIRS, to: ROMEO, id: '3' }),
  ];
  for (const one of refused) await partnerServer.send(one);
  const answers = (await partnerServer.arrivals.count(3)).map(({ stanza: answer }) => answer);
  assert.deepEqual(answers.map(conditionOf), ['service-unavailable', 'jid-malformed', 'jid-malformed']);
  const silent = [
    stanza('presence', { from: JULIET, to: ROMEO, type: 'invented' }),
    stanza('message', { from: JULIET, to: OURS, type: 'error' }),
    stanza('iq', { from: JULIET, to: ROMEO, type: 'result', id: 'x' }),
  ];
  for (const one of silent) await partnerServer.send(one);
  await partnerServer.send(chat('last'));
  assert.equal(bodyOf((await gateway.arrivals.count(1))[0]!.stanza), 'last');
  assert.equal(partnerServer.arrivals.all.length, 3, 'errors, answers and states are not answered');
  for (const rule of ['not-im-or-presence', 'address-malformed', 'iq-answer-unasked'])
    assert.equal(
      (await bench.event('xmpp-stanza-refused', (fields) => fields.rule === rule)).partner,
      THEIRS,
    );
});

test('with no gateway connected the sender is told so, and what waited arrives when one comes in time [setting policy.xmpp.limits.gatewayWaitSeconds]', async (t) => {
  const bench = await ProxyBench.start(t, ({ policy }) => {
    policy.xmpp.limits.gatewayWaitSeconds = 0;
  });
  const partnerServer = await PartnerServer.start(t, bench);
  assert.equal(
    await partnerServer.send(chat('nobody')),
    undefined,
    'it was answered, and so it is done with',
  );
  const [answer] = await partnerServer.arrivals.count(1);
  assert.equal(conditionOf(answer!.stanza), 'recipient-unavailable');
  assert.equal(answer?.stanza.attributes.get('id'), 'nobody');
  await bench.event('xmpp-stanza-refused', ({ rule }) => rule === 'no-gateway');
  bench.document.policy.xmpp.limits.gatewayWaitSeconds = 300;
  await bench.commit();
  const sent = partnerServer.send(chat('waits'));
  const gateway = await TestGateway.start(t, bench);
  assert.equal(bodyOf((await gateway.arrivals.count(1))[0]!.stanza), 'waits');
  assert.equal(await sent, undefined);
});

test('a stanza for a domain that is no partner, or is not reached, comes back to its sender', async (t) => {
  const bench = await ProxyBench.start(t, ({ policy }) => {
    policy.xmpp.partners.push(partner(OTHERS), partner('nowhere.example'));
  });
  const gateway = await TestGateway.start(t, bench);
  for (const domain of ['stranger.example', OTHERS, 'nowhere.example'])
    assert.equal(await gateway.send(chat(domain, ROMEO, `x@${domain}`), domain), undefined);
  const answers = await gateway.arrivals.count(3);
  const told = answers.map(({ stanza: answer }) => `${answer.attributes.get('id')} ${conditionOf(answer)}`);
  assert.deepEqual(told.sort(), [
    'nowhere.example remote-server-not-found',
    `${OTHERS} remote-server-not-found`,
    'stranger.example not-allowed',
  ]);
  for (const { origin } of answers) assert.match(origin.stream, /^edge-/);
});

test('an additional domain is the partner it stands at', async (t) => {
  const bench = await ProxyBench.start(t, ({ policy }) => {
    policy.xmpp.partners = [partner('main.example', { additionalDomains: [THEIRS], type: 'federated' })];
  });
  const [partnerServer, gateway] = [await PartnerServer.start(t, bench), await TestGateway.start(t, bench)];
  await partnerServer.send(chat('in'));
  const [arrived] = await gateway.arrivals.count(1);
  assert.equal(arrived?.origin.partner, 'main.example');
  assert.equal(arrived?.origin.type, 'federated');
  const { partners } = (await bench.verb('partners')) as { partners: readonly Record<string, unknown>[] };
  assert.deepEqual(partners, [
    {
      domain: 'main.example',
      additional: [THEIRS],
      type: 'federated',
      methods: ['sasl-external'],
      server: null,
      streams: 1,
    },
  ]);
});

test('the streams and links of the moment', async (t) => {
  const bench = await ProxyBench.start(t);
  const [partnerServer, gateway] = [await PartnerServer.start(t, bench), await TestGateway.start(t, bench)];
  await partnerServer.send(chat('in'));
  await gateway.arrivals.count(1);
  const { streams, links } = (await bench.verb('streams')) as Record<
    string,
    readonly Record<string, unknown>[]
  >;
  assert.equal(streams?.[0]?.peer, THEIRS);
  assert.equal(streams?.[0]?.by, 'sasl-external');
  assert.equal(streams?.[0]?.tls, 'TLSv1.3');
  assert.equal(links?.[0]?.peer, GATEWAY);
  assert.equal(links?.[0]?.ready, true);
});

interface Trial {
  readonly ok: boolean;
  readonly steps: readonly { readonly topic: string; readonly ok: boolean; readonly text: string }[];
}

test('the whole story of a domain: the policy, records, addresses, certificate, names, proof and a round trip', async (t) => {
  const bench = await ProxyBench.start(t, ({ policy }) => {
    policy.xmpp.partners.push(partner(OTHERS));
  });
  await PartnerServer.start(t, bench);
  const trial = (await bench.verb('test', { domain: THEIRS })) as Trial;
  const story = trial.steps.map(({ topic, ok, text }) => `${topic} ${ok} ${text}`).join('\n');
  assert.equal(trial.ok, true, story);
  assert.match(story, /policy true xmpp\.example, public-unverified, found by its SRV records/);
  assert.match(story, /_xmpp-server\._tcp\.xmpp\.example/);
  assert.match(story, /connect true host\.xmpp\.example at 127\.0\.3\.61:5269 from 127\.0\.1\.10: connected/);
  assert.match(story, /certificate true TLSv1\.3, .*xmpp\.example.*valid until/);
  assert.match(story, /names true xmpp\.example sought in xmpp\.example: it is there/);
  assert.match(story, /answer true xmpp\.example believes sip\.example by SASL EXTERNAL/);
  assert.match(story, /answer true a ping was answered: yes/);
  await PartnerServer.start(t, bench, { domain: OTHERS, leaf: { hosts: ['elsewhere.example'] } });
  const misnamed = (await bench.verb('test', { domain: OTHERS })) as Trial;
  assert.ok(misnamed.steps.some(({ topic, ok }) => topic === 'names' && !ok));
  assert.match(misnamed.steps.at(-1)?.text ?? '', /not opened: certificate-not-accepted/);
  const unlisted = (await bench.verb('test', { domain: 'stranger.example' })) as Trial;
  assert.deepEqual(unlisted, {
    ok: false,
    steps: unlisted.steps.map((step) => ({ ...step, ok: false, topic: 'policy' })),
  });
});

test('a draining edge delivers what it has, ends streams in order, and takes no new ones', async (t) => {
  const bench = await ProxyBench.start(t);
  const [partnerServer, gateway] = [
    await PartnerServer.start(t, bench),
    await TestGateway.start(t, bench, { hold: true }),
  ];
  const sent = partnerServer.send(chat('in'));
  const [arrived] = await gateway.arrivals.count(1);
  await bench.service.drain();
  assert.ok(bench.service.remaining() > 0);
  arrived?.done();
  assert.equal(await sent, undefined);
  while (bench.service.remaining() > 0 || partnerServer.endpoint.open > 0)
    await new Promise((resolve) => setTimeout(resolve, 10));
  assert.notEqual(await partnerServer.send(chat('refused')), undefined);
  await bench.service.undrain();
  await gateway.ready.count(2);
});

test('XMPP federation can be switched off and on while the edge runs', async (t) => {
  const bench = await ProxyBench.start(t);
  const [partnerServer, gateway] = [await PartnerServer.start(t, bench), await TestGateway.start(t, bench)];
  await gateway.ready.count(1);
  await partnerServer.send(chat('in'));
  bench.document.policy.features.xmpp = false;
  await bench.commit();
  await gateway.ends.count(1);
  assert.equal(bench.service.health().detail, 'XMPP federation is off');
  bench.document.policy.features.xmpp = true;
  await bench.commit();
  await gateway.ready.count(2);
});
