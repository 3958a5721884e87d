import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { ManualClock, ok, until } from '#kernel';
import { refuseJoin } from './index.ts';
import { DoorBench, file, HOST, joinFrame } from './testing/door-bench.ts';

const HASH = '0f'.repeat(32);

test('PSOM in TLS: the JOIN is handed over whole, and what comes later goes to who took it', async (t) => {
  const bench = await DoorBench.start(t);
  const client = await bench.psom();
  const frame = Buffer.from(joinFrame());
  for (const byte of frame) client.socket.write(Buffer.from([byte]));
  await until(() => bench.joins.length === 1);
  const [joined] = bench.joins;
  assert.equal(joined?.join.token, 'a-token');
  assert.equal(joined?.join.show, 'conference');
  assert.deepEqual(Buffer.from(joined!.join.frame), frame);
  client.socket.write('later');
  await until(() => joined?.text === 'later');
  joined?.connection.write(Buffer.from('answer'));
  await until(() => client.text === 'answer');
});

test('PSOM in a WebSocket: binary both ways, the same JOIN', async (t) => {
  const bench = await DoorBench.start(t);
  const socket = bench.webSocket(`https://${HOST}`);
  await once(socket, 'open');
  socket.send(joinFrame());
  await until(() => bench.joins.length === 1);
  const heard = once(socket, 'message');
  bench.joins[0]?.connection.write(Buffer.from('looks like text'));
  const [data, isBinary] = (await heard) as [Buffer, boolean];
  assert.equal(data.toString(), 'looks like text');
  assert.equal(isBinary, true);
  socket.send('text is none of ours');
  await once(socket, 'close');
  await until(() => bench.joins[0]?.closed === 'protocol');
});

test('whoever has joined and is not heard of for long is gone, by whichever way it came', async (t) => {
  const bench = await DoorBench.start(t);
  const socket = bench.webSocket(`https://${HOST}`);
  await once(socket, 'open');
  socket.send(joinFrame());
  const client = await bench.psom();
  client.socket.write(joinFrame());
  await until(() => bench.joins.length === 2);
  assert.deepEqual(
    bench.joins.map(({ connection }) => connection.idleMs),
    [90_000, 90_000],
  );
});

test('a page of another origin opens no WebSocket; a listed one, the own one and none at all do', async (t) => {
  const bench = await DoorBench.start(t);
  for (const foreign of ['https://evil.example', `http://${HOST}`, `https://${HOST}.evil.example`, 'null']) {
    const [, response] = (await once(bench.webSocket(foreign), 'unexpected-response')) as [
      unknown,
      { statusCode: number },
    ];
    assert.equal(response.statusCode, 403, foreign);
  }
  for (const good of ['https://pages.example.test', `https://${HOST}`, undefined])
    await once(bench.webSocket(good), 'open');
  assert.deepEqual(bench.refused, Array(4).fill('origin'));
});

test('a WebSocket of another path or subprotocol is none of this door', async (t) => {
  const bench = await DoorBench.start(t);
  for (const [path, protocol] of [
    ['/', 'sallyport-psom.1'],
    ['/psom', 'sip'],
  ] as const) {
    const [, response] = (await once(bench.webSocket(undefined, path, protocol), 'unexpected-response')) as [
      unknown,
      { statusCode: number },
    ];
    assert.ok(response.statusCode === 400 || response.statusCode === 200, `${response.statusCode}`);
  }
  assert.equal(bench.joins.length, 0);
});

test('who says something else than JOIN, too much, or more than JOIN, is let go', async (t) => {
  const bench = await DoorBench.start(t);
  const wrong: [string, Uint8Array][] = [
    ['join-malformed', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['join-malformed', Buffer.from([0, 0])],
    ['join-malformed', Buffer.from([0xff, 0xff, 16])],
    ['join-not-first', Buffer.from([0, 5, 4, 0, 0, 0, 1])],
    ['join-not-first', Buffer.concat([joinFrame(), Buffer.from([0, 5])])],
    ['join-malformed', Buffer.concat([joinFrame('x'.repeat(600))])],
  ];
  for (const [reason, bytes] of wrong) {
    const client = await bench.psom();
    client.socket.write(bytes);
    await until(() => client.closed);
    assert.equal(bench.refused.at(-1), reason, Buffer.from(bytes).toString('hex').slice(0, 30));
    assert.equal(client.text, '');
  }
  const other = await bench.psom();
  other.socket.write(joinFrame('x', 2));
  await until(() => other.closed);
  assert.equal(Buffer.from(other.text, 'latin1').toString('hex'), '0004120000' + '00');
  assert.equal(bench.joins.length, 0);
});

test('a JOIN that is not whole in time, however often a byte comes, is let go', async (t) => {
  const clock = new ManualClock();
  const bench = await DoorBench.start(t, {}, clock);
  const client = await bench.psom();
  const frame = Buffer.from(joinFrame());
  client.socket.write(frame.subarray(0, 5));
  await until(() => [...bench.acceptor.connections].some(({ bytesReceived }) => bytesReceived === 5));
  clock.advance(9_000);
  client.socket.write(frame.subarray(5, 6));
  await until(() => [...bench.acceptor.connections].some(({ bytesReceived }) => bytesReceived === 6));
  clock.advance(1_001);
  await until(() => client.closed);
  assert.deepEqual(bench.refused, ['join-late']);
});

test('a refusal is told by its frame, and then the connection ends', async (t) => {
  const bench = await DoorBench.start(t);
  const client = await bench.psom();
  client.socket.write(joinFrame());
  await until(() => bench.joins.length === 1);
  refuseJoin(bench.joins[0]!.connection, 'slow-down', 30);
  await until(() => client.closed);
  assert.equal(Buffer.from(client.text, 'latin1').toString('hex'), `00041209${'001e'}`);
});

test('the page, its scripts and where to sign in, under a policy that lets nothing else in', async (t) => {
  const bench = await DoorBench.start(t);
  const page = await bench.get('/');
  assert.match(page, /^HTTP\/1\.1 200 OK\r\n/);
  assert.match(page, /<title>Meeting<\/title>$/);
  for (const header of [
    /\r\nContent-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self' wss:\/\/conf\.example\.test wss:\/\/sip\.example\.test; worker-src 'self' blob:; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n/,
    /\r\nX-Content-Type-Options: nosniff\r\n/,
    /\r\nReferrer-Policy: no-referrer\r\n/,
    /\r\nStrict-Transport-Security: max-age=\d+\r\n/,
    /\r\nCross-Origin-Opener-Policy: same-origin\r\n/,
    /\r\nCross-Origin-Resource-Policy: same-origin\r\n/,
    /\r\nCache-Control: no-cache\r\n/,
  ])
    assert.match(page, header);
  const script = await bench.get('/assets/app-0123abcd.js', 'Accept-Encoding: br, gzip\r\n');
  assert.match(script, /\r\nCache-Control: public, max-age=31536000, immutable\r\n/);
  assert.match(script, /\r\nContent-Encoding: gzip\r\n[\s\S]*\r\n\r\ngzipped$/);
  assert.match(await bench.get('/?lang=fr'), /^HTTP\/1\.1 200 /);
  assert.match(await bench.get('/', 'If-None-Match: "/index.html"\r\n'), /^HTTP\/1\.1 304 [\s\S]*\r\n\r\n$/);
  const configuration = await bench.get('/config.json');
  assert.match(configuration, /\r\n\r\n\{"version":1,"signalling":"wss:\/\/sip\.example\.test\/"\}$/);
});

test('without a built client the door says how to build it, and PSOM works all the same', async (t) => {
  const bench = await DoorBench.start(t, { site: undefined });
  assert.match(await bench.get('/'), /^HTTP\/1\.1 503 [\s\S]*node tools\/build-meeting\/main\.ts/);
  assert.match(await bench.get('/assets/x.js'), /^HTTP\/1\.1 404 /);
  await once(bench.webSocket(), 'open');
});

test('requests follow one another on one connection, HEAD among them', async (t) => {
  const bench = await DoorBench.start(t);
  const client = await bench.dial();
  const request = (method: string, path: string) => `${method} ${path} HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`;
  client.socket.write(request('HEAD', '/') + request('GET', '/nothing') + request('GET', '/config.json'));
  await until(() => client.text.endsWith('sip.example.test/"}'));
  assert.deepEqual(client.text.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 200', 'HTTP/1.1 404', 'HTTP/1.1 200']);
  assert.ok(!client.text.includes('<title>'), 'HEAD has no body');
  assert.equal(client.closed, false);
});

test('a picture may be shown; everything else is saved under a harmless name, and runs nothing', async (t) => {
  const bench = await DoorBench.start(t);
  bench.content = () => file('image/png', 'slide 1.png', Buffer.from('picture'));
  const picture = await bench.get(`/content/a_token-1/${HASH}`);
  assert.match(
    picture,
    /\r\nContent-Type: image\/png\r\nContent-Disposition: inline; filename="slide 1\.png"/,
  );
  assert.match(picture, /\r\n\r\npicture$/);
  assert.deepEqual(bench.asked, [{ token: 'a_token-1', hash: HASH }]);
  bench.content = () =>
    file('image/svg+xml', 'é"\r\nSet-Cookie: x.svg', Buffer.from('<svg onload=alert(1)>'));
  const drawing = await bench.get(`/content/t/${HASH}`);
  assert.match(
    drawing,
    /\r\nContent-Disposition: attachment; filename="____Set-Cookie_ x\.svg"; filename\*=UTF-8''%C3%A9%22%0D%0ASet-Cookie%3A%20x\.svg\r\n/,
  );
  assert.match(drawing, /\r\nContent-Security-Policy: sandbox; default-src 'none'/);
  assert.match(drawing, /\r\nX-Content-Type-Options: nosniff\r\n/);
});

test('a file that may not be had, is not there, or breaks off', async (t) => {
  const bench = await DoorBench.start(t);
  for (const [error, status] of [
    ['not-allowed', 403],
    ['not-found', 404],
    ['busy', 503],
  ] as const) {
    bench.content = () => ({ ok: false, error });
    assert.match(await bench.get(`/content/t/${HASH}`), new RegExp(`^HTTP/1\\.1 ${status} `));
  }
  bench.content = () =>
    ok({ type: 'image/png', name: 'x', bytes: 100, body: Readable.from([Buffer.from('half')]) });
  const half = await bench.get(`/content/t/${HASH}`);
  assert.match(
    half,
    /Content-Length: 100\r\n[\s\S]*half$/,
    'the end of the connection tells that it is not whole',
  );
});

test('path traversal in files and contents names nothing', async (t) => {
  const bench = await DoorBench.start(t);
  const paths = [
    '/../package.json',
    '/assets/../../package.json',
    '/%2e%2e/package.json',
    '/..%2fpackage.json',
    '/assets\\..\\..\\package.json',
    '//etc/passwd',
    '/content/../../etc/passwd',
    `/content/t/${HASH}/../../../etc/passwd`,
    `/content/t/..%2f${HASH.slice(5)}`,
    `/content/t/${HASH.toUpperCase()}`,
    `/content/%2e%2e/${HASH}`,
    '/index.html%00.js',
    'https://other.example/',
  ];
  for (const path of paths) assert.match(await bench.get(path), /^HTTP\/1\.1 404 /, path);
  assert.deepEqual(bench.asked, []);
});

test('request smuggling: whatever could be read in two ways is refused, and nothing behind it is read', async (t) => {
  const bench = await DoorBench.start(t);
  const inner = `GET /config.json HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`;
  const heads = [
    `POST / HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: ${inner.length}\r\nTransfer-Encoding: chunked\r\n\r\n${inner}`,
    `GET / HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 5\r\n\r\n${inner}`,
    `GET / HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n${inner}`,
    `GET / HTTP/1.1\r\nHost: ${HOST}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${inner}`,
    `GET / HTTP/1.1\r\nHost: ${HOST}\r\nTransfer-Encoding : chunked\r\n\r\n${inner}`,
    `GET / HTTP/1.1\r\nHost: ${HOST}\r\n Transfer-Encoding: chunked\r\n\r\n${inner}`,
    `GET / HTTP/1.1\nHost: ${HOST}\n\n${inner}`,
    `GET  / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n${inner}`,
    `GET / HTTP/1.0\r\nHost: ${HOST}\r\n\r\n${inner}`,
    `GET / HTTP/1.1\r\nHost: ${HOST}\r\nHost: other.example\r\n\r\n${inner}`,
    `GET / HTTP/1.1\r\n\r\n${inner}`,
    `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${inner}`,
    `POST / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n${inner}`,
  ];
  for (const head of heads) {
    const answer = await bench.ask(head);
    assert.match(answer, /^HTTP\/1\.1 4\d\d /, JSON.stringify(head.slice(0, 80)));
    assert.ok(!answer.includes('signalling'), JSON.stringify(head.slice(0, 80)));
  }
});

test('floods of header fields, and heads without an end, are cut off', async (t) => {
  const bench = await DoorBench.start(t);
  const many = 'X: y\r\n'.repeat(100);
  assert.match(await bench.ask(`GET / HTTP/1.1\r\nHost: ${HOST}\r\n${many}\r\n`), /^HTTP\/1\.1 431 /);
  const client = await bench.dial();
  client.socket.write(`GET / HTTP/1.1\r\nX: ${'y'.repeat(20_000)}`);
  await until(() => client.closed);
  assert.match(client.text, /^HTTP\/1\.1 431 /);
});

test('slow-loris: a head that comes byte by byte is given its time once', async (t) => {
  const clock = new ManualClock();
  const bench = await DoorBench.start(t, {}, clock);
  const client = await bench.dial();
  client.socket.write('GET /');
  await until(() => [...bench.acceptor.connections].some(({ bytesReceived }) => bytesReceived === 5));
  clock.advance(9_000);
  client.socket.write(' HT');
  await until(() => [...bench.acceptor.connections].some(({ bytesReceived }) => bytesReceived === 8));
  clock.advance(1_001);
  await until(() => client.closed);
  assert.match(client.text, /^HTTP\/1\.1 408 /);
  assert.deepEqual(bench.refused, ['head-late']);
});

test('a client that asks for a large file and never reads is let go, and its file closed', async (t) => {
  const clock = new ManualClock();
  const bench = await DoorBench.start(t, {}, clock);
  const piece = Buffer.alloc(256 * 1024);
  let given = 0;
  const body = new Readable({
    read() {
      given += piece.length;
      this.push(piece);
    },
  });
  bench.content = () => ok({ type: 'image/png', name: 'x', bytes: 2 ** 30, body });
  const client = await bench.dial();
  client.socket.pause();
  client.socket.write(`GET /content/t/${HASH} HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
  await until(() => [...bench.acceptor.connections].some(({ queued }) => queued > 0));
  let before = -1;
  await until(() => {
    const settled = given === before;
    before = given;
    return settled;
  });
  assert.ok(given < 2 ** 25, `${given} bytes were read for a client that takes none`);
  clock.advance(30_001);
  await until(() => body.destroyed);
});

test('a client that leaves in the middle of a file that does not come gives its place back at once', async (t) => {
  const bench = await DoorBench.start(t);
  for (const leave of ['end', 'destroy'] as const) {
    const body = new Readable({ read() {} });
    bench.content = () => ok({ type: 'image/png', name: 'x', bytes: 2 ** 20, body });
    const client = await bench.dial();
    client.socket.write(`GET /content/t/${HASH} HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
    await until(() => client.text.includes('\r\n\r\n'));
    client.socket[leave]();
    await until(() => body.destroyed);
  }
});

test('a file that takes longer than a connection may be silent goes on', async (t) => {
  const bench = await DoorBench.start(t);
  const body = new Readable({ read() {} });
  bench.content = () => ok({ type: 'image/png', name: 'x', bytes: 2, body });
  const client = await bench.dial();
  const ask = () => client.socket.write(`GET /content/t/${HASH} HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
  ask();
  await until(() => client.text.includes('\r\n\r\n'));
  const [connection] = bench.acceptor.connections;
  assert.equal(connection?.idleMs, 0);
  body.push('ab');
  body.push(null);
  await until(() => client.text.endsWith('ab'));
  await until(() => connection?.idleMs === 30_000);
});

test('a fault of ours while a request is answered: it is refused, told once, and everything else goes on', async (t) => {
  const bench = await DoorBench.start(t);
  bench.content = () => {
    throw new Error('a bug');
  };
  const client = await bench.dial();
  client.socket.write(`GET /content/t/${HASH} HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
  await until(() => client.closed);
  assert.match(client.text, /^HTTP\/1\.1 500 /);
  assert.ok(!client.text.includes('a bug'));
  assert.deepEqual(bench.refused, ['failed']);
  assert.match(await bench.get('/'), /^HTTP\/1\.1 200 /);
});

test('garbage and the ALPN of other services are refused before anything is read', async (t) => {
  const bench = await DoorBench.start(t);
  for (const other of ['sip', 'h2', 'stun.turn', 'xmpp-server', 'sallyport-psom-link/1'])
    await assert.rejects(bench.dial([other]), other);
  assert.equal(bench.refused.length + bench.joins.length, 0);
});
