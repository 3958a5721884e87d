import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MsFrameType, MsMessageType } from '#protocols/stun';
import type { TurnListener } from '../../index.ts';
import { msErrorOf, StagedMsClient } from '../../testing/ms-client.ts';
import { outside, RelayStage } from '../../testing/relay-stage.ts';

let connections = 100;
function connection(transport: TurnListener['transport'] = 'pseudo-tls'): TurnListener {
  return { ...outside, id: ++connections, transport, port: 443 };
}
function overStream(on: RelayStage, username: string): StagedMsClient {
  return new StagedMsClient(on, { listener: connection(), port: 30_000 + connections, username });
}
/** A packet of RFC 4571. */
const packet = (text: string) =>
  Buffer.concat([Buffer.of(text.length >> 8, text.length & 0xff), Buffer.from(text)]);

/** Two clients over streams that have set one another as active destination. */
function connected(on: RelayStage): { alice: StagedMsClient; bob: StagedMsClient } {
  const [alice, bob] = [overStream(on, 'alice'), overStream(on, 'bob')];
  const [a, b] = [alice.allocate(), bob.allocate()];
  assert.equal(alice.setActiveDestination(b.address, b.port), 0);
  assert.equal(bob.setActiveDestination(a.address, a.port), 0);
  return { alice, bob };
}

test('a client over a stream gets a relayed address of TCP; renewal and end work as over UDP', () => {
  const on = new RelayStage();
  const alice = overStream(on, 'alice');
  alice.allocate();
  assert.deepEqual(
    [...on.relay.allocations].flatMap(({ relays }) => relays.map(({ transport }) => transport)),
    ['tcp'],
  );
  on.pass(500);
  assert.equal(alice.refresh(), 0);
  on.pass(500);
  assert.equal(on.relay.allocations.size, 1);
  assert.equal(alice.refresh(0), 0);
  assert.equal(on.relay.allocations.size, 0);
});

test('a stream is cut at its packets, however the frames of the sender cut it', () => {
  const on = new RelayStage();
  const { alice, bob } = connected(on);
  const stream = Buffer.concat([packet('one'), packet(''), packet('three')]);
  for (const octet of stream) assert.ok(alice.frame(MsFrameType.Data, Uint8Array.of(octet)));
  assert.deepEqual(
    bob.received().map((bytes) => bytes.toString('latin1')),
    ['one', '', 'three'].map((text) => `03${packet(text).toString('latin1')}`),
  );
});

test('before the active destination, packets come in Data Indications', () => {
  const on = new RelayStage();
  const [alice, bob] = [overStream(on, 'alice'), overStream(on, 'bob')];
  const [a, b] = [alice.allocate(), bob.allocate()];
  bob.sendTo(a.address, a.port, packet('permits alice').toString('latin1'));
  alice.sendTo(b.address, b.port, `${packet('check').toString('latin1')}`);
  assert.deepEqual(bob.heard(), [`from ${a.address}:${a.port} ${packet('check').toString('latin1')}`]);
});

test('clients over UDP and over a stream interwork: packets have their length only in the stream', () => {
  const on = new RelayStage();
  const stream = overStream(on, 'alice');
  const datagram = new StagedMsClient(on, { listener: outside, username: 'bob' });
  const [a, b] = [stream.allocate(), datagram.allocate()];
  assert.equal(stream.setActiveDestination(b.address, b.port), 0);
  assert.equal(datagram.setActiveDestination(a.address, a.port), 0);
  stream.frame(MsFrameType.Data, Buffer.concat([packet('first'), packet('second')]));
  assert.deepEqual(datagram.received().map(String), ['first', 'second']);
  datagram.send(Buffer.from('back'));
  assert.deepEqual(
    stream.received().map((bytes) => bytes.toString('latin1')),
    [`03${packet('back').toString('latin1')}`],
  );
});

test('data that look like a control message stay data, both ways', () => {
  const on = new RelayStage();
  const { alice, bob } = connected(on);
  const lookalike = bob.bare(MsMessageType.DataIndication);
  const framed = Buffer.concat([Buffer.of(0, lookalike.length), lookalike]);
  assert.ok(alice.frame(MsFrameType.Data, framed));
  assert.deepEqual(bob.received(), [Buffer.concat([Buffer.from('03'), framed])]);
  const deallocate = alice.allocateRequest((writer) => writer.putU32(0x000d, 0));
  assert.ok(alice.frame(MsFrameType.Data, Buffer.concat([Buffer.of(0, deallocate.length), deallocate])));
  assert.equal(on.relay.allocations.size, 2);
});

test('a stream without the cookie, with a broken message, or with data too early is to be closed', () => {
  const on = new RelayStage();
  const alice = overStream(on, 'alice');
  assert.equal(alice.frame(MsFrameType.Control, Buffer.from('000300002112a442', 'hex')), false);
  assert.equal(alice.frame(MsFrameType.Control, alice.bare(3).subarray(0, -1)), false);
  assert.equal(alice.frame(MsFrameType.Data, packet('early')), false);
  assert.equal(msErrorOf(alice.ask(alice.bare(MsMessageType.AllocateRequest))), 401);
});

test('half packets for too many peers at a time are dropped, and nothing is kept of whole ones', () => {
  const on = new RelayStage({ limits: { allocationsPerUser: 200 }, ports: { first: 50_000, last: 50_199 } });
  const alice = overStream(on, 'alice');
  const a = alice.allocate();
  for (let n = 0; n < 70; n++) {
    const peer = new StagedMsClient(on, { listener: outside, port: 20_000 + n, username: 'bob' });
    const b = peer.allocate();
    peer.sendTo(a.address, a.port, '');
    alice.sendTo(b.address, b.port, packet('whole').toString('latin1'));
    alice.sendTo(b.address, b.port, '\u0000');
  }
  const dropped = on.sink.drops.filter((reason) => reason === 'ms-too-many-streams').length;
  // Each of the peers beyond the 16th got neither its whole packet nor its half one.
  assert.equal(dropped, 2 * (70 - 16));
});

test('when the connection is gone, so is the allocation', () => {
  const on = new RelayStage();
  const alice = overStream(on, 'alice');
  alice.allocate();
  on.relay.handleListenerClosed(alice.listener, on.now);
  assert.deepEqual(
    on.sink.ended.map(({ reason }) => reason),
    ['connection-closed'],
  );
});

test('the dialect is not spoken in the other one’s frames', () => {
  const on = new RelayStage();
  const listener = connection('tls');
  const alice = new StagedMsClient(on, { listener });
  on.relay.handleClientDatagram(listener, alice.address, alice.port, alice.bare(3), on.now);
  assert.equal(on.sink.toClient.length, 0);
});

const PEER = { address: '192.0.2.9', port: 6_000 };

test('a peer outside is reached by TCP from the relayed address: what waits for the connection goes out in order', () => {
  const on = new RelayStage();
  const alice = overStream(on, 'alice');
  alice.allocate();
  alice.sendTo(PEER.address, PEER.port, packet('one').toString('latin1'));
  alice.sendTo(PEER.address, PEER.port, packet('two').toString('latin1'));
  assert.equal(on.sink.dialled.length, 1, 'one connection');
  const [connection] = on.sink.dialled;
  assert.ok(connection);
  assert.deepEqual([connection.dial.address, connection.dial.port], [PEER.address, PEER.port]);
  assert.deepEqual(on.sink.written, []);
  on.relay.handlePeerConnected(connection, on.now);
  assert.equal(alice.setActiveDestination(PEER.address, PEER.port), 0);
  alice.frame(MsFrameType.Data, packet('raw'));
  assert.equal(
    Buffer.concat(on.sink.written.map(({ bytes }) => bytes)).toString('latin1'),
    [packet('one'), packet('two'), packet('raw')].map((bytes) => bytes.toString('latin1')).join(''),
  );
});

test('what a peer says on the connection comes packet by packet, however TCP has cut it', () => {
  const on = new RelayStage();
  const alice = overStream(on, 'alice');
  alice.allocate();
  alice.setActiveDestination(PEER.address, PEER.port);
  alice.frame(MsFrameType.Data, packet('first'));
  const [connection] = on.sink.dialled;
  assert.ok(connection);
  on.relay.handlePeerConnected(connection, on.now);
  alice.received();
  for (const octet of Buffer.concat([packet('one'), packet('three')]))
    on.relay.handleConnectionData(connection, Uint8Array.of(octet), on.now);
  assert.deepEqual(
    alice.received().map((bytes) => bytes.toString('latin1')),
    ['one', 'three'].map((text) => `03${packet(text).toString('latin1')}`),
  );
});

test('a peer may connect where the client has permitted it, and nobody else; the client needs no other connection', () => {
  const on = new RelayStage();
  const alice = overStream(on, 'alice');
  alice.allocate();
  const [allocation] = on.relay.allocations;
  const relay = allocation?.relays[0];
  assert.ok(relay);
  assert.equal(on.relay.handlePeerConnection(relay, PEER.address, 1, on.now), undefined);
  alice.sendTo(PEER.address, PEER.port, '');
  const connection = on.relay.handlePeerConnection(relay, PEER.address, 1, on.now);
  assert.equal(connection?.state, 'bound');
  assert.ok(connection);
  on.relay.handleConnectionData(connection, packet('hello'), on.now);
  assert.deepEqual(alice.heard(), [`from ${PEER.address}:1 ${packet('hello').toString('latin1')}`]);
  alice.sendTo(PEER.address, 1, packet('answer').toString('latin1'));
  assert.equal(on.sink.written.at(-1)?.bytes.toString('latin1'), packet('answer').toString('latin1'));
});

test('T12: peers that do not answer hold neither more connections nor more octets than a client may have', () => {
  const on = new RelayStage();
  const alice = overStream(on, 'alice');
  alice.allocate();
  for (let n = 0; n < 70; n++) alice.sendTo(PEER.address, 7_000 + n, packet('x').toString('latin1'));
  assert.equal(on.sink.dialled.length, 64);
  assert.equal(on.sink.drops.filter((reason) => reason === 'too-many-connections').length, 6);
  alice.setActiveDestination(PEER.address, 7_000);
  for (let n = 0; n < 3; n++) alice.frame(MsFrameType.Data, Buffer.alloc(30_000));
  assert.equal(on.sink.drops.filter((reason) => reason === 'ms-held-too-much').length, 1);
  on.pass(31);
  assert.equal(on.sink.hungUp.length, 64, 'given up after 30 s');
});

test('the source of a stream is slowed down, by what its receiver may get too, and nothing is left out', () => {
  const on = new RelayStage({ limits: { portKilobits: 80, userKilobits: 8_000, burstMilliseconds: 100 } });
  const { alice, bob } = connected(on);
  for (let n = 0; n < 10; n++) alice.frame(MsFrameType.Data, packet('x'.repeat(1_000)));
  assert.equal(bob.received().length, 10);
  assert.ok((on.sink.paced.at(-1)?.milliseconds ?? 0) > 900, `${on.sink.paced.at(-1)?.milliseconds} ms`);
  assert.deepEqual(on.sink.drops, []);
  assert.ok(
    on.sink.held.every(({ listener, receiver }) => listener === alice.listener && receiver === bob.listener),
  );
});

test('the ports of other services are no peers in this dialect either, over datagrams and streams', () => {
  for (const listener of [outside, connection()]) {
    const on = new RelayStage({ limits: { lowestPeerPort: 1_024 } });
    const client = new StagedMsClient(on, { listener });
    client.allocate();
    for (const port of [22, 25, 53, 1_023]) {
      client.sendTo('192.0.2.99', port, 'EHLO');
      assert.equal(client.setActiveDestination('192.0.2.99', port), 403, `${listener.transport} ${port}`);
    }
    assert.deepEqual(on.sink.drops, Array(4).fill('ms-peer-refused'));
    for (const { connections } of on.relay.allocations) assert.equal(connections.size, 0);
    assert.equal(client.setActiveDestination('192.0.2.99', 1_024), 0);
    assert.equal(client.setActiveDestination('192.0.2.99', 443), 0);
  }
});
