import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AttributeType,
  decodeAddressErrorCode,
  decodeXorAddressAt,
  ErrorCode,
  encodeAddressFamily,
  encodeEvenPort,
  encodeLifetime,
  encodeRequestedTransport,
  Method,
  type StunMessage,
  type StunWriter,
} from '#protocols/stun';
import {
  dataOf,
  errorOf,
  RELAY_V4,
  RELAY_V6,
  RelayStage,
  type StagedClient,
} from '../testing/relay-stage.ts';

const additional = (writer: StunWriter) =>
  encodeAddressFamily(writer, AttributeType.AdditionalAddressFamily, 'ipv6');

function allocate(client: StagedClient, more: (writer: StunWriter) => void = additional): StunMessage {
  return client.ask(
    client.proven(Method.Allocate, (writer) => {
      encodeRequestedTransport(writer, 17);
      more(writer);
    }),
  );
}
function relayed(message: StunMessage): { address: string; port: number }[] {
  const found = [];
  const type = AttributeType.XorRelayedAddress;
  for (let at = message.find(type); at >= 0; at = message.find(type, message.next(at))) {
    const one = decodeXorAddressAt(message, at);
    if (one.ok) found.push({ address: one.value.address, port: one.value.port });
  }
  return found;
}

test('ADDITIONAL-ADDRESS-FAMILY: one allocation with an address of each family', () => {
  const stage = new RelayStage();
  const answer = allocate(stage.client());
  assert.deepEqual(
    relayed(answer).map(({ address }) => address),
    [RELAY_V4, RELAY_V6],
  );
  assert.equal(stage.relay.allocations.size, 1);
  assert.equal(stage.relay.ports.taken, 2);
});

test('a client with both families brings one of IPv4 and one of IPv6 together', () => {
  const stage = new RelayStage();
  const both = stage.client({ port: 1 });
  const [four, six] = relayed(allocate(both));
  assert.ok(four !== undefined && six !== undefined);
  both.received();
  const old = stage.client({ port: 2, username: 'bob' });
  const oldAt = old.allocate();
  const young = stage.client({ port: 3, username: 'carol', address: '2001:db8:77::1' });
  const youngAt = young.allocate((writer) =>
    encodeAddressFamily(writer, AttributeType.RequestedAddressFamily, 'ipv6'),
  );
  for (const [client, peer] of [
    [old, four],
    [young, six],
    [both, oldAt],
    [both, youngAt],
  ] as const) {
    assert.equal(client.permit([peer.address, peer.port]), 0);
  }
  both.received();
  old.received();
  young.received();
  old.sendIndication(four.address, four.port, 'by IPv4');
  young.sendIndication(six.address, six.port, 'by IPv6');
  assert.deepEqual(both.received().map(dataOf), [
    `${oldAt.address}:${oldAt.port} by IPv4`,
    `${youngAt.address}:${youngAt.port} by IPv6`,
  ]);
  both.sendIndication(youngAt.address, youngAt.port, 'back');
  assert.deepEqual(young.received().map(dataOf), [`${six.address}:${six.port} back`]);
});

test('a family that is not there, or has no port, is told by ADDRESS-ERROR-CODE; the other is given', () => {
  const onlyV4 = new RelayStage({ relayAddresses: [{ address: RELAY_V4 }] });
  const without = allocate(onlyV4.client());
  assert.equal(relayed(without).length, 1);
  assert.deepEqual(decodeAddressErrorCode(without), {
    ok: true,
    value: { family: 'ipv6', code: ErrorCode.AddressFamilyNotSupported },
  });
  const onlyV6 = new RelayStage({ relayAddresses: [{ address: RELAY_V6 }] });
  assert.deepEqual(decodeAddressErrorCode(allocate(onlyV6.client())), {
    ok: true,
    value: { family: 'ipv4', code: ErrorCode.AddressFamilyNotSupported },
  });
  const full = new RelayStage({ ports: { first: 50_000, last: 50_001 } });
  for (const port of [1, 2]) {
    allocate(full.client({ port }), (writer) =>
      encodeAddressFamily(writer, AttributeType.RequestedAddressFamily, 'ipv6'),
    );
  }
  const last = allocate(full.client({ port: 3 }));
  assert.deepEqual(decodeAddressErrorCode(last), {
    ok: true,
    value: { family: 'ipv6', code: ErrorCode.InsufficientCapacity },
  });
  assert.equal(relayed(last)[0]?.address, RELAY_V4);
});

test('it asks for IPv6 only, and for nothing beside a family, a reservation or a token', () => {
  const client = new RelayStage().client();
  for (const more of [
    (writer: StunWriter) => encodeAddressFamily(writer, AttributeType.AdditionalAddressFamily, 'ipv4'),
    (writer: StunWriter) => {
      additional(writer);
      encodeAddressFamily(writer, AttributeType.RequestedAddressFamily, 'ipv6');
    },
    (writer: StunWriter) => {
      additional(writer);
      encodeEvenPort(writer, true);
    },
  ]) {
    assert.equal(errorOf(allocate(client, more)), ErrorCode.BadRequest);
  }
});

test('a Refresh of lifetime 0 that names a family ends that one alone', () => {
  const stage = new RelayStage();
  const client = stage.client();
  allocate(client);
  const end = (family: 'ipv4' | 'ipv6') =>
    errorOf(
      client.ask(
        client.proven(Method.Refresh, (writer) => {
          encodeLifetime(writer, 0);
          encodeAddressFamily(writer, AttributeType.RequestedAddressFamily, family);
        }),
      ),
    );
  assert.equal(client.bindChannel(0x4000, '2001:db8:5::5', 5_000), 0);
  assert.equal(end('ipv6'), 0);
  assert.equal(stage.relay.ports.taken, 1);
  assert.equal(client.bindChannel(0x4001, '2001:db8:5::5', 5_000), ErrorCode.PeerAddressFamilyMismatch);
  assert.equal(client.bindChannel(0x4002, '198.51.100.5', 5_000), 0);
  assert.equal(end('ipv6'), ErrorCode.PeerAddressFamilyMismatch);
  assert.equal(end('ipv4'), 0);
  assert.equal(stage.relay.allocations.size, 0);
  assert.equal(stage.relay.ports.taken, 0);
});
