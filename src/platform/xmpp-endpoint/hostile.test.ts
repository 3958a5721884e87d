import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { element } from '#protocols/xml';
import { type Method, NS } from '#protocols/xmpp';
import { startDnsmasq } from '../dns/testing/dnsmasq.ts';
import { authority, OUR_ADDRESS, OURS, startEdge, THEIR_ADDRESS, THEIRS } from './testing/bench.ts';

const NOBODY = '127.0.3.99:53';
const HEADER =
  `<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' ` +
  `xmlns:db='jabber:server:dialback' from='${THEIRS}' to='${OURS}' version='1.0'>`;

async function edge(t: TestContext, methods: readonly Method[], strangers = 50) {
  const { ca, ours } = await authority();
  return startEdge(t, {
    nameServer: NOBODY,
    identity: ours,
    authorityPem: ca.certificatePem,
    methods,
    strangers,
  });
}

async function come(t: TestContext, from = '127.0.3.1'): Promise<Socket> {
  const socket = connect({ host: OUR_ADDRESS, port: 5269, localAddress: from });
  t.after(() => socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** Everything that comes until the text holds `what`, or the end. */
async function until(socket: Socket, what?: RegExp): Promise<string> {
  let text = '';
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    text += String(chunk);
    if (what?.test(text) === true) break;
  }
  return text;
}

test('X7: what is pipelined behind starttls reaches nobody, and the connection ends', async (t) => {
  const { arrivals, notice } = await edge(t, ['sasl-external', 'tls-dialback']);
  const socket = await come(t);
  const injected = `<message from='a@${THEIRS}' to='b@${OURS}'><body>x</body></message>`;
  socket.write(`${HEADER}<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>${HEADER}${injected}`);
  assert.match(await until(socket, /<proceed/), /<proceed/);
  socket.write(injected);
  await until(socket);
  assert.equal((await notice(({ direction }) => direction === 'in')).reason, 'tls-failed');
  assert.deepEqual(arrivals, []);
});

test('X2: a document type ends the stream with restricted-xml before anybody is known', async (t) => {
  await edge(t, ['tcp-dialback']);
  const socket = await come(t);
  socket.write(`<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]>${HEADER}`);
  assert.match(await until(socket), /<restricted-xml/);
});

test('X1: an attribute without an end is cut off at the bound for strangers', async (t) => {
  const { notice } = await edge(t, ['tcp-dialback']);
  const socket = await come(t);
  socket.write(`<stream:stream xmlns='${'a'.repeat(100_000)}`);
  assert.match(await until(socket), /<policy-violation/);
  assert.equal((await notice(() => true)).reason, 'too-many-bytes');
});

test('X1: one source that takes every place gives one to another', async (t) => {
  const { notice } = await edge(t, ['tcp-dialback'], 3);
  const first = await come(t);
  first.write(HEADER);
  await until(first, /features/);
  for (let i = 0; i < 2; i++) {
    const more = await come(t);
    more.write(HEADER);
    await until(more, /features/);
  }
  const other = await come(t, '127.0.3.2');
  other.write(HEADER);
  assert.match(await until(other, /features/), /<stream:features>/);
  assert.equal((await notice(() => true)).reason, 'made-room');
  const again = await come(t);
  assert.equal(await until(again), '', 'the source gets no place back');
  assert.equal((await notice(({ reason }) => reason === 'no-place')).detail, 'connection');
});

test('X1: a refused stream keeps its place until its socket is gone', async (t) => {
  await edge(t, ['tcp-dialback'], 1);
  const half = connect({ host: OUR_ADDRESS, port: 5269, localAddress: '127.0.3.1', allowHalfOpen: true });
  t.after(() => half.destroy());
  half.on('error', () => {});
  half.write('no stream');
  assert.match(await until(half), /not-well-formed/);
  assert.equal(await until(await come(t)), '', 'no place for another');
  half.destroy();
});

test('nothing is opened any more once everything was closed', async (t) => {
  const { ca, ours } = await authority();
  const server = createServer((socket) => void socket.on('error', () => {}).resume());
  server.listen(5269, THEIR_ADDRESS);
  await once(server, 'listening');
  t.after(() => server.close());
  const { endpoint } = await startEdge(t, {
    nameServer: await startDnsmasq(
      t,
      [`--host-record=${THEIRS},${THEIR_ADDRESS}`, '--local=/example/'],
      true,
    ),
    identity: ours,
    authorityPem: ca.certificatePem,
    methods: ['tcp-dialback'],
  });
  const pair = { from: OURS, to: THEIRS };
  const failed = new Promise((resolve) => {
    endpoint.send(element(NS.server, 'message', pair), pair, resolve);
  });
  endpoint.close();
  assert.equal(await failed, 'remote-server-timeout');
  assert.equal(endpoint.open, 0);
});

test('X4: a key that nobody can be asked about proves nothing', async (t) => {
  const { arrivals } = await edge(t, ['tcp-dialback']);
  const socket = await come(t);
  socket.write(`${HEADER}<db:result from='${THEIRS}' to='${OURS}'>key</db:result>`);
  const answer = await until(socket);
  assert.match(answer, /<db:result [^>]*type="error"/);
  assert.match(answer, /<remote-connection-failed/);
  assert.deepEqual(arrivals, []);
});

test('X4: a source whose questions find no answer leaves a place for whoever the domain belongs to', async (t) => {
  const { ca, ours } = await authority();
  const silent = createServer((socket) => void socket.on('error', () => {}).resume());
  silent.listen(5269, THEIR_ADDRESS);
  await once(silent, 'listening');
  t.after(() => silent.close());
  let asked = 0;
  let wake = () => {};
  silent.on('connection', (socket) => {
    asked += 1;
    t.after(() => socket.destroy());
    wake();
  });
  const askedTimes = async (count: number) => {
    while (asked < count) await new Promise<void>((resolve) => (wake = resolve));
  };
  await startEdge(t, {
    nameServer: await startDnsmasq(
      t,
      [`--host-record=${THEIRS},${THEIR_ADDRESS}`, '--local=/example/'],
      true,
    ),
    identity: ours,
    authorityPem: ca.certificatePem,
    methods: ['tcp-dialback'],
    partner: { connections: 4 },
  });
  const asserts = async (from: string) => {
    const socket = await come(t, from);
    socket.write(`${HEADER}<db:result from='${THEIRS}' to='${OURS}'>key</db:result>`);
    return socket;
  };
  const first = await asserts('127.0.3.1');
  await askedTimes(1);
  await asserts('127.0.3.1');
  await askedTimes(2);
  assert.match(await until(await asserts('127.0.3.1')), /<remote-connection-failed/);
  await asserts('127.0.3.2');
  await askedTimes(3);
  assert.equal(first.destroyed, false);
});
