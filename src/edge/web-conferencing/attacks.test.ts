import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { connect as connectTls, createSecureContext } from 'node:tls';
import { ok, SystemRandom, until } from '#kernel';
import { LabAuthority } from '#platform/pki';
import { encodeOperation } from '#protocols/psom';
import { conferenceSigningKey } from '#protocols/tokens';
import { EdgeBench, HOST, NODE, OTHER_NODE } from './testing/bench.ts';
import { get, HASH, Outside, TestService, webSocket } from './testing/ends.ts';

async function started(t: Parameters<typeof EdgeBench.start>[0]) {
  const bench = await EdgeBench.start(t);
  const service = await TestService.start(t, [bench]);
  await service.linked(bench);
  return { bench, service };
}

test('tokens: forged, changed, of another key, of another purpose, expired: refused, counted, and nothing goes inside', async (t) => {
  const { bench, service } = await started(t);
  const good = Buffer.from(service.token(), 'base64url');
  const changed = Buffer.from(good);
  changed[17]! ^= 1; // another participant
  const presenter = Buffer.from(good);
  presenter[3] = 0; // another role
  const stranger = conferenceSigningKey(new SystemRandom().bytes(32));
  const hinted = Buffer.from(service.token({}, stranger), 'base64url');
  hinted[1] = service.key.id; // the hint of the key that is known
  const cases: [string, string, string][] = [
    ['garbage', 'token', 'token-malformed'],
    ['', 'token', 'token-malformed'],
    ['a'.repeat(512), 'token', 'token-malformed'],
    [changed.toString('base64url'), 'token', 'token-forged'],
    [presenter.toString('base64url'), 'token', 'token-forged'],
    [hinted.toString('base64url'), 'token', 'token-forged'],
    [service.token({}, stranger), 'token', 'token-forged'],
    [service.token({ purpose: 'resume' }), 'token', 'token-other-purpose'],
    [service.token({ purpose: 'content' }), 'token', 'token-other-purpose'],
    [service.token({ expires: Date.now() - 1000 }), 'expired', 'token-expired'],
  ];
  for (const [token, told, rule] of cases) {
    const outside = await Outside.join(t, bench, token);
    assert.equal(outside.answer, told, rule);
    assert.equal(bench.refused().at(-1), rule);
    await until(() => outside.closed);
  }
  assert.equal(service.participants.length, 0);
  const { refused } = await bench.verb<{ refused: { reason: string; count: number }[] }>('status');
  assert.deepEqual(Object.fromEntries(refused.map(({ reason, count }) => [reason, count])), {
    'token-malformed': 3,
    'token-forged': 4,
    'token-other-purpose': 2,
    'token-expired': 1,
  });
});

test('a token of another node, signed by that node, does not come in by a node that is connected', async (t) => {
  const { bench, service } = await started(t);
  const foreign = conferenceSigningKey(new SystemRandom().bytes(32));
  const outside = await Outside.join(t, bench, service.token({ node: OTHER_NODE }, foreign));
  assert.equal(outside.answer, 'no-service');
  // Nor does one node sign for another, though both are connected.
  const other = await TestService.start(t, [bench], { name: OTHER_NODE });
  await other.linked(bench);
  const stolen = await Outside.join(t, bench, other.token({ node: NODE }));
  assert.equal(stolen.answer, 'token');
  const own = await Outside.join(t, bench, other.token());
  assert.equal(own.answer, 'joined');
  assert.equal(service.participants.length, 0);
  assert.equal(other.participants.length, 1);
});

test('a token that is replayed is refused at the edge, at once and later, by TLS and by WebSocket', async (t) => {
  const { bench, service } = await started(t);
  const token = service.token();
  const both = await Promise.all([1, 2, 3].map(() => Outside.join(t, bench, token)));
  assert.deepEqual(both.map(({ answer }) => answer).sort(), ['joined', 'used', 'used']);
  const socket = webSocket(bench);
  await once(socket, 'open');
  const heard = once(socket, 'message');
  socket.send(encodeOperation({ kind: 'join', version: 1, show: 'conference', token }));
  const [data] = (await heard) as [Buffer];
  assert.equal(
    data.toString('hex'),
    Buffer.from(encodeOperation({ kind: 'refused', reason: 'used', retrySeconds: 0 })).toString('hex'),
  );
  assert.equal(service.participants.length, 1);
});

test('a resume token that was used is for its node to refuse; the edge counts it against its source', async (t) => {
  const bench = await EdgeBench.start(t, ({ policy }) => {
    policy.webConferencing.limits.refusalsPerMinute = 2;
  });
  const service = await TestService.start(t, [bench]);
  await service.linked(bench);
  const seen = new Set<string>();
  service.answer = (join) => {
    if (join.kind !== 'join') throw new Error(join.kind);
    if (seen.has(join.token)) return { kind: 'refused', reason: 'used', retrySeconds: 0 };
    seen.add(join.token);
    return { kind: 'joined', resumeToken: service.token({ purpose: 'resume' }) };
  };
  const token = service.token({ purpose: 'resume' });
  assert.equal((await Outside.join(t, bench, token, 'resume')).answer, 'joined');
  for (const answer of ['used', 'used', 'slow-down'])
    assert.equal((await Outside.join(t, bench, token, 'resume')).answer, answer);
  assert.deepEqual(bench.refused(), ['service', 'service', 'source-slowed']);
});

test('a join token is no resume token', async (t) => {
  const { bench, service } = await started(t);
  assert.equal((await Outside.join(t, bench, service.token(), 'resume')).answer, 'token');
});

test('garbage on 443 and on 8057 is cut off before anything reads it', async (t) => {
  const { bench } = await started(t);
  for (const [host, port] of [
    [bench.outside, 443],
    [bench.inside, 8057],
  ] as const) {
    const socket = connectTcp(port, host);
    socket.on('error', () => {});
    socket.resume();
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(socket, 'close');
  }
  assert.equal(bench.service.remaining(), 0);
});

test("ALPACA: the ALPN of another service, or of the link's port, is refused in the handshake", async (t) => {
  const { bench } = await started(t);
  for (const alpn of ['sip', 'h2', 'xmpp-server', 'stun.turn', 'sallyport-psom-link/1'])
    await assert.rejects(Outside.dial(t, bench, [alpn]), /alert|reset|disconnected|hang up/i, alpn);
});

test('8057: without a certificate, with one of another authority, with one that is not listed: no link', async (t) => {
  const { bench } = await started(t);
  const issued = await bench.issue('phone.corp.example');
  const dial = (context?: { cert: string; key: string }) => {
    const socket = connectTls({
      host: bench.inside,
      port: 8057,
      rejectUnauthorized: false,
      ALPNProtocols: ['sallyport-psom-link/1'],
      ...(context === undefined ? {} : { secureContext: createSecureContext(context) }),
    });
    socket.on('error', () => {});
    socket.resume();
    return once(socket, 'close');
  };
  await dial();
  const elsewhere = await LabAuthority.create({ name: 'Another root' });
  const forged = await elsewhere.issue({ name: NODE, hosts: [NODE] });
  await dial({ cert: forged.certificatePem, key: forged.keyPem });
  await dial({ cert: issued.certificatePem, key: issued.keyPem });
  await until(() => JSON.stringify(bench.log.lines).includes('SLP-WEB-0001'));
  const { links } = await bench.verb<{ links: unknown[] }>('status');
  assert.equal(links.length, 1, 'the one of the service');
});

test('frames that are too long, and JOINs that never end, reach nobody', async (t) => {
  const { bench, service } = await started(t);
  for (const bytes of [Buffer.from([0xff, 0xff, 16, 0]), Buffer.alloc(100_000, 1), Buffer.from([0, 0])]) {
    const outside = await Outside.dial(t, bench);
    outside.socket.write(bytes);
    await until(() => outside.closed);
    assert.equal(outside.bytes, 0);
  }
  assert.equal(service.participants.length, 0);
});

test('a page of a foreign origin opens no WebSocket', async (t) => {
  const { bench } = await started(t);
  await once(webSocket(bench, 'https://evil.example'), 'unexpected-response');
  assert.deepEqual(bench.refused(), ['origin']);
});

test('a participant that never reads is reset at its bound; the others hear everything', async (t) => {
  const { bench, service } = await started(t);
  const frozen = await Outside.join(t, bench, service.token());
  const [toFrozen] = service.participants;
  frozen.socket.pause();
  const others = await Promise.all(Array.from({ length: 5 }, () => Outside.join(t, bench, service.token())));
  const toOthers = service.participants.slice(1);
  let sent = 0;
  while (toFrozen?.closed === undefined) {
    toFrozen?.connection.write(Buffer.alloc(16_384));
    for (const one of toOthers) one.ping(sent);
    sent += 1;
    await until(() => others.every((one) => one.said.all.length >= sent + 1));
    assert.ok(sent < 4000, 'it was never reset');
  }
  assert.equal((await bench.event('participant-left')).rule, 'slow-reader');
  for (const other of others) other.say({ kind: 'ping', cookie: 9 });
  await until(() => toOthers.every(({ said }) => said.all.some((one) => one.kind === 'ping')));
});

test('path traversal towards files of meetings and of the host names nothing', async (t) => {
  const { bench, service } = await started(t);
  const token = service.token({ purpose: 'content' });
  for (const path of [
    '/../../../../etc/passwd',
    '/%2e%2e/%2e%2e/etc/passwd',
    `/content/${token}/../../etc/passwd`,
    `/content/${token}/${HASH}/..`,
    `/content/..%2f/${HASH}`,
  ])
    assert.match(await get(t, bench, path), /^HTTP\/1\.1 404 /, path);
  assert.deepEqual(service.asked, []);
});

test('content tokens: forged ones and those of other purposes get nothing, are counted and slowed', async (t) => {
  const bench = await EdgeBench.start(t, ({ policy }) => {
    policy.webConferencing.limits.refusalsPerMinute = 3;
  });
  const service = await TestService.start(t, [bench]);
  await service.linked(bench);
  const stranger = conferenceSigningKey(new SystemRandom().bytes(32));
  for (const token of [
    service.token({ purpose: 'content' }, stranger),
    service.token({ purpose: 'join' }),
    'nonsense',
  ])
    assert.match(await get(t, bench, `/content/${token}/${HASH}`), /^HTTP\/1\.1 403 /);
  assert.match(
    await get(t, bench, `/content/${service.token({ purpose: 'content' })}/${HASH}`),
    /^HTTP\/1\.1 503 /,
  );
  assert.deepEqual(bench.refused(), [
    'token-forged',
    'token-other-purpose',
    'token-malformed',
    'source-slowed',
  ]);
  assert.deepEqual(service.asked, []);
});

test('files that nobody takes the end of hold a few places, never those of participants', async (t) => {
  const { bench, service } = await started(t);
  service.content = () =>
    ok({ type: 'image/png', bytes: 10, name: 'slide.png', body: new Readable({ read: () => {} }) });
  const path = `/content/${service.token({ purpose: 'content' })}/${HASH}`;
  const begin = async () => {
    const client = await Outside.dial(t, bench, ['http/1.1']);
    client.socket.write(`GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
    return client;
  };
  const ask = async () => {
    const client = await begin();
    await until(() => client.text.includes('\r\n\r\n') || client.closed);
    return client;
  };
  const taken: Outside[] = [];
  while (taken.length < 64) taken.push(await ask());
  assert.ok(taken.every(({ text }) => text.startsWith('HTTP/1.1 200')));
  const next = await begin();
  assert.equal((await Outside.join(t, bench, service.token())).answer, 'joined');
  assert.equal(next.text, '', 'it waits for a place');
  // Whoever leaves gives the place back at once, though not one byte more comes or goes.
  taken.pop()?.socket.destroy();
  await until(() => next.text.startsWith('HTTP/1.1 200'));
});

test('whoever asks for files with bad tokens without end fills no log: a few are told, all are counted', async (t) => {
  const bench = await EdgeBench.start(t, ({ policy }) => {
    policy.webConferencing.limits.refusalsPerMinute = 100_000;
  });
  const client = await Outside.dial(t, bench, ['http/1.1']);
  const answers = () => client.text.split('HTTP/1.1 403').length - 1;
  for (let asked = 10; asked <= 200; asked += 10) {
    client.socket.write(`GET /content/nonsense/${HASH} HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`.repeat(10));
    await until(() => answers() === asked);
  }
  assert.deepEqual(bench.refused(), Array(10).fill('token-malformed'));
  const { refused } = await bench.verb<{ refused: { reason: string; count: number }[] }>('status');
  assert.deepEqual(refused, [{ reason: 'token-malformed', count: 200 }]);
});
