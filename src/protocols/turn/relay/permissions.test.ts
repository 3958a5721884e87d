import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AttributeType, encodeAddressFamily, encodeXorAddress, Method } from '#protocols/stun';
import { errorOf, RelayStage } from '../testing/relay-stage.ts';

const PEER = '192.0.2.50';

test('requests that need an allocation get 437 without one, and 441 with another username', () => {
  const stage = new RelayStage();
  const client = stage.client();
  assert.equal(client.permit([PEER, 1]), 437);
  assert.equal(client.bindChannel(0x4000, PEER, 1), 437);
  assert.equal(client.refresh(), 437);
  client.allocate();
  client.username = 'bob';
  assert.equal(client.permit([PEER, 1]), 441);
  assert.equal(client.refresh(0), 441);
  assert.equal(stage.relay.allocations.size, 1);
});

test('CreatePermission without a peer, or with a broken one, is 400', () => {
  const client = new RelayStage().client();
  client.allocate();
  assert.equal(client.permit(), 400);
  const broken = client.proven(Method.CreatePermission, (writer) => {
    encodeXorAddress(writer, AttributeType.XorPeerAddress, PEER, 1);
    writer.put(AttributeType.XorPeerAddress, Buffer.from('0009', 'hex'));
  });
  assert.equal(errorOf(client.ask(broken)), 400);
});

test('CreatePermission permits all of its peers, or none', () => {
  const stage = new RelayStage();
  const client = stage.client();
  client.allocate();
  assert.equal(client.permit([PEER, 1], ['127.0.0.1', 1]), 403);
  const [allocation] = stage.relay.allocations;
  assert.equal(allocation?.permissionCount, 0);
  assert.equal(client.permit([PEER, 1], ['192.0.2.51', 1]), 0);
  assert.equal(allocation?.permissionCount, 2);
});

test('a permission lasts 300 s from its last renewal', () => {
  const stage = new RelayStage();
  const client = stage.client();
  client.allocate();
  client.permit([PEER, 1]);
  stage.passUnswept(299);
  client.sendIndication(PEER, 1, 'still');
  client.permit([PEER, 1]);
  stage.passUnswept(299);
  client.sendIndication(PEER, 1, 'renewed');
  stage.passUnswept(1);
  client.sendIndication(PEER, 1, 'over');
  assert.deepEqual(
    stage.sink.toPeer.map((out) => out.bytes.toString()),
    ['still', 'renewed'],
  );
  assert.deepEqual(stage.sink.drops, ['no-permission']);
});

test('a channel lasts 600 s, its permission 300 s', () => {
  const stage = new RelayStage();
  const client = stage.client();
  client.allocate();
  client.bindChannel(0x4000, PEER, 7);
  client.refresh(3_600);
  const relay = stage.sink.opened[0]?.relays[0];
  assert.ok(relay);
  client.received();
  stage.passUnswept(300);
  stage.relay.handlePeerDatagram(relay, PEER, 7, Buffer.from('late'), stage.now);
  assert.deepEqual(stage.sink.drops, ['peer-without-permission']);
  client.sendChannel(0x4000, 'x');
  stage.passUnswept(300);
  client.sendChannel(0x4000, 'y');
  assert.equal(stage.sink.toPeer.length, 1);
  assert.equal(stage.sink.drops.at(-1), 'no-channel');
});

test('ChannelBind: numbers out of range, taken numbers and taken peers are 400; the same again renews', () => {
  const stage = new RelayStage();
  const client = stage.client();
  client.allocate();
  assert.equal(client.bindChannel(0x3fff, PEER, 7), 400);
  assert.equal(client.bindChannel(0x8000, PEER, 7), 400);
  assert.equal(client.bindChannel(0x4000, PEER, 0), 400);
  assert.equal(client.bindChannel(0x4000, PEER, 7), 0);
  assert.equal(client.bindChannel(0x4000, PEER, 8), 400);
  assert.equal(client.bindChannel(0x4001, PEER, 7), 400);
  stage.passUnswept(500);
  assert.equal(client.bindChannel(0x4000, PEER, 7), 0);
  stage.passUnswept(90);
  client.refresh(3_600);
  stage.passUnswept(400);
  client.sendChannel(0x4000, 'renewed');
  assert.equal(stage.sink.toPeer.length, 1);
});

test('after its end a channel number can stand for another peer', () => {
  const stage = new RelayStage();
  const client = stage.client();
  client.allocate((writer) => writer.put(AttributeType.Lifetime, Buffer.from('00000e10', 'hex')));
  client.bindChannel(0x4000, PEER, 7);
  stage.passUnswept(600);
  assert.equal(client.bindChannel(0x4000, '192.0.2.51', 9), 0);
  assert.equal(client.bindChannel(0x4001, PEER, 7), 0);
  client.sendChannel(0x4000, 'x');
  assert.equal(stage.sink.toPeer[0]?.address, '192.0.2.51');
});

test('T12: permissions and channels are bounded (508), and room comes back when they end', () => {
  const stage = new RelayStage({ limits: { permissionsPerAllocation: 2, channelsPerAllocation: 2 } });
  const client = stage.client();
  client.allocate((writer) => writer.put(AttributeType.Lifetime, Buffer.from('00000e10', 'hex')));
  assert.equal(client.permit(['192.0.2.1', 1], ['192.0.2.2', 1], ['192.0.2.3', 1]), 508);
  assert.equal(client.bindChannel(0x4000, '192.0.2.1', 1), 0);
  assert.equal(client.bindChannel(0x4001, '192.0.2.2', 1), 0);
  assert.equal(client.bindChannel(0x4002, '192.0.2.2', 2), 508);
  assert.equal(client.permit(['192.0.2.3', 1]), 508);
  assert.equal(client.permit(['192.0.2.1', 1]), 0);
  stage.passUnswept(601);
  assert.equal(client.bindChannel(0x4002, '192.0.2.3', 1), 0);
  assert.equal(client.permit(['192.0.2.4', 1]), 0);
});

test('a peer of another family is 443', () => {
  const client = new RelayStage().client();
  client.allocate();
  assert.equal(client.permit(['2001:db8::9', 1]), 443);
  assert.equal(client.bindChannel(0x4000, '2001:db8::9', 1), 443);
  const refresh = client.proven(Method.Refresh, (writer) =>
    encodeAddressFamily(writer, AttributeType.RequestedAddressFamily, 'ipv6'),
  );
  assert.equal(errorOf(client.ask(refresh)), 443);
});
