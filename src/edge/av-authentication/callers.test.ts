import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { formatMrasRequest, type MrasResponse, parseMrasResponse } from '#protocols/credentials';
import type { SipResponse } from '#protocols/sip';
import { Bench, type Caller, unwrap } from './testing/bench.ts';

const VECTOR = join(import.meta.dirname, '../../../spec/vectors/mras/pidgin-sipe.sip');
const USER = 'sip:alice@example.test';

async function start(t: TestContext): Promise<Bench> {
  const bench = await Bench.start();
  t.after(() => bench.stop());
  return bench;
}

function asking(from: string, identities: readonly string[] = [from]): Buffer {
  return formatMrasRequest({
    requestId: 'R',
    version: '2.0',
    to: 'sip:edge.corp.test@example.test;gruu',
    from,
    route: 'loadbalanced',
    credentials: identities.map((identity, index) => ({ id: `c${index}`, identity })),
  });
}

function answerOf(response: SipResponse): MrasResponse {
  assert.equal(response.status, 200);
  const parsed = parseMrasResponse(response.body);
  assert.ok(parsed.ok);
  return parsed.value;
}
async function reason(caller: Caller, from: string): Promise<string> {
  return answerOf(await caller.ask({ from, body: asking(USER) })).reason;
}

test('the request of pidgin-sipe, octet by octet, gets an answer that it can use', async (t) => {
  const caller = await (await start(t)).frontEnd();
  const response = await caller.send(readFileSync(VECTOR));
  assert.equal(response.from.tag, '160139110');
  assert.equal(response.callId, 'C59DgCB90a46D7iE8A9m15ADtFE64bD7E6xB0B0x');
  const { requestId, reason: phrase, credentials } = answerOf(response);
  assert.deepEqual([requestId, phrase, credentials.length], ['1619019019', 'OK', 1]);
  // It reads the first credentialsResponse only, looks hostName up, and takes UDP and TCP ports as they are.
  const [only] = credentials;
  assert.equal(only?.credentials.duration, 480);
  assert.equal(Buffer.from(only?.credentials.username ?? '', 'base64').length, 52);
  assert.equal(Buffer.from(only?.credentials.password ?? '', 'base64').length, 20);
  assert.deepEqual(only?.relays, [
    { location: 'internet', hostName: 'av.example.test', udpPort: 3478, tcpPort: 443 },
  ]);
});

test('media servers and branch servers ask directly, in their own name, for as many as they need', async (t) => {
  const bench = await start(t);
  bench.document.policy.avAuthentication.callers = ['fe1.corp.test', 'conf1.corp.test', 'branch7.corp.test'];
  await bench.apply();
  for (const host of ['conf1.corp.test', 'branch7.corp.test']) {
    const server = unwrap(await bench.dial(host));
    const own = `sip:${host}`;
    const rooms = Array.from({ length: 20 }, (_, n) => `sip:room${n}@example.test`);
    const { reason: phrase, credentials } = answerOf(
      await server.ask({ from: own, body: asking(own, rooms) }),
    );
    assert.equal(phrase, 'OK');
    assert.equal(new Set(credentials.map((one) => one.credentials.username)).size, rooms.length);
    assert.equal(await reason(server, `sip:mediation@${host}`), 'OK');
    assert.equal(await reason(server, USER), 'OK', 'and on behalf of its users');
  }
});

test('nobody gets credentials for another organisation or in the name of another server', async (t) => {
  const bench = await start(t);
  const caller = await bench.frontEnd();
  assert.equal(await reason(caller, 'sip:eve@elsewhere.test'), 'Forbidden');
  assert.equal(await reason(caller, 'sip:conf1.corp.test'), 'Forbidden');
  assert.equal(await reason(caller, 'sip:alice@EXAMPLE.test'), 'OK');
  assert.match(await bench.metrics.text(), /answers_total\{outcome="Forbidden"\} 2/);
});

test('for guests, whatever their address, where the document has guests [setting policy.remoteAccess.guests.allowed]', async (t) => {
  const bench = await start(t);
  const caller = await bench.frontEnd();
  const guest = 'sip:3f8a@anonymous.invalid';
  assert.equal(await reason(caller, guest), 'Forbidden');
  bench.document.policy.remoteAccess.guests.allowed = true;
  await bench.apply();
  assert.equal(await reason(caller, guest), 'OK');
});

test('a caller that asks too often hears that the server is busy; another one does not [setting policy.limits.avAuthentication.requestsPerSecond]', async (t) => {
  const bench = await start(t);
  bench.document.policy.limits.avAuthentication.requestsPerSecond = 1;
  await bench.apply();
  const [caller, other] = [await bench.frontEnd(), unwrap(await bench.dial('fe.corp.test'))];
  const flood = await Promise.all(Array.from({ length: 50 }, () => reason(caller, USER)));
  assert.equal(flood[0], 'OK');
  assert.ok(flood.filter((one) => one === 'Server Busy').length > 20, flood.join());
  assert.equal(await reason(other, USER), 'OK');
  bench.document.policy.limits.avAuthentication.requestsPerSecond = 200;
  await bench.apply();
  const calm = await Promise.all(Array.from({ length: 50 }, () => reason(caller, USER)));
  assert.deepEqual([...new Set(calm)], ['OK']);
});

test('bad requests of the last seconds show in its health and as a metric', async (t) => {
  const bench = await start(t);
  const caller = await bench.frontEnd();
  while (!/ bad requests\/s/.test(bench.service.health().detail)) {
    await Promise.all(Array.from({ length: 40 }, () => caller.ask({ method: 'OPTIONS' })));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.match(await bench.metrics.text(), /^sallyport_av_authentication_bad_requests_per_second [1-9]/m);
  assert.equal(await reason(caller, USER), 'OK');
});

test('by address it is the address that the outside sees, behind a NAT too [setting host.addresses.public.av]', async (t) => {
  const bench = await start(t);
  const caller = await bench.frontEnd();
  const outside = async () => {
    const body = asking(USER).toString().replace(' from=', ' route="directip" from=');
    const relays = answerOf(await caller.ask({ body: Buffer.from(body) })).credentials[0]?.relays ?? [];
    return relays.filter(({ location }) => location === 'internet').map((one) => one.directIpAddress);
  };
  assert.deepEqual(await outside(), ['127.0.9.64']);
  bench.document.host.addresses.public.av = ['192.0.2.64'];
  await bench.apply();
  assert.deepEqual(await outside(), ['192.0.2.64']);
});
