import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { JumpingClock, until } from '#kernel';
import type { EdgeDocument } from '#platform/topology';
import { AccessLab } from './testing/lab.ts';
import { request } from './testing/messages.ts';
import { contactOf, INSIDE } from './testing/plays.ts';
import type { SipPeer } from './testing/sip-peer.ts';
import { WebSocketPeer } from './testing/web-socket-peer.ts';

const ORIGIN = 'https://phone.example.com';
const VIA = 'SIP/2.0/WSS df7jal23ls0d.invalid;branch=z9hG4bK';

async function start(t: TestContext, more: (document: EdgeDocument) => void = () => {}) {
  const change = (document: EdgeDocument) => {
    document.policy.remoteAccess.webSocket = { enabled: true, origins: [ORIGIN] };
    more(document);
  };
  const lab = await AccessLab.start(t, { change });
  return { lab, fe: await lab.frontEnds[0].connection() };
}

async function signIn(client: WebSocketPeer, fe: SipPeer): Promise<string> {
  client.sends(
    request('REGISTER', 'sip:example.com', {
      Via: `${VIA}reg`,
      To: '<sip:alice@example.com>',
      Contact: '<sip:alice@df7jal23ls0d.invalid;transport=ws>;reg-id=1;+sip.instance="<urn:uuid:1>"',
      Supported: 'path, outbound',
    }),
  );
  const register = await fe.receivesRequest('REGISTER');
  fe.answers(register, 200, { headers: [['Contact', `<${contactOf('alice')}>;expires=300`]] });
  await client.receives(200);
  return register.values('Path').join(', ');
}

/** What the edge answers to raw octets behind TLS, until it closes. */
async function raw(lab: AccessLab, text: string, alpn?: string[]): Promise<string> {
  const peer = await lab.client(alpn === undefined ? {} : { alpn });
  const bytes: Buffer[] = [];
  peer.socket.removeAllListeners('data');
  peer.socket.on('data', (chunk: Buffer) => bytes.push(chunk));
  peer.socket.write(text);
  await new Promise((resolve) => peer.socket.once('close', resolve));
  return Buffer.concat(bytes).toString();
}

test('a client over WebSocket signs in and is reached; what it sees is of its own transport (RFC 7118)', async (t) => {
  const { lab, fe } = await start(t);
  const client = await WebSocketPeer.open(lab, { origin: ORIGIN });
  assert.equal(client.socket.protocol, 'sip');
  assert.equal(client.socket.extensions, '', 'no compression');
  const path = await signIn(client, fe);
  assert.match(path, /^<sip:[\w-]{20,}@edge1\.corp\.example:\d+;transport=tls;lr;ob>$/);
  const fields = {
    Via: 'SIP/2.0/TLS fe1;branch=z9hG4bKin',
    Route: path,
    'Record-Route': '<sip:fe1.corp.example;lr>',
    Contact: '<sip:bob@10.45.32.99>',
  };
  fe.sends(request('INVITE', contactOf('alice'), fields));
  const invite = await client.receivesRequest('INVITE');
  assert.equal(invite.topVia.transport, 'WSS');
  assert.match(invite.header('Record-Route') ?? '', /^<sip:[\w-]+@sip\.example\.com:\d+;transport=ws;lr/);
  client.answers(invite, 486);
  assert.equal((await fe.receives(486)).topVia.transport, 'TLS');
  assert.doesNotMatch(client.shown.join(), INSIDE);
});

test('messages that leave together are messages of their own', async (t) => {
  const { lab, fe } = await start(t);
  const client = await WebSocketPeer.open(lab);
  const path = await signIn(client, fe);
  const text = (branch: number) =>
    request('MESSAGE', contactOf('alice'), {
      Via: `SIP/2.0/TLS fe1;branch=z9hG4bKt${branch}`,
      Route: path,
      'Call-ID': `t${branch}`,
    });
  fe.sends(Buffer.concat([text(1), text(2), text(3)]));
  for (const callId of ['t1', 't2', 't3'])
    assert.equal((await client.receivesRequest('MESSAGE')).callId, callId);
});

test('without Content-Length the message is the body; the next hop gets one with it', async (t) => {
  const { lab, fe } = await start(t);
  const client = await WebSocketPeer.open(lab);
  const whole = request('MESSAGE', 'sip:carol@example.com', { Via: `${VIA}m` }, 'hello');
  client.sends(whole.toString().replace(/Content-Length: \d+\r\n/, ''));
  const received = await fe.receivesRequest('MESSAGE');
  assert.equal(received.header('Content-Length'), '5');
  assert.equal(received.body.toString(), 'hello');
});

test('S17, S4: two messages in one, or a length that is not its own, end the WebSocket', async (t) => {
  const { lab } = await start(t);
  const one = request('OPTIONS', 'sip:sip.example.com', { Via: `${VIA}o` });
  for (const bad of [
    Buffer.concat([one, one]),
    Buffer.from(one.toString().replace('Content-Length: 0', 'Content-Length: 5')),
    Buffer.from('no SIP at all'),
  ]) {
    const client = await WebSocketPeer.open(lab);
    client.sends(bad);
    assert.equal(await client.isClosed(), 1002);
  }
});

test('CRLF keep-alives, and pings of ours that nobody has to answer by hand [setting policy.limits.access.keepAliveSeconds]', async (t) => {
  const { lab } = await start(t, ({ policy }) => {
    policy.limits.access.keepAliveSeconds = 1;
  });
  const client = await WebSocketPeer.open(lab);
  client.sends('\r\n\r\n');
  assert.equal(await client.receivesText(), '\r\n');
  await new Promise((resolve) => client.socket.once('ping', resolve));
  await new Promise((resolve) => client.socket.once('ping', resolve));
});

test('pages of other origins are refused, clients without origin are not [setting policy.remoteAccess.webSocket.origins]', async (t) => {
  const { lab } = await start(t);
  const stranger = { origin: 'https://evil.example' };
  assert.equal(await WebSocketPeer.connect(lab, stranger), 403);
  assert.equal(await WebSocketPeer.connect(lab, { origin: 'null' }), 403);
  await WebSocketPeer.open(lab);
  lab.document.policy.remoteAccess.webSocket.origins.push(stranger.origin);
  await lab.commit();
  await WebSocketPeer.open(lab, stranger);
  const counters = (await lab.service.verbs.counters?.({})) as { refusals: Record<string, number> };
  assert.equal(counters.refusals['http-origin'], 2);
});

test('it is off unless the document switches it on [setting policy.remoteAccess.webSocket.enabled]', async (t) => {
  const lab = await AccessLab.start(t);
  // A browser offers only HTTP, and has no handshake.
  await assert.rejects(lab.client({ alpn: ['http/1.1'] }));
  assert.equal(await WebSocketPeer.connect(lab).catch(() => 404), 404);
  lab.document.policy.remoteAccess.webSocket = { enabled: true, origins: [] };
  await lab.commit();
  await WebSocketPeer.open(lab);
});

test('S17: browsers and probes get a small 4xx and the end', async (t) => {
  const { lab } = await start(t);
  const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
  const upgrade = 'Host: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n';
  const outcome: readonly (readonly [string, RegExp])[] = [
    ['GET / HTTP/1.1\r\nHost: sip.example.com\r\n\r\n', /^HTTP\/1\.1 426 /],
    ['POST / HTTP/1.1\r\nHost: a\r\n\r\n', /^HTTP\/1\.1 405 /],
    ['GET / HTTP/1.0\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', /^HTTP\/1\.1 400 /],
    [`GET / HTTP/1.1\r\n${'X: y\r\n'.repeat(100)}\r\n`, /^HTTP\/1\.1 431 /],
    [`GET / HTTP/1.1\r\nX: ${'y'.repeat(10_000)}`, /^HTTP\/1\.1 431 /],
    ['GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello', /^HTTP\/1\.1 400 /],
    [`GET / HTTP/1.1\r\n${upgrade}${key}Sec-WebSocket-Version: 8\r\n\r\n`, /^HTTP\/1\.1 426 /],
    [`GET / HTTP/1.1\r\n${upgrade}${key}Sec-WebSocket-Version: 13\r\n\r\n`, /^HTTP\/1\.1 400 /],
  ];
  for (const [text, answer] of outcome) {
    const got = await raw(lab, text);
    assert.match(got, answer, text.slice(0, 60));
    assert.ok(got.length < 300, 'a refusal is small');
  }
  assert.match(await raw(lab, 'REGISTER sip:example.com SIP/2.0\r\n\r\n', ['http/1.1']), /^HTTP\/1\.1 400 /);
  // ALPACA: who said SIP is not given HTTP.
  assert.equal(await raw(lab, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', ['sip/2']), '');
});

const mask = [0, 0, 0, 0];
/** A frame with the given first two octets and no key that changes anything. */
function frame(first: number, payload: Buffer, masked = true): Buffer {
  const length = payload.length < 126 ? [payload.length] : [126, payload.length >> 8, payload.length & 255];
  length[0] = (length[0] ?? 0) | (masked ? 0x80 : 0);
  return Buffer.concat([Buffer.from([first, ...length, ...(masked ? mask : [])]), payload]);
}

test('S17: RFC 6455 to the letter: masks, control frames, fragments, sizes', async (t) => {
  const { lab } = await start(t);
  const { messageBytes } = lab.document.policy.limits.access;
  const bad: readonly (readonly [string, Buffer, number])[] = [
    ['not masked', frame(0x81, Buffer.from('x'), false), 1002],
    ['a long control frame', frame(0x89, Buffer.alloc(126)), 1002],
    ['a control frame in pieces', frame(0x09, Buffer.alloc(1)), 1002],
    ['a reserved bit', frame(0xc1, Buffer.from('x')), 1002],
    ['an unknown opcode', frame(0x83, Buffer.from('x')), 1002],
    ['a continuation of nothing', frame(0x80, Buffer.from('x')), 1002],
    ['text that is no UTF-8', frame(0x81, Buffer.from([0xff, 0xfe])), 1007],
    ['too long a message', frame(0x81, Buffer.alloc(Math.min(messageBytes + 1, 65_535), 0x41)), 1009],
    [
      'a bomb of fragments',
      Buffer.concat([frame(0x01, Buffer.from('O')), ...Array(100).fill(frame(0x00, Buffer.from('x')))]),
      1008,
    ],
  ];
  lab.document.policy.limits.access.messageBytes = 32_768;
  await lab.commit();
  for (const [what, bytes, code] of bad) {
    const client = await WebSocketPeer.open(lab);
    const closed = new Promise<number>((resolve) => client.socket.once('close', resolve));
    (client.socket as unknown as { _socket: { write(bytes: Buffer): void } })._socket.write(bytes);
    assert.equal(await closed, code, what);
  }
});

test('S7: a WebSocket that does not read is cut off; the head that does not end, too', async (t) => {
  const { lab, fe } = await start(t, ({ policy }) => {
    policy.limits.access.outboundBytes = 65_536;
    policy.limits.access.handshakeSeconds = 1;
  });
  const client = await WebSocketPeer.open(lab);
  const path = await signIn(client, fe);
  client.socket.pause();
  for (let i = 0; lab.service.remaining() > 0; i++) {
    const fields = { Via: `SIP/2.0/TLS fe1;branch=z9hG4bKs${i}`, Route: path };
    fe.sends(request('MESSAGE', contactOf('alice'), fields, 'x'.repeat(60_000)));
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.match(await raw(lab, 'GET / HTTP/1.1\r\nHost: a\r\n'), /^HTTP\/1\.1 408 /);
});

test('before sign-in pings and pieces of messages count as octets, too', async (t) => {
  const { lab } = await start(t, ({ policy }) => {
    policy.limits.access.preSignIn.bytes = 8192;
  });
  const pings = (client: WebSocketPeer) => {
    const again = () => client.socket.ping(Buffer.alloc(100), undefined, () => {});
    client.socket.on('pong', again);
    again();
  };
  const pieces = (client: WebSocketPeer) => {
    for (let i = 0; i < 30; i++) client.socket.send('x'.repeat(400), { fin: false });
  };
  for (const flood of [pings, pieces]) {
    const client = await WebSocketPeer.open(lab);
    flood(client);
    assert.equal(await client.isClosed(), 1008);
  }
  const counters = (await lab.service.verbs.counters?.({})) as { refusals: Record<string, number> };
  assert.equal(counters.refusals['pre-sign-in-bytes'], 2);
});

test('who was slow to ask for a WebSocket has no more time to sign in than others', async (t) => {
  const clock = new JumpingClock();
  const lab = await AccessLab.start(t, {
    clock,
    change: ({ policy }) => {
      policy.remoteAccess.webSocket = { enabled: true, origins: [] };
      policy.limits.access.preSignIn.seconds = 600;
    },
  });
  const peer = await lab.client();
  let answer = '';
  peer.socket.removeAllListeners('data');
  peer.socket.on('data', (chunk: Buffer) => {
    answer += chunk.toString('latin1');
  });
  const opened = 'sallyport_connections_opened_total{direction="accepted"} 1';
  await until(async () => (await lab.metrics.text()).includes(opened));
  clock.later = 500_000;
  const head = ['Host: a', 'Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13'];
  head.push('Sec-WebSocket-Protocol: sip', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==');
  peer.socket.write(`GET / HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n`);
  await until(() => answer.startsWith('HTTP/1.1 101'));
  clock.later = 700_000;
  await peer.isClosed();
});

test('who says nothing is not waited for longer than before sign-in [setting policy.limits.access.preSignIn.seconds]', async (t) => {
  const { lab } = await start(t, ({ policy }) => {
    policy.limits.access.preSignIn.seconds = 1;
  });
  const silent = await lab.client();
  await silent.isClosed();
  const webSocket = await WebSocketPeer.open(lab);
  assert.ok([1001, 1008].includes(await webSocket.isClosed()));
  await until(() => lab.service.remaining() === 0);
});
