import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AttributeType,
  encodeAddressFamily,
  encodeXorAddress,
  Method,
  type StunWriter,
} from '#protocols/stun';
import { dataOf, inside, RELAY_V4, RelayStage } from '../testing/relay-stage.ts';

const PEER = '192.0.2.50';

function permitted() {
  const stage = new RelayStage();
  const client = stage.client();
  const relayed = client.allocate();
  assert.equal(client.permit([PEER, 0]), 0);
  const relay = stage.sink.opened[0]?.relays[0];
  assert.ok(relay);
  return { stage, client, relayed, relay };
}

test('Send goes out, Data comes back', () => {
  const { stage, client, relay } = permitted();
  client.sendIndication(PEER, 7_000, 'hello');
  const [out] = stage.sink.toPeer;
  assert.ok(out);
  assert.equal(`${out.address}:${out.port} ${out.bytes}`, `${PEER}:7000 hello`);
  assert.equal(out.relay, relay);
  client.received();
  stage.relay.handlePeerDatagram(relay, PEER, 7_001, Buffer.from('welcome'), stage.now);
  assert.equal(dataOf(client.received()[0]), `${PEER}:7001 welcome`);
  const { sentPackets, sentBytes, receivedPackets, receivedBytes } = relay.allocation;
  assert.deepEqual([sentPackets, sentBytes, receivedPackets, receivedBytes], [1, 5, 1, 7]);
  assert.equal(stage.relay.counters.sentBytes, 5);
});

test('ChannelData goes out and comes back; another port of the peer still gets Data', () => {
  const { stage, client, relay } = permitted();
  assert.equal(client.bindChannel(0x4001, PEER, 7_000), 0);
  client.sendChannel(0x4001, 'hello');
  assert.equal(stage.sink.toPeer[0]?.bytes.toString(), 'hello');
  client.received();
  stage.relay.handlePeerDatagram(relay, PEER, 7_000, Buffer.from('abc'), stage.now);
  stage.relay.handlePeerDatagram(relay, PEER, 7_002, Buffer.from('def'), stage.now);
  const [channel, indication] = client.received();
  assert.equal(channel?.toString('hex'), '40010003616263');
  assert.equal(dataOf(indication), `${PEER}:7002 def`);
});

test('empty datagrams are relayed too', () => {
  const { stage, client, relay } = permitted();
  client.bindChannel(0x4001, PEER, 7_000);
  client.received();
  client.sendChannel(0x4001, '');
  assert.equal(stage.sink.toPeer[0]?.bytes.length, 0);
  stage.relay.handlePeerDatagram(relay, PEER, 7_000, Buffer.alloc(0), stage.now);
  assert.equal(client.received()[0]?.toString('hex'), '40010000');
});

test('the largest datagrams fit', () => {
  const { stage, client, relay } = permitted();
  client.received();
  stage.relay.handlePeerDatagram(relay, PEER, 7_000, Buffer.alloc(65_507), stage.now);
  assert.equal(client.received()[0]?.length, 20 + 12 + 4 + 65_508);
});

test('a datagram of IPv6 that is longer than a Data indication can be is dropped; a channel carries it', () => {
  const stage = new RelayStage();
  const client = stage.client();
  client.allocate((writer) => encodeAddressFamily(writer, AttributeType.RequestedAddressFamily, 'ipv6'));
  const peer = '2001:db8::50';
  assert.equal(client.permit([peer, 0]), 0);
  const relay = stage.sink.opened[0]?.relays[0];
  assert.ok(relay);
  client.received();
  const receive = (bytes: number) =>
    stage.relay.handlePeerDatagram(relay, peer, 7_000, Buffer.alloc(bytes), stage.now);
  receive(65_504);
  assert.equal(client.received()[0]?.length, 20 + 24 + 4 + 65_504);
  receive(65_505);
  receive(65_527);
  assert.deepEqual(client.received(), []);
  assert.deepEqual(stage.sink.drops, ['data-too-long', 'data-too-long']);
  assert.equal(client.bindChannel(0x4001, peer, 7_000), 0);
  client.received();
  receive(65_527);
  assert.equal(client.received()[0]?.length, 4 + 65_527);
});

test('what is dropped, and why', () => {
  const { stage, client, relay } = permitted();
  const { drops } = stage.sink;
  const dropped = (act: () => void) => {
    drops.length = 0;
    act();
    return drops.join();
  };
  const stranger = stage.client({ port: 99 });
  const peerData = (address: string) => () =>
    stage.relay.handlePeerDatagram(relay, address, 7_000, Buffer.from('x'), stage.now);
  assert.equal(
    dropped(() => stranger.sendChannel(0x4001, 'x')),
    'no-allocation',
  );
  assert.equal(
    dropped(() => stranger.sendIndication(PEER, 1, 'x')),
    'no-allocation',
  );
  assert.equal(
    dropped(() => client.sendChannel(0x4001, 'x')),
    'no-channel',
  );
  assert.equal(
    dropped(() => client.send(Buffer.from('40010009', 'hex'))),
    'malformed-channel-data',
  );
  assert.equal(
    dropped(() => client.sendIndication('192.0.2.51', 1, 'x')),
    'no-permission',
  );
  assert.equal(
    dropped(() => client.sendIndication('2001:db8::5', 1, 'x')),
    'no-relayed-address',
  );
  assert.equal(
    dropped(() => client.sendIndication(PEER, 0, 'x')),
    'malformed-indication',
  );
  assert.equal(
    dropped(() => client.send(client.indication(Method.Send, () => {}))),
    'malformed-indication',
  );
  const dontFragment = client.indication(Method.Send, (writer) => {
    encodeXorAddress(writer, AttributeType.XorPeerAddress, PEER, 7);
    writer.put(AttributeType.Data, Buffer.from('x'));
    writer.reserve(AttributeType.DontFragment, 0);
  });
  assert.equal(
    dropped(() => client.send(dontFragment)),
    'unknown-attribute',
  );
  assert.equal(
    dropped(() => client.send(client.indication(Method.Data, () => {}))),
    'unexpected-class',
  );
  assert.equal(
    dropped(() => client.send(client.begin(Method.Binding, 2).bytes)),
    'unexpected-class',
  );
  assert.equal(
    dropped(() => client.send(client.bare(0x0ff))),
    'unknown-method',
  );
  assert.equal(
    dropped(() => client.send(client.indication(Method.Binding, () => {}))),
    '',
  );
  assert.equal(
    dropped(() => client.send(Buffer.from('GET / HTTP/1.1\r\n\r\n'))),
    'malformed-channel-data',
  );
  assert.equal(
    dropped(() => client.send(Buffer.alloc(0))),
    'too-short',
  );
  assert.equal(
    dropped(() => client.send(Buffer.alloc(60, 0x16))),
    'not-stun',
  );
  assert.equal(dropped(peerData('192.0.2.51')), 'peer-without-permission');
  assert.equal(dropped(peerData(RELAY_V4)), 'peer-claims-own-address');
  assert.deepEqual(stage.sink.toPeer, []);
  client.refresh(0);
  assert.equal(dropped(peerData(PEER)), 'relay-closed');
});

test('two clients, outside and internal, meet inside the relay: no socket, channels or not', () => {
  const stage = new RelayStage();
  const alice = stage.client({ port: 1 });
  const bob = stage.client({ listener: inside, address: '10.1.2.3', port: 2, username: 'bob' });
  const a = alice.allocate();
  const b = bob.allocate();
  assert.equal(alice.permit([b.address, b.port]), 0);
  assert.equal(bob.bindChannel(0x4000, a.address, a.port), 0);
  alice.received();
  bob.received();
  alice.sendIndication(b.address, b.port, 'ring');
  assert.equal(bob.received()[0]?.toString('hex'), `40000004${Buffer.from('ring').toString('hex')}`);
  bob.sendChannel(0x4000, 'yes');
  assert.equal(dataOf(alice.received()[0]), `${b.address}:${b.port} yes`);
  assert.deepEqual(stage.sink.toPeer, []);
  assert.equal(stage.relay.counters.switchedPackets, 2);
});

test('switched data need the permission of the other allocation', () => {
  const stage = new RelayStage();
  const alice = stage.client({ port: 1 });
  const bob = stage.client({ port: 2, username: 'bob' });
  alice.allocate();
  const b = bob.allocate();
  alice.permit([b.address, b.port]);
  bob.received();
  alice.sendIndication(b.address, b.port, 'knock');
  assert.deepEqual(stage.sink.drops, ['peer-without-permission']);
  assert.deepEqual(bob.received(), []);
});

test('behind a NAT, both forms of a relayed address are switched, and shown as advertised', () => {
  const bound = '192.168.7.7';
  const stage = new RelayStage({ relayAddresses: [{ address: bound, advertised: RELAY_V4 }] });
  const alice = stage.client({ port: 1 });
  const bob = stage.client({ port: 2, username: 'bob' });
  const a = alice.allocate();
  const b = bob.allocate();
  assert.equal(a.address, RELAY_V4);
  assert.equal(alice.permit([bound, b.port]), 0);
  assert.equal(bob.permit([RELAY_V4, a.port]), 0);
  bob.received();
  alice.sendIndication(bound, b.port, 'one');
  alice.sendIndication(RELAY_V4, b.port, 'two');
  assert.deepEqual(bob.received().map(dataOf), [`${RELAY_V4}:${a.port} one`, `${RELAY_V4}:${a.port} two`]);
  assert.deepEqual(stage.sink.toPeer, []);
});

test('a channel to a relayed address that ended sends nothing anywhere', () => {
  const stage = new RelayStage();
  const alice = stage.client({ port: 1 });
  const bob = stage.client({ port: 2, username: 'bob' });
  alice.allocate();
  const b = bob.allocate();
  assert.equal(alice.bindChannel(0x4000, b.address, b.port), 0);
  bob.refresh(0);
  alice.sendChannel(0x4000, 'anyone?');
  assert.deepEqual(stage.sink.drops, ['peer-own-address']);
  assert.deepEqual(stage.sink.toPeer, []);
});

test('IPv6 clients and peers', () => {
  const stage = new RelayStage();
  const client = stage.client({ address: '2001:db8:1::7' });
  const ipv6 = (writer: StunWriter) =>
    encodeAddressFamily(writer, AttributeType.RequestedAddressFamily, 'ipv6');
  client.allocate(ipv6);
  assert.equal(client.bindChannel(0x4000, '2001:db8:2::9', 7), 0);
  client.sendChannel(0x4000, 'six');
  assert.equal(stage.sink.toPeer[0]?.address, '2001:db8:2::9');
  assert.equal(client.permit(['192.0.2.1', 1]), 443);
});
