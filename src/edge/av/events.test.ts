import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { recordOf, traceOf } from '#platform/message-log';
import { type Capture, FrameReader, readFrame } from '#platform/telemetry';
import { accountOf } from '#protocols/credentials';
import { Bench, EchoPeer, TestClient } from './testing/bench.ts';

const EXTERNAL = '127.0.9.86';
const INTERNAL = '127.0.9.89';
const OUTSIDE = '127.0.9.87';
const PEER = '127.0.9.88';

test('the relay tells its signalling and what became of allocations, never the data, and whose they are by a trace', async (t) => {
  const bench = await Bench.start({
    external: [EXTERNAL],
    internal: [INTERNAL],
    ports: [56_190, 56_199],
    allowedPeers: [`${PEER}/32`],
  });
  t.after(() => bench.stop());
  bench.events.demand({
    providers: { Stun: { level: 'info', bodies: false }, Turn: { level: 'info', bodies: false } },
  });
  const peer = await EchoPeer.open(PEER);
  t.after(() => peer.close());
  const token = bench.token('sip:alice@example.test');
  const alice = await TestClient.open(bench, OUTSIDE, EXTERNAL, token);
  t.after(() => alice.close());
  await alice.allocated();
  await alice.bindChannel(PEER, peer.port);
  alice.send(PEER, peer.port, 'do not tell');
  await alice.hear(1);

  const account = accountOf(Buffer.from(token.username));
  assert.ok(account !== undefined);
  const trace = traceOf(account);
  const items = new FrameReader().push(bench.events.drain(1 << 20) ?? Buffer.alloc(0)).map(readFrame);
  const opened = items.find((item) => item?.type === 'record');
  assert.ok(opened?.type === 'record');
  assert.equal(opened.record.name, 'allocation-opened');
  assert.deepEqual(opened.record.keys.trace, [trace]);
  assert.match(
    String(opened.record.fields?.relayed),
    new RegExp(`^${EXTERNAL.replaceAll('.', '\\.')}:561\\d\\d$`),
  );
  const captures = items.flatMap((item): Capture[] => (item?.type === 'capture' ? [item.capture] : []));
  assert.ok(captures.every(({ bytes }) => !Buffer.from(bytes).includes('do not tell')));
  const told = captures.map((capture) => recordOf(capture, true));
  assert.deepEqual(
    told.map(({ direction, fields }) =>
      [direction, fields?.method, fields?.class, fields?.status].join(' ').trim(),
    ),
    [
      ...['in Allocate request', 'out Allocate error 401', 'in Allocate request', 'out Allocate success'],
      ...['in ChannelBind request', 'out ChannelBind success'],
    ],
  );
  assert.deepEqual(told[2]?.keys.trace, [trace]);
  assert.equal(told[0]?.remote, opened.record.remote);
});

test('Binding, which everybody asks all the time, is told to who wants everything only', async (t) => {
  const bench = await Bench.start({
    external: [EXTERNAL],
    internal: [INTERNAL],
    ports: [56_190, 56_199],
    allowedPeers: [],
  });
  t.after(() => bench.stop());
  const binding = Buffer.from('000100002112a442000102030405060708090a0b', 'hex');
  const socket = createSocket('udp4');
  t.after(() => socket.close());
  for (const [level, expected] of [
    ['info', 0],
    ['verbose', 2],
  ] as const) {
    bench.events.demand({ providers: { Stun: { level, bodies: false } } });
    const answered = once(socket, 'message');
    socket.send(binding, bench.port(EXTERNAL), EXTERNAL);
    await answered;
    assert.equal(bench.events.size, expected);
  }
});

test('a request that the relay refuses is a decision with its reason, and whose it was; the first step of everybody is none', async (t) => {
  const bench = await Bench.start({
    external: [EXTERNAL],
    internal: [INTERNAL],
    ports: [56_180, 56_189],
    allowedPeers: [`${PEER}/32`],
  });
  t.after(() => bench.stop());
  const demand = (level: 'info' | 'verbose') =>
    bench.events.demand({ providers: { Av: { level, bodies: false } } });
  const told = () =>
    new FrameReader()
      .push(bench.events.drain(1 << 20) ?? Buffer.alloc(0))
      .map(readFrame)
      .flatMap((item) => (item?.type === 'record' ? [item.record] : []));
  demand('info');
  const token = bench.token('sip:alice@example.test');
  const account = accountOf(Buffer.from(token.username)) ?? assert.fail();
  const alice = await TestClient.open(bench, OUTSIDE, EXTERNAL, token);
  t.after(() => alice.close());
  await alice.allocated();
  assert.deepEqual(told(), [], 'nobody was refused anything');
  await assert.rejects(alice.bindChannel('10.1.2.3', 5000));
  const [forbidden, ...more] = told();
  assert.equal(more.length, 0);
  assert.deepEqual(
    [forbidden?.provider, forbidden?.kind, forbidden?.name, forbidden?.level],
    ['Av', 'decision', 'relay-request-refused', 'info'],
  );
  const { rule, code, request, face } = forbidden?.fields ?? {};
  assert.deepEqual([rule, code, request, face], ['Forbidden', 403, 'ChannelBind', 'external']);
  assert.deepEqual(forbidden?.keys, { address: [OUTSIDE], trace: [traceOf(account)] });
  const stranger = await TestClient.open(bench, OUTSIDE, EXTERNAL, { ...token, password: 'wrong' });
  t.after(() => stranger.close());
  await assert.rejects(stranger.allocated());
  const [wrong] = told();
  assert.deepEqual([wrong?.fields?.rule, wrong?.keys.trace], ['Unauthenticated', undefined]);
  assert.doesNotMatch(JSON.stringify(wrong), /alice|wrong|nonce/);
  demand('verbose');
  const other = await TestClient.open(bench, OUTSIDE, EXTERNAL, token);
  t.after(() => other.close());
  await other.allocated();
  assert.deepEqual(
    told().map(({ name, level, fields }) => [name, level, fields?.rule]),
    [['relay-request-refused', 'verbose', 'Unauthenticated']],
  );
});
