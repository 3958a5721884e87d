import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { LabAuthority } from '#platform/pki';
import {
  formatMrasRequest,
  MediaTokenVerifier,
  MRAS_CONTENT_TYPE,
  type MrasLocation,
  type MrasResponse,
  mediaKeyText,
  parseMediaKey,
  parseMrasResponse,
} from '#protocols/credentials';
import type { SipResponse } from '#protocols/sip';
import { Bench, INTERNAL, unwrap, writeKey } from './testing/bench.ts';

async function start(t: TestContext): Promise<Bench> {
  const bench = await Bench.start();
  t.after(() => bench.stop());
  return bench;
}

function asking(more: { location?: MrasLocation; duration?: number; route?: 'directip' } = {}): Buffer {
  const { location, duration, route = 'loadbalanced' } = more;
  return formatMrasRequest({
    requestId: '1',
    version: '1.0',
    to: 'sip:edge.corp.test@example.test;gruu',
    from: 'sip:alice@example.test',
    route,
    credentials: [
      {
        id: 'c',
        identity: 'sip:alice@example.test',
        ...(location === undefined ? {} : { location }),
        ...(duration === undefined ? {} : { duration }),
      },
    ],
  });
}

function answerOf(response: SipResponse): MrasResponse {
  assert.equal(response.status, 200);
  assert.equal(response.header('Content-Type'), MRAS_CONTENT_TYPE);
  return unwrap(parseMrasResponse(response.body) as { ok: true; value: MrasResponse });
}

test('an outside client is told the external name, an inside one the internal name, with both ports', async (t) => {
  const caller = await (await start(t)).frontEnd();
  const relays = async (location: MrasLocation) =>
    answerOf(await caller.ask({ body: asking({ location }) })).credentials[0]?.relays;
  assert.deepEqual(await relays('internet'), [
    { location: 'internet', hostName: 'av.example.test', udpPort: 3478, tcpPort: 443 },
  ]);
  assert.deepEqual(await relays('intranet'), [
    { location: 'intranet', hostName: 'edge.corp.test', udpPort: 3478, tcpPort: 443 },
  ]);
  assert.deepEqual(
    answerOf(await caller.ask({ body: asking({ route: 'directip' }) })).credentials[0]?.relays,
    [
      { location: 'internet', directIpAddress: '127.0.9.64', udpPort: 3478, tcpPort: 443 },
      { location: 'intranet', directIpAddress: INTERNAL, udpPort: 3478, tcpPort: 443 },
    ],
  );
});

test('the token is good for whoever holds the key, for as long as it says', async (t) => {
  const bench = await start(t);
  const before = Date.now();
  const response = answerOf(await (await bench.frontEnd()).ask({ body: asking({ duration: 60 }) }));
  const issued = response.credentials[0]?.credentials;
  assert.ok(issued !== undefined);
  assert.equal(issued.duration, 60);
  assert.equal(issued.realm, 'example.test');
  const key = unwrap(parseMediaKey(Buffer.from(mediaKeyText(Buffer.alloc(32, 1)))));
  const found = new MediaTokenVerifier([{ key: key, until: Number.POSITIVE_INFINITY }]).lookup(
    Buffer.from(issued.username),
    'example.test',
    before,
  );
  assert.ok(found.ok);
  assert.ok(found.value.expires > before + 59 * 60_000 && found.value.expires <= Date.now() + 60 * 60_000);
});

test('credentials count as the user of From, however many identities the body makes up', async (t) => {
  const caller = await (await start(t)).frontEnd();
  const key = unwrap(parseMediaKey(Buffer.from(mediaKeyText(Buffer.alloc(32, 1)))));
  const users = new Set<string>();
  for (const identity of [
    'sip:alice@example.test',
    'sip:alice1@example.test',
    'SIP:ALICE@example.test',
    'x',
  ]) {
    const body = asking().toString().replace('<identity>sip:alice@example.test<', `<identity>${identity}<`);
    const issued = answerOf(await caller.ask({ body: Buffer.from(body) })).credentials[0]?.credentials;
    const username = Buffer.from(issued?.username ?? '');
    const found = new MediaTokenVerifier([{ key: key, until: Number.POSITIVE_INFINITY }]).lookup(
      username,
      'example.test',
      Date.now(),
    );
    assert.ok(found.ok);
    users.add(found.value.user);
  }
  assert.equal(users.size, 1);
});

test('the response bears what a SIP response must', async (t) => {
  const response = await (await (await start(t)).frontEnd()).ask({ body: asking() });
  assert.equal(response.topVia.branch, 'z9hG4bK1');
  assert.equal(response.callId, 'call-1');
  assert.equal(response.from.tag, '1');
  assert.ok(response.to.tag);
  assert.deepEqual(response.cseq, { number: 1, method: 'SERVICE' });
});

test('refusals without a body: method, scheme, extension, content type', async (t) => {
  const caller = await (await start(t)).frontEnd();
  const body = asking();
  for (const method of ['MESSAGE', 'OPTIONS', 'REGISTER']) {
    const response = await caller.ask({ method, body });
    assert.equal(response.status, 405);
    assert.equal(response.header('Allow'), 'SERVICE');
    assert.equal(response.body.length, 0);
  }
  for (const contentType of ['', 'application/sdp', 'text/xml']) {
    const response = await caller.ask({ contentType, body });
    assert.equal(response.status, 415);
    assert.equal(response.header('Accept'), MRAS_CONTENT_TYPE);
    assert.equal(response.body.length, 0);
  }
  const encoded = await caller.ask({ body, headers: [['Content-Encoding', 'gzip']] });
  assert.deepEqual([encoded.status, encoded.header('Accept-Encoding')], [415, 'identity']);
  const required = await caller.ask({ body, headers: [['Require', 'foo, bar']] });
  assert.deepEqual([required.status, required.header('Unsupported')], [420, 'foo, bar']);
  assert.equal((await caller.ask({ uri: 'tel:+15550100', body })).status, 416);
  const upper = `${MRAS_CONTENT_TYPE.toUpperCase()};charset=utf-8`;
  assert.equal(answerOf(await caller.ask({ contentType: upper, body })).reason, 'OK');
});

test('failures with a body: whatever is wrong with the XML is a 200 that says so', async (t) => {
  const bench = await start(t);
  const caller = await bench.frontEnd();
  const reason = async (body: Buffer) => answerOf(await caller.ask({ body })).reason;
  assert.equal(await reason(Buffer.alloc(0)), 'Request Malformed');
  assert.equal(await reason(Buffer.from('<request/>')), 'Request Malformed');
  assert.equal(await reason(Buffer.from(asking().toString().replace('"1.0"', '"7.0"'))), 'Version Mismatch');
  const many = asking()
    .toString()
    .replace(/<credentialsRequest .*<\/credentialsRequest>/, (one) => one.repeat(101));
  assert.equal(await reason(Buffer.from(many)), 'Request Too Large');
  await bench.service.drain();
  assert.equal(await reason(asking()), 'Server Busy');
  await bench.service.undrain();
  assert.equal(await reason(asking()), 'OK');
  const counters = (await bench.service.verbs.counters?.({})) as { answers: Record<string, number> };
  assert.equal(counters.answers['Server Busy'], 1);
  assert.equal(counters.answers.OK, 1);
  assert.match(await bench.metrics.text(), /answers_total\{outcome="Request Malformed"\} 2/);
});

test('only listed callers with a certificate of the internal authority get in', async (t) => {
  const bench = await start(t);
  const stranger = unwrap(await bench.dial('stranger.corp.test'));
  await stranger.closed;
  const foreign = await bench.dial('fe1.corp.test', await LabAuthority.create({ name: 'Other root' }));
  if (foreign.ok) await foreign.value.closed;
  const line = bench.log.lines.find((one) => one.code === 'SLP-AV-0207');
  assert.match(String(line?.subject), /stranger/);
  assert.match(await bench.metrics.text(), /callers_refused_total 1/);
  assert.equal(answerOf(await unwrap(await bench.dial('fe.corp.test')).ask({ body: asking() })).reason, 'OK');
});

test('reload: names and lifetime count at once [setting policy.names.av] [setting policy.mediaCredentials.lifetimeMinutes]', async (t) => {
  const bench = await start(t);
  const caller = await bench.frontEnd();
  bench.document.policy.mediaCredentials.lifetimeMinutes = 30;
  bench.document.policy.names.av = 'media.example.test';
  writeKey(bench.document.host.stateDirectory, 2);
  await bench.apply();
  const answer = answerOf(await caller.ask({ body: asking({ location: 'internet' }) })).credentials[0];
  assert.equal(answer?.credentials.duration, 30);
  assert.equal(answer?.relays[0]?.hostName, 'media.example.test');
  const key = unwrap(parseMediaKey(Buffer.from(mediaKeyText(Buffer.alloc(32, 2)))));
  const username = Buffer.from(answer?.credentials.username ?? '');
  assert.ok(
    new MediaTokenVerifier([{ key: key, until: Number.POSITIVE_INFINITY }]).lookup(
      username,
      'example.test',
      Date.now(),
    ).ok,
  );
});

test('reload: a caller off the list is disconnected [setting policy.avAuthentication.callers]', async (t) => {
  const bench = await start(t);
  const caller = await bench.frontEnd();
  assert.equal(answerOf(await caller.ask({ body: asking() })).reason, 'OK', 'it was let in');
  bench.document.policy.avAuthentication.callers = ['mediation.corp.test'];
  await bench.apply();
  await caller.closed;
  const mediation = unwrap(await bench.dial('mediation.corp.test'));
  assert.equal(answerOf(await mediation.ask({ body: asking() })).reason, 'OK');
});

test('reload: the limit of connections counts for newcomers [setting policy.limits.avAuthentication.connections]', async (t) => {
  const bench = await start(t);
  const first = await bench.frontEnd();
  await bench.frontEnd();
  bench.document.policy.limits.avAuthentication.connections = 2;
  await bench.apply();
  const third = await bench.dial('fe1.corp.test');
  assert.equal(third.ok, false);
  assert.equal(answerOf(await first.ask({ body: asking() })).reason, 'OK', 'the first one stays');
});

test('a document that cannot be used changes nothing', async (t) => {
  const bench = await start(t);
  const caller = await bench.frontEnd();
  const broken = structuredClone(bench.document);
  broken.policy.mediaCredentials.keyFile = '/nowhere/media.key';
  const refused = await bench.service.provision(broken);
  assert.ok(!refused.ok && refused.error.code === 'SLP-AV-0203');
  broken.host.internalCa = '/nowhere/ca.pem';
  assert.equal((await bench.service.provision(broken)).ok, false);
  assert.equal(answerOf(await caller.ask({ body: asking() })).reason, 'OK');
  assert.match(bench.service.health().detail, /1 callers connected, 1 credentials issued/);
});

test('stop ends every connection', async (t) => {
  const bench = await start(t);
  const caller = await bench.frontEnd();
  await bench.service.stop();
  await caller.closed;
  assert.equal(bench.service.remaining(), 0);
});

test('answers say the time, so that callers can compare clocks', async (t) => {
  const before = Math.floor(Date.now() / 1000) * 1000;
  const response = await (await (await start(t)).frontEnd()).ask({ body: asking() });
  const date = Date.parse(response.header('Date') ?? '');
  assert.ok(date >= before && date <= Date.now());
});
