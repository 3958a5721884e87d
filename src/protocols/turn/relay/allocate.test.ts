import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AttributeType,
  checkMessageIntegrity,
  decodeErrorCode,
  decodeLifetime,
  decodeReservationToken,
  decodeUnknownAttributes,
  decodeXorAddress,
  ErrorCode,
  encodeAddressFamily,
  encodeEvenPort,
  encodeLifetime,
  encodeRequestedTransport,
  encodeReservationToken,
  longTermKey,
  MessageClass,
  Method,
  type StunMessage,
  type StunWriter,
} from '#protocols/stun';
import {
  inside,
  PASSWORD,
  REALM,
  RELAY_V4,
  RELAY_V6,
  RelayStage,
  type StagedClient,
} from '../testing/relay-stage.ts';

const udp = (writer: StunWriter) => encodeRequestedTransport(writer, 17);

function allocate(client: StagedClient, more: (writer: StunWriter) => void = () => {}): StunMessage {
  return client.ask(
    client.proven(Method.Allocate, (writer) => {
      udp(writer);
      more(writer);
    }),
  );
}

function errorOf(message: StunMessage): number {
  assert.equal(message.messageClass, MessageClass.Error);
  const code = decodeErrorCode(message);
  assert.ok(code.ok);
  return code.value.code;
}

test('an Allocate with a valid credential gets a relayed address, its own address and a lifetime', () => {
  const stage = new RelayStage();
  const answer = allocate(stage.client());
  assert.equal(answer.messageClass, MessageClass.Success);
  const relayed = decodeXorAddress(answer, AttributeType.XorRelayedAddress);
  assert.ok(relayed.ok);
  assert.equal(relayed.value.address, RELAY_V4);
  assert.ok(relayed.value.port >= 50_000 && relayed.value.port <= 50_099);
  const mapped = decodeXorAddress(answer, AttributeType.XorMappedAddress);
  assert.deepEqual(mapped.ok && { ...mapped.value }, {
    family: 'ipv4',
    address: '198.51.100.7',
    port: 40_000,
  });
  assert.deepEqual(decodeLifetime(answer), { ok: true, value: 600 });
  assert.ok(checkMessageIntegrity(answer, longTermKey('alice', REALM, PASSWORD)));
  assert.equal(stage.sink.opened.length, 1);
  assert.equal(stage.relay.counters.allocationsOpened, 1);
});

test('an internal client gets its relayed address on the external address too', () => {
  const stage = new RelayStage();
  const answer = allocate(stage.client({ listener: inside, address: '10.1.2.3' }));
  const relayed = decodeXorAddress(answer, AttributeType.XorRelayedAddress);
  assert.equal(relayed.ok && relayed.value.address, RELAY_V4);
});

test('REQUESTED-ADDRESS-FAMILY chooses the relay address; a family that is not served gets 440', () => {
  const stage = new RelayStage();
  const ipv6 = (writer: StunWriter) =>
    encodeAddressFamily(writer, AttributeType.RequestedAddressFamily, 'ipv6');
  const relayed = decodeXorAddress(allocate(stage.client(), ipv6), AttributeType.XorRelayedAddress);
  assert.equal(relayed.ok && relayed.value.address, RELAY_V6);
  const onlyV4 = new RelayStage({ relayAddresses: [{ address: RELAY_V4 }] });
  assert.equal(errorOf(allocate(onlyV4.client(), ipv6)), ErrorCode.AddressFamilyNotSupported);
  const strange = (writer: StunWriter) =>
    writer.put(AttributeType.RequestedAddressFamily, Buffer.from('03000000', 'hex'));
  assert.equal(errorOf(allocate(onlyV4.client(), strange)), ErrorCode.AddressFamilyNotSupported);
});

test('the advertised address is what the client is told, the socket is bound to the other', () => {
  const stage = new RelayStage({ relayAddresses: [{ address: '192.168.7.7', advertised: RELAY_V4 }] });
  const client = stage.client();
  const request = client.proven(Method.Allocate, udp);
  client.send(request);
  assert.equal(stage.sink.bind[0]?.address, '192.168.7.7');
  stage.sink.toClient.length = 0;
  stage.bindAll();
  assert.equal(stage.sink.opened[0]?.relays[0]?.advertised, RELAY_V4);
});

test('a retransmitted Allocate gets the same answer, and none while the socket is being bound', () => {
  const stage = new RelayStage();
  const client = stage.client();
  const request = client.proven(Method.Allocate, udp);
  client.received();
  client.send(request);
  client.send(request);
  assert.deepEqual(stage.sink.drops, ['allocation-pending']);
  assert.equal(stage.sink.bind.length, 1);
  stage.bindAll();
  stage.pass(3);
  client.send(request);
  const [first, second] = client.received();
  assert.ok(first && second);
  assert.deepEqual(second, first);
  assert.equal(stage.relay.allocations.size, 1);
});

test('another Allocate on the same 5-tuple gets 437', () => {
  const stage = new RelayStage();
  const client = stage.client();
  allocate(client);
  assert.equal(errorOf(allocate(client)), ErrorCode.AllocationMismatch);
});

test('REQUESTED-TRANSPORT must be there (400) and be UDP (442)', () => {
  const stage = new RelayStage();
  const client = stage.client();
  assert.equal(errorOf(client.ask(client.proven(Method.Allocate))), ErrorCode.BadRequest);
  const sctp = client.proven(Method.Allocate, (writer) => encodeRequestedTransport(writer, 132));
  assert.equal(errorOf(client.ask(sctp)), ErrorCode.UnsupportedTransportProtocol);
  // RFC 6062 §5.1: TCP is for clients that came by TCP.
  const tcp = client.proven(Method.Allocate, (writer) => encodeRequestedTransport(writer, 6));
  assert.equal(errorOf(client.ask(tcp)), ErrorCode.BadRequest);
  assert.equal(stage.relay.allocations.size, 0);
});

test('DONT-FRAGMENT is answered 420 with its type', () => {
  const stage = new RelayStage();
  const refusal = allocate(stage.client(), (writer) => writer.reserve(AttributeType.DontFragment, 0));
  assert.equal(errorOf(refusal), ErrorCode.UnknownAttribute);
  assert.deepEqual(decodeUnknownAttributes(refusal), { ok: true, value: [AttributeType.DontFragment] });
});

test('LIFETIME is granted within bounds', () => {
  for (const [wanted, granted] of [
    [30, 600],
    [777, 777],
    [9_999, 3_600],
  ] as const) {
    const answer = allocate(new RelayStage().client(), (writer) => encodeLifetime(writer, wanted));
    assert.deepEqual(decodeLifetime(answer), { ok: true, value: granted });
  }
});

test('LIFETIME never goes beyond the end of the credential', () => {
  const stage = new RelayStage();
  stage.expiries.set('alice', stage.wall + 100_500);
  assert.deepEqual(decodeLifetime(allocate(stage.client())), { ok: true, value: 100 });
});

test('a port that cannot be bound is passed over, and when none can the answer is 508', () => {
  const stage = new RelayStage({ ports: { first: 50_000, last: 50_003 } });
  for (const port of [50_000, 50_001, 50_003]) stage.unbindable.add(port);
  const relayed = decodeXorAddress(allocate(stage.client()), AttributeType.XorRelayedAddress);
  assert.equal(relayed.ok && relayed.value.port, 50_002);
  assert.equal(errorOf(allocate(stage.client({ port: 2 }))), ErrorCode.InsufficientCapacity);
  assert.equal(stage.relay.allocations.size, 1);
  assert.deepEqual(stage.relay.ports, { taken: 1, size: 8 });
});

test('quotas: 486 per user and per source address, 508 in all', () => {
  const stage = new RelayStage({
    limits: { allocations: 4, allocationsPerUser: 2, allocationsPerAddress: 3 },
  });
  const at = (port: number, username: string, address = '198.51.100.7') =>
    allocate(stage.client({ port, username, address }));
  assert.equal(at(1, 'alice:1').messageClass, MessageClass.Success);
  assert.equal(at(2, 'alice:2').messageClass, MessageClass.Success);
  assert.equal(errorOf(at(3, 'alice:3')), ErrorCode.AllocationQuotaReached);
  assert.equal(at(4, 'bob').messageClass, MessageClass.Success);
  assert.equal(errorOf(at(5, 'carol')), ErrorCode.AllocationQuotaReached);
  assert.equal(at(6, 'carol', '198.51.100.8').messageClass, MessageClass.Success);
  assert.equal(errorOf(at(7, 'dave', '198.51.100.9')), ErrorCode.InsufficientCapacity);
  stage.relay.closeAll(stage.now);
  assert.equal(at(8, 'alice:4').messageClass, MessageClass.Success);
});

test('while draining, new Allocates get 508', () => {
  const stage = new RelayStage();
  stage.relay.drain();
  assert.equal(errorOf(allocate(stage.client())), ErrorCode.InsufficientCapacity);
  stage.relay.undrain();
  assert.equal(allocate(stage.client()).messageClass, MessageClass.Success);
});

test('EVEN-PORT with R reserves the next port for whoever shows the token, once', () => {
  const stage = new RelayStage();
  const first = allocate(stage.client(), (writer) => encodeEvenPort(writer, true));
  const even = decodeXorAddress(first, AttributeType.XorRelayedAddress);
  const token = decodeReservationToken(first);
  assert.ok(even.ok && token.ok);
  assert.equal(even.value.port % 2, 0);
  const withToken = (writer: StunWriter) => encodeReservationToken(writer, token.value);
  assert.equal(errorOf(allocate(stage.client({ port: 9, username: 'mallory' }), withToken)), 508);
  const odd = decodeXorAddress(
    allocate(stage.client({ port: 2 }), withToken),
    AttributeType.XorRelayedAddress,
  );
  assert.equal(odd.ok && odd.value.port, even.value.port + 1);
  assert.equal(errorOf(allocate(stage.client({ port: 3 }), withToken)), ErrorCode.InsufficientCapacity);
});

test('RESERVATION-TOKEN beside EVEN-PORT or a family is 400', () => {
  const stage = new RelayStage();
  const client = stage.client();
  for (const more of [
    (writer: StunWriter) => encodeEvenPort(writer, false),
    (writer: StunWriter) => encodeAddressFamily(writer, AttributeType.RequestedAddressFamily, 'ipv4'),
  ]) {
    const refusal = allocate(client, (writer) => {
      encodeReservationToken(writer, Buffer.alloc(8));
      more(writer);
    });
    assert.equal(errorOf(refusal), ErrorCode.BadRequest);
  }
});

test('a reservation that nobody claims gives its port back', () => {
  const stage = new RelayStage();
  allocate(stage.client(), (writer) => encodeEvenPort(writer, true));
  assert.equal(stage.relay.ports.taken, 2);
  stage.pass(31);
  assert.equal(stage.relay.ports.taken, 1);
});

test('T10: EVEN-PORT takes one port without R and two with, also when binding fails half way', () => {
  const stage = new RelayStage({ ports: { first: 50_000, last: 50_019 } });
  allocate(stage.client({ port: 1 }), (writer) => encodeEvenPort(writer, false));
  assert.equal(stage.relay.ports.taken, 1);
  for (let port = 50_000; port < 50_020; port++) stage.unbindable.add(port);
  const refusal = allocate(stage.client({ port: 2 }), (writer) => encodeEvenPort(writer, true));
  assert.equal(errorOf(refusal), ErrorCode.InsufficientCapacity);
  assert.equal(stage.relay.ports.taken, 1);
  const waiting = stage.client({ port: 3 });
  waiting.send(
    waiting.proven(Method.Allocate, (writer) => {
      udp(writer);
      encodeEvenPort(writer, true);
    }),
  );
  assert.equal(stage.relay.ports.taken, 3);
  stage.relay.closeAll(stage.now);
  assert.equal(stage.relay.ports.taken, 0);
});

test('a bind result for an allocation that ended meanwhile is dropped', () => {
  const stage = new RelayStage();
  const client = stage.client();
  client.send(client.proven(Method.Allocate, udp));
  stage.relay.closeAll(stage.now);
  assert.equal(stage.sink.closed.length, 1);
  stage.bindAll();
  assert.deepEqual(stage.sink.drops, ['relay-closed']);
  assert.deepEqual(stage.sink.ended, []);
  assert.equal(stage.relay.ports.taken, 0);
});

test('clients that come from the same port of different addresses have each their own, whoever goes first', () => {
  const stage = new RelayStage();
  const clients = ['198.51.100.1', '198.51.100.2', '198.51.100.3'].map((address) =>
    stage.client({ address, port: 40_000 }),
  );
  for (const client of clients) client.allocate();
  assert.equal(stage.relay.allocations.size, 3);
  for (const [at, client] of [clients[1], clients[0], clients[2]].entries()) {
    assert.equal(client?.refresh(0), 0);
    assert.equal(stage.relay.allocations.size, 2 - at);
    assert.equal(client.refresh(), ErrorCode.AllocationMismatch, 'its own is gone');
    if (at === 0) assert.equal(clients[0]?.refresh(), 0, 'the others’ are not');
  }
  clients[1]?.allocate();
  assert.equal(clients[1]?.refresh(), 0);
});
