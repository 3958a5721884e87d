import assert from 'node:assert/strict';
import { connect as connectTcp } from 'node:net';
import { test } from 'node:test';
import { JumpingClock, until } from '#kernel';
import { AccessLab } from './testing/lab.ts';
import { request } from './testing/messages.ts';
import { contactOf, signIn } from './testing/plays.ts';
import type { SipPeer } from './testing/sip-peer.ts';

const HOUR = 3_600_000;

let branches = 0;
/** A MESSAGE with a branch of its own. */
function message(change: Record<string, string> = {}, body = ''): Buffer {
  branches += 1;
  return request(
    'MESSAGE',
    'sip:bob@example.com',
    { Via: `SIP/2.0/TLS h;branch=z9hG4bKn${branches}`, ...change },
    body,
  );
}

async function refusals(lab: AccessLab): Promise<Record<string, number>> {
  const counters = (await lab.service.verbs.counters?.({})) as { refusals: Record<string, number> };
  return counters.refusals;
}

async function exchange(client: SipPeer, fe: SipPeer): Promise<void> {
  client.sends(message());
  fe.answers(await fe.receivesRequest('MESSAGE'), 200);
  await client.receives(200);
}

test('without a next hop: 503 with Retry-After; when it comes, all is well', async (t) => {
  const lab = await AccessLab.start(t, { listening: false });
  const client = await lab.client();
  client.sends(message());
  assert.equal((await client.receives(503)).header('Retry-After'), '5');
  await lab.frontEnds[0].listen();
  await exchange(client, await lab.frontEnds[0].connection());
});

test('the next hop dies and returns: the connections of clients and their tokens stay', async (t) => {
  const lab = await AccessLab.start(t);
  const [frontEnd] = lab.frontEnds;
  const before = await frontEnd.connection();
  const client = await lab.client();
  const path = await signIn(client, before, 'alice');
  await frontEnd.stop();
  client.sends(message());
  assert.equal((await client.receives(503)).header('Retry-After'), '5');
  await frontEnd.listen();
  const after = await frontEnd.connection();
  await exchange(client, after);
  after.sends(request('MESSAGE', contactOf('alice'), { Route: path }));
  client.answers(await client.receivesRequest('MESSAGE'), 200);
  await after.receives(200);
});

test('a client stays with its member until that fails, then with another; a request under way moves too', async (t) => {
  const lab = await AccessLab.start(t, { members: 2 });
  const hops = await Promise.all(lab.frontEnds.map((frontEnd) => frontEnd.connection()));
  await until(() => lab.service.health().detail.includes('2 of 2'));
  const client = await lab.client();
  client.sends(message());
  const arrivals = hops.map((hop) => hop.receivesRequest('MESSAGE'));
  const which = await Promise.race(arrivals.map((arrival, index) => arrival.then(() => index)));
  const [first, second] = [hops[which], hops[1 - which]];
  assert.ok(first && second);
  client.sends(message());
  await first.receivesRequest('MESSAGE');
  // Neither is answered: their member goes away, and both come to the other one.
  await lab.frontEnds[which]?.stop();
  second.answers((await arrivals[1 - which]) ?? assert.fail(), 200);
  second.answers(await second.receivesRequest('MESSAGE'), 200);
  await client.receives(200);
  await client.receives(200);
  await lab.frontEnds[which]?.listen();
  await lab.frontEnds[which]?.connection();
  await until(() => lab.service.health().detail.includes('2 of 2'));
  await exchange(client, second);
});

test('a wrong certificate of the next hop is no next hop', async (t) => {
  const lab = await AccessLab.start(t, { listening: false });
  await lab.frontEnds[0].listen(['fe9.corp.example']);
  const client = await lab.client();
  client.sends(message());
  await client.receives(503);
  assert.match(lab.service.health().detail, /0 of 1/);
});

test('before sign-in: messages [setting policy.limits.access.preSignIn.messages]', async (t) => {
  const lab = await AccessLab.start(t);
  const fe = await lab.frontEnds[0].connection();
  lab.document.policy.limits.access.preSignIn.messages = 3;
  await lab.commit();
  const client = await lab.client();
  for (let i = 0; i < 3; i++) {
    client.sends(message());
    fe.answers(await fe.receivesRequest('MESSAGE'), 407);
    await client.receives(407);
  }
  client.sends(message());
  await client.isClosed();
  assert.equal((await refusals(lab))['pre-sign-in-messages'], 1);
  const signedIn = await lab.client();
  await signIn(signedIn, fe, 'alice');
  for (let i = 0; i < 5; i++) await exchange(signedIn, fe);
});

test('before sign-in: bytes [setting policy.limits.access.preSignIn.bytes]', async (t) => {
  const lab = await AccessLab.start(t);
  lab.document.policy.limits.access.preSignIn.bytes = 8192;
  await lab.commit();
  const client = await lab.client();
  client.sends(message({ 'Content-Type': 'text/plain' }, 'x'.repeat(9000)));
  await client.isClosed();
  assert.equal((await refusals(lab))['pre-sign-in-bytes'], 1);
});

test('before sign-in: seconds [setting policy.limits.access.preSignIn.seconds]', async (t) => {
  const lab = await AccessLab.start(t, {
    change: (document) => {
      document.policy.limits.access.preSignIn.seconds = 1;
    },
  });
  const fe = await lab.frontEnds[0].connection();
  const signedIn = await lab.client();
  await signIn(signedIn, fe, 'alice');
  const silent = await lab.client();
  await silent.isClosed();
  assert.equal((await refusals(lab))['pre-sign-in-seconds'], 1);
  await exchange(signedIn, fe);
});

test('a silent connection is closed [setting policy.limits.access.keepAliveSeconds]', async (t) => {
  const lab = await AccessLab.start(t);
  const fe = await lab.frontEnds[0].connection();
  const client = await lab.client();
  await signIn(client, fe, 'alice');
  // Below the floor that the schema sets, so that the test need not wait.
  lab.document.policy.limits.access.keepAliveSeconds = 1;
  await lab.commit();
  await client.isClosed();
});

test('one source may hold so many connections [setting policy.limits.access.connectionsPerSource]', async (t) => {
  const lab = await AccessLab.start(t);
  const open = await lab.client();
  lab.document.policy.limits.access.connectionsPerSource = 2;
  await lab.commit();
  await lab.client();
  await assert.rejects(lab.client());
  open.sends('\r\n\r\n');
  await open.receivesPong();
});

test('all sources together may hold so many [setting policy.limits.access.connections]', async (t) => {
  const lab = await AccessLab.start(t);
  lab.document.policy.limits.access.connections = 2;
  await lab.commit();
  await lab.client();
  await lab.client();
  await assert.rejects(lab.client());
});

test('certificates are exchanged without closing anything', async (t) => {
  const lab = await AccessLab.start(t);
  const fe = await lab.frontEnds[0].connection();
  const before = await lab.client();
  await signIn(before, fe, 'alice');
  await lab.issueExternal();
  await lab.commit();
  const after = await lab.client();
  const serial = (peer: SipPeer) => peer.socket.getPeerCertificate().serialNumber;
  assert.notEqual(serial(before), serial(after));
  await exchange(before, fe);
  await exchange(after, fe);
});

test('a document that cannot be used changes nothing', async (t) => {
  const lab = await AccessLab.start(t);
  const fe = await lab.frontEnds[0].connection();
  const good = lab.document.host.certificates.access;
  const bad = structuredClone(lab.document);
  bad.host.certificates.access = {
    certificate: good.certificate,
    key: lab.document.host.certificates.internal.key,
  };
  assert.equal((await lab.service.provision(bad)).ok, false);
  bad.host.certificates.access = good;
  bad.policy.nextHop.members.push({
    name: 'six.corp.example',
    address: 'fd00:45::1',
    port: 5061,
    domains: [],
  });
  const refused = await lab.service.provision(bad);
  assert.equal(!refused.ok && refused.error.code, 'SLP-SIP-0402');
  await exchange(await lab.client(), fe);
});

test('a drained edge takes no new client and keeps those it has; undrained it takes them again', async (t) => {
  const lab = await AccessLab.start(t);
  const fe = await lab.frontEnds[0].connection();
  const client = await lab.client();
  await signIn(client, fe, 'alice');
  await lab.service.drain();
  await assert.rejects(lab.client());
  await exchange(client, fe);
  assert.equal(lab.service.remaining(), 1);
  client.ends();
  await until(() => lab.service.remaining() === 0);
  await lab.service.undrain();
  await exchange(await lab.client(), fe);
});

test('after a restart the tokens of before are ours and dead, not forged', async (t) => {
  const lab = await AccessLab.start(t);
  const before = await lab.frontEnds[0].connection();
  const client = await lab.client();
  const path = await signIn(client, before, 'alice');
  await lab.restart();
  await client.isClosed();
  const fe = await lab.frontEnds[0].connection();
  fe.sends(request('MESSAGE', contactOf('alice'), { Route: path }));
  await fe.receives(430);
});

test('the wall clock jumps a day back and two ahead: who is signed in stays so, and newcomers are served', async (t) => {
  const clock = new JumpingClock();
  const lab = await AccessLab.start(t, { clock });
  const fe = await lab.frontEnds[0].connection();
  const client = await lab.client();
  const path = await signIn(client, fe, 'alice');
  for (const hours of [-24, 48]) {
    clock.ahead = hours * HOUR;
    client.sends(message());
    const arrived = await fe.receivesRequest('MESSAGE');
    assert.match(arrived.header('Sallyport-Asserted-Source') ?? '', /^<sip:alice@example\.com>/);
    fe.answers(arrived, 200);
    await client.receives(200);
    fe.sends(request('MESSAGE', contactOf('alice'), { Route: path }));
    client.answers(await client.receivesRequest('MESSAGE'), 200);
    await fe.receives(200);
    await signIn(await lab.client(), fe, `late${hours}`);
  }
});

test('garbage is answered or cut off, with at most one line for each connection and reason', async (t) => {
  const lab = await AccessLab.start(t);
  const fe = await lab.frontEnds[0].connection();
  const good = await lab.client();
  await signIn(good, fe, 'alice');
  const logged = () => lab.log.lines.filter((line) => line.level !== 'debug').length;
  const lines = logged();
  const garbage = [
    Buffer.alloc(5000, 0),
    Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
    Buffer.alloc(200_000, 0x41),
  ];
  for (const bytes of garbage) {
    // Who said SIP; without that, the second one would be told in HTTP that nothing is served.
    const client = await lab.client({ alpn: ['sip/2'] });
    client.sends(bytes);
    await client.isClosed();
  }
  for (const port of [lab.externalPort, lab.document.policy.ports.accessInternal]) {
    const host = port === lab.externalPort ? '127.0.9.10' : '127.0.9.20';
    for (const bytes of garbage) {
      const socket = connectTcp({ host, port });
      socket.on('error', () => {});
      socket.resume().write(bytes);
      await new Promise((resolve) => socket.once('close', resolve));
    }
  }
  assert.equal(logged() - lines, 3 * garbage.length);
  await exchange(good, fe);
});

test('a wrong ALPN is refused', async (t) => {
  const lab = await AccessLab.start(t);
  await assert.rejects(lab.client({ alpn: ['http/1.1'] }));
});

test('verbs tell connections and members', async (t) => {
  const lab = await AccessLab.start(t);
  const fe = await lab.frontEnds[0].connection();
  const client = await lab.client();
  await signIn(client, fe, 'alice');
  const told = (await lab.service.verbs.connections?.({})) as {
    total: number;
    clients: { addresses: string[]; member: string }[];
    nextHop: { name: string; state: string }[];
  };
  assert.equal(told.total, 1);
  assert.deepEqual(told.clients[0]?.addresses, ['alice@example.com']);
  assert.equal(told.clients[0]?.member, 'fe1.corp.example');
  assert.deepEqual(
    told.nextHop.map(({ name, state }) => [name, state]),
    [['fe1.corp.example', 'healthy']],
  );
  await assert.rejects(async () => lab.service.verbs.connections?.({ limit: 0 }));
  assert.match(await lab.metrics.text(), /sallyport_access_sign_ins_total\{outcome="accepted"\} 1/);
});

test('sign-ins are counted by what the next hop said: a challenge is no refusal', async (t) => {
  const lab = await AccessLab.start(t);
  const fe = await lab.frontEnds[0].connection();
  const client = await lab.client();
  const digest = 'Digest username="alice", realm="example.com", nonce="n", uri="sip:x", response="00"';
  const plays = [
    [{}, 401, ['Digest realm="example.com", nonce="n"'], 'challenged'],
    [{ Authorization: digest }, 401, ['Digest realm="example.com", nonce="m", stale=true'], 'challenged'],
    [{ Authorization: digest }, 401, ['Digest realm="example.com", nonce="o"'], 'refused'],
    [{ Authorization: digest }, 403, [], 'refused'],
    [{ Authorization: digest }, 200, [], 'accepted'],
  ] as const;
  const expected = { accepted: 0, challenged: 0, refused: 0, withdrawn: 0 };
  for (const [index, [credentials, status, challenges, outcome]] of plays.entries()) {
    client.sends(
      request('REGISTER', 'sip:example.com', {
        Via: `SIP/2.0/TLS h;branch=z9hG4bKs${index}`,
        To: '<sip:alice@example.com>',
        Contact: '<sip:alice@192.168.1.5>',
        ...credentials,
      }),
    );
    const headers = challenges.map((text) => ['WWW-Authenticate', text] as const);
    fe.answers(await fe.receivesRequest('REGISTER'), status, { headers });
    await client.receives(status);
    expected[outcome] += 1;
    const told = (await lab.service.verbs.counters?.({})) as { signIns: object };
    assert.deepEqual(told.signIns, expected, `play ${index}`);
  }
});
