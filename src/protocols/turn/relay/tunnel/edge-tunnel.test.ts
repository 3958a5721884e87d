import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '#kernel';
import {
  decodeStun,
  EDGE_TUNNEL_MARK,
  EDGE_VERSION_ATTRIBUTE,
  MessageClass,
  Method,
  StunWriter,
} from '#protocols/stun';
import type { TurnListener } from '../../index.ts';
import { StagedMsClient } from '../../testing/ms-client.ts';
import {
  dataOf,
  RelayStage,
  type StagedClient,
  type StageOptions,
  type ToClient,
} from '../../testing/relay-stage.ts';
import { encodeTunnelHeader, tunnelHeaderBytes } from './tunnel-frame.ts';

const PORT = 3_478;
const TUNNEL = { port: PORT, streamPort: 443, hold: true, without: [] };
const A = '203.0.113.30';
const B = '198.51.100.30';

/** An edge with a client of its own, its clock shared with the others by `pass`. */
class Edge {
  readonly address: string;
  readonly listener: TurnListener;
  readonly stage: RelayStage;
  readonly client: StagedClient;
  readonly wire: ToClient[] = [];

  constructor(address: string, options: StageOptions = {}) {
    this.address = address;
    this.listener = { id: 7, face: 'external', transport: 'udp', address, port: PORT };
    this.stage = new RelayStage({
      listeners: [this.listener],
      relayAddresses: [{ address }],
      tunnel: TUNNEL,
      ...options,
    });
    this.client = this.stage.client({ listener: this.listener, address: `192.0.2.${address === A ? 1 : 2}` });
  }
  /** What it has sent to other edges, and forgets it. */
  toEdges(): ToClient[] {
    const { toClient } = this.stage.sink;
    const mine = toClient.filter(({ port }) => port === PORT);
    for (const item of mine) toClient.splice(toClient.indexOf(item), 1);
    this.wire.push(...mine);
    return mine;
  }
  hear(from: string, bytes: Uint8Array, port = PORT): void {
    this.stage.relay.handleClientDatagram(this.listener, from, port, bytes, this.stage.now);
  }
  get drops(): readonly string[] {
    return this.stage.sink.drops;
  }
  /** Data that reached its client, in short. */
  heard(): string[] {
    return this.client.received().map(dataOf);
  }
}

/** Carries what edges send to one another until nothing more comes. */
function carry(...edges: Edge[]): void {
  for (let quiet = false; !quiet; ) {
    quiet = true;
    for (const edge of edges) {
      for (const { address, bytes } of edge.toEdges()) {
        quiet = false;
        edges.find((other) => other.address === address)?.hear(edge.address, bytes);
      }
    }
  }
}

/** Two edges of two organisations whose clients have given one another permission. */
function pair(forB: StageOptions = {}) {
  const [a, b] = [new Edge(A), new Edge(B, forB)];
  const [alice, bob] = [a.client.allocate(), b.client.allocate()];
  assert.equal(a.client.permit([bob.address, bob.port]), 0);
  assert.equal(b.client.permit([alice.address, alice.port]), 0);
  for (const edge of [a, b]) edge.client.received();
  return { a, b, alice, bob };
}

test('the first datagram is held while the other edge is asked, then goes through the tunnel; nothing leaves the range', () => {
  const { a, b, alice, bob } = pair();
  a.client.sendIndication(bob.address, bob.port, 'one');
  a.client.sendIndication(bob.address, bob.port, 'two');
  assert.equal(a.stage.sink.toClient.length, 1, 'one question for both');
  carry(a, b);
  assert.deepEqual(b.heard(), [`${A}:${alice.port} one`, `${A}:${alice.port} two`]);
  b.client.sendIndication(alice.address, alice.port, 'back');
  carry(a, b);
  assert.deepEqual(a.heard(), [`${B}:${bob.port} back`]);
  assert.deepEqual([a.stage.sink.toPeer, b.stage.sink.toPeer], [[], []]);
  assert.deepEqual(a.stage.relay.tunnelled, { sent: 2, received: 1 });
  const questions = a.wire.filter(({ bytes }) => decodeStun(bytes).ok && bytes[0] === 0 && bytes[1] === 1);
  assert.equal(questions.length, 1);
});

test('an answer is never longer than its question, whatever the family', () => {
  const { a, b, bob } = pair();
  a.client.sendIndication(bob.address, bob.port, 'x');
  const [question] = a.toEdges();
  assert.ok(question !== undefined);
  b.hear('2001:db8::77', question.bytes);
  const [answer] = b.toEdges();
  assert.ok(answer !== undefined && answer.bytes.length <= question.bytes.length);
  assert.equal(question.bytes.length, 84);
});

test('no answer: after the patience plain relay, and no question for a minute', () => {
  const { a, bob } = pair();
  a.client.sendIndication(bob.address, bob.port, 'held');
  for (let second = 0; second < 2; second++) a.stage.pass(1);
  assert.deepEqual(
    a.stage.sink.toPeer.map(({ address, port, bytes }) => `${address}:${port} ${bytes}`),
    [`${B}:${bob.port} held`],
  );
  const asked = a.toEdges().length;
  assert.ok(asked >= 2 && asked <= 4, `asked ${asked} times`);
  a.stage.pass(50);
  a.client.sendIndication(bob.address, bob.port, 'plain');
  assert.equal(a.stage.sink.toPeer.length, 2);
  assert.equal(a.toEdges().length, 0);
  a.stage.pass(15);
  a.client.sendIndication(bob.address, bob.port, 'asked again');
  assert.equal(a.toEdges().length, 1);
});

test('a plain STUN server answers without the attribute: plain relay at once', () => {
  const { a, b, bob } = pair({ tunnel: null });
  a.client.sendIndication(bob.address, bob.port, 'x');
  carry(a, b);
  assert.equal(a.stage.sink.toPeer.length, 1);
  assert.deepEqual(b.drops, []);
});

test('an edge is asked again before its answer grows old, without a datagram waiting', () => {
  const { a, b, bob } = pair();
  a.client.sendIndication(bob.address, bob.port, 'x');
  carry(a, b);
  for (let minute = 0; minute < 25; minute++) {
    for (const edge of [a, b]) edge.stage.pass(60);
    a.client.refresh();
    b.client.refresh();
    assert.equal(a.client.permit([bob.address, bob.port]), 0);
    assert.equal(b.client.permit([A, [...a.stage.relay.allocations][0]?.relays[0]?.port ?? 0]), 0);
    b.client.received();
    a.client.sendIndication(bob.address, bob.port, `minute ${minute}`);
    carry(a, b);
    assert.equal(b.heard().length, 1, `minute ${minute}`);
  }
  assert.deepEqual(a.stage.sink.toPeer, []);
});

test('an edge that began anew says so, and is asked again at once', () => {
  const { a, b, bob, alice } = pair();
  a.client.sendIndication(bob.address, bob.port, 'x');
  carry(a, b);
  const another = new Edge(B, { ports: { first: bob.port, last: bob.port }, random: new SeededRandom(99) });
  another.client.allocate();
  assert.equal(another.client.permit([alice.address, alice.port]), 0);
  another.client.received();
  a.client.sendIndication(bob.address, bob.port, 'lost');
  carry(a, another);
  assert.deepEqual(another.drops, ['tunnel-bad-cookie']);
  a.client.sendIndication(bob.address, bob.port, 'found');
  carry(a, another);
  assert.deepEqual(another.heard(), [`${A}:${alice.port} found`]);
});

test('T: forged datagrams do not pass: cookie, source, destination, permission, face', () => {
  const { a, b, alice, bob } = pair();
  a.client.sendIndication(bob.address, bob.port, 'x');
  carry(a, b);
  b.heard();
  const good = a.wire.find(({ bytes }) => bytes[0] === EDGE_TUNNEL_MARK)?.bytes;
  assert.ok(good !== undefined);
  const cookie = good.subarray(4, 12);
  const forged = (
    source: string,
    sourcePort: number,
    to: string,
    toPort: number,
    with_: Uint8Array = cookie,
  ) => {
    const bytes = Buffer.alloc(tunnelHeaderBytes('ipv4') + 1, 'x');
    encodeTunnelHeader(bytes, with_, { address: source, port: sourcePort }, { address: to, port: toPort }, 1);
    return bytes;
  };
  const drop = (from: string, bytes: Uint8Array, port = PORT) => {
    b.stage.sink.drops.length = 0;
    b.hear(from, bytes, port);
    return b.drops[0];
  };
  assert.equal(drop(A, forged(A, 50_000, B, bob.port, Buffer.alloc(8))), 'tunnel-bad-cookie');
  assert.equal(drop('203.0.113.99', good), 'tunnel-bad-cookie', 'the cookie is of another address');
  assert.equal(drop(A, good, 40_000), 'tunnel-bad-cookie', 'and of another port');
  assert.equal(drop(A, forged('203.0.113.99', 50_000, B, bob.port)), 'tunnel-foreign-source');
  assert.equal(drop(A, forged(A, alice.port, B, bob.port + 1)), 'tunnel-no-target');
  for (const inside of ['127.0.0.1', '10.1.2.3', '169.254.169.254', B]) {
    assert.equal(drop(A, forged(A, alice.port, inside, 5_061)), 'tunnel-no-target', inside);
  }
  assert.deepEqual(b.stage.sink.toPeer, [], 'nothing is ever passed on');
  b.stage.pass(301);
  b.client.refresh();
  b.client.received();
  assert.equal(drop(A, forged(A, alice.port, B, bob.port)), 'peer-without-permission');
  assert.deepEqual(b.heard(), []);
});

test('T: refusals are shorter than what draws them, and end with the budget of their sender', () => {
  const { b } = pair({ limits: { unprovenAnswersPerSecond: 0, unprovenAnswerBurst: 3 } });
  b.stage.sink.toClient.length = 0;
  const bytes = Buffer.alloc(tunnelHeaderBytes('ipv4'));
  encodeTunnelHeader(bytes, Buffer.alloc(8), { address: A, port: 1 }, { address: B, port: 2 }, 0);
  for (let n = 0; n < 10; n++) b.hear('192.0.2.200', bytes);
  const answers = b.toEdges();
  assert.ok(answers.length <= 3 && answers.every((answer) => answer.bytes.length < bytes.length));
});

test('T: a made-up answer or refusal changes nothing', () => {
  const { a, b, bob } = pair();
  a.client.sendIndication(bob.address, bob.port, 'x');
  const [question] = a.toEdges();
  assert.ok(question !== undefined);
  b.hear(A, question.bytes);
  const answer = b.toEdges()[0]?.bytes;
  assert.ok(answer !== undefined);
  const other = Buffer.from(answer);
  other[12] = (other[12] ?? 0) ^ 1;
  a.hear(B, other);
  a.hear('192.0.2.66', answer);
  a.hear(B, answer, 3_479);
  assert.deepEqual(a.drops, ['unexpected-class', 'unexpected-class', 'unexpected-class']);
  a.hear(B, answer);
  a.hear(B, answer);
  assert.equal(a.drops.at(-1), 'unexpected-class', 'an answer counts once');
  const reject = Buffer.from('e51f00000000000000000000', 'hex');
  a.hear(B, reject);
  a.client.sendIndication(bob.address, bob.port, 'y');
  assert.equal(a.toEdges().filter(({ bytes }) => bytes[0] === EDGE_TUNNEL_MARK).length, 2);
});

test('T: strangers cannot make an edge ask: only permitted peers are, and not more than some a second', () => {
  const a = new Edge(A, { limits: { permissionsPerAllocation: 1_000 } });
  a.client.allocate();
  const peers = Array.from({ length: 400 }, (_, n) => `192.0.2.${n % 250}`);
  for (const [n, peer] of peers.entries()) {
    a.client.sendIndication(peer, 6_000 + n, 'no permission');
  }
  assert.equal(a.toEdges().length, 0);
  const distinct = Array.from({ length: 250 }, (_, n) => `198.51.100.${n}`);
  for (const peer of distinct) assert.equal(a.client.permit([peer, 0]), 0);
  a.client.received();
  for (const peer of distinct) a.client.sendIndication(peer, 6_000, 'x');
  assert.equal(a.toEdges().length, 200);
  assert.equal(a.stage.sink.toPeer.length, 50, 'the rest goes as to plain peers');
});

test('T: what waits for an answer is bounded', () => {
  const { a, bob } = pair();
  for (let n = 0; n < 20; n++) a.client.sendIndication(bob.address, bob.port, 'x'.repeat(100));
  assert.equal(a.drops.filter((reason) => reason === 'tunnel-held-too-much').length, 12);
});

test('turned off, it is neither asked, answered nor believed; turned on again, it begins anew', () => {
  const { a, b, bob } = pair();
  a.client.sendIndication(bob.address, bob.port, 'x');
  carry(a, b);
  b.heard();
  a.stage.relay.configure({ tunnel: null });
  a.client.sendIndication(bob.address, bob.port, 'plain');
  assert.equal(a.stage.sink.toPeer.length, 1);
  b.stage.relay.configure({ tunnel: null });
  const good = a.wire.find(({ bytes }) => bytes[0] === EDGE_TUNNEL_MARK)?.bytes ?? Buffer.alloc(0);
  b.hear(A, good);
  assert.equal(b.drops.at(-1), 'tunnel-off');
  a.stage.relay.configure({ tunnel: TUNNEL });
  a.client.sendIndication(bob.address, bob.port, 'asked again');
  assert.equal(a.toEdges().length, 1);
});

test('clients of the Microsoft dialect and of RFC 8656 use the same tunnel', () => {
  const [a, b] = [new Edge(A), new Edge(B)];
  const ms = new StagedMsClient(a.stage, { listener: a.listener });
  const alice = ms.allocate();
  const bob = b.client.allocate();
  assert.equal(b.client.permit([alice.address, alice.port]), 0);
  b.client.received();
  assert.equal(ms.setActiveDestination(bob.address, bob.port), 0);
  ms.send(Buffer.from('raw through the tunnel'));
  carry(a, b);
  assert.deepEqual(b.heard(), [`${A}:${alice.port} raw through the tunnel`]);
  b.client.sendIndication(alice.address, alice.port, 'back');
  carry(a, b);
  assert.deepEqual(ms.heard(), ['raw back']);
});

test('a question on the internal side, a short one, or one of another version, is an ordinary Binding', () => {
  const b = new Edge(B);
  const internal: TurnListener = { ...b.listener, id: 8, face: 'internal', address: '10.9.0.1' };
  const ask = (listener: TurnListener, length: number, version: number) => {
    const writer = new StunWriter().begin(
      new Uint8Array(200),
      Method.Binding,
      MessageClass.Request,
      Buffer.alloc(12),
    );
    const value = Buffer.alloc(length);
    value[0] = version;
    writer.put(EDGE_VERSION_ATTRIBUTE, value);
    b.stage.relay.handleClientDatagram(listener, '192.0.2.5', PORT, writer.bytes, b.stage.now);
    const answer = decodeStun(b.toEdges()[0]?.bytes ?? Buffer.alloc(0));
    assert.ok(answer.ok && answer.value.messageClass === MessageClass.Success);
    return answer.value.has(EDGE_VERSION_ATTRIBUTE);
  };
  assert.equal(ask(b.listener, 60, 1), true);
  assert.equal(ask(b.listener, 20, 1), false);
  assert.equal(ask(b.listener, 60, 2), false);
  assert.equal(ask(internal, 60, 1), false);
});

test('with the range open, data leave from it until the answer has come', () => {
  const { a, b, alice, bob } = pair();
  a.stage.relay.configure({ tunnel: { ...TUNNEL, hold: false } });
  a.client.sendIndication(bob.address, bob.port, 'one');
  assert.equal(a.stage.sink.toPeer.length, 1);
  carry(a, b);
  a.client.sendIndication(bob.address, bob.port, 'two');
  carry(a, b);
  assert.equal(a.stage.sink.toPeer.length, 1);
  assert.deepEqual(b.heard(), [`${A}:${alice.port} two`]);
});

test('the pool’s own edges are reached without it', () => {
  const { a, bob } = pair();
  a.stage.relay.configure({ tunnel: { ...TUNNEL, without: [B] } });
  a.client.sendIndication(bob.address, bob.port, 'one');
  assert.equal(a.stage.sink.toPeer.length, 1);
  assert.deepEqual(a.toEdges(), []);
});
