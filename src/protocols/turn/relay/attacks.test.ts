import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Random, SeededRandom } from '#kernel';
import { AttributeType, encodeLifetime, encodeXorAddress, Method, type StunWriter } from '#protocols/stun';
import { parsePeerPolicy } from '../index.ts';
import { errorOf, inside, RELAY_V4, RelayStage } from '../testing/relay-stage.ts';

/** Attack classes on relays, by the ids of the threat list; those of the policy itself are in peer-policy.test.ts. */

const REFUSED = [
  '127.0.0.1',
  '0.0.0.0',
  '169.254.169.254',
  '10.1.2.3',
  '172.16.0.1',
  '192.168.1.1',
  '100.64.0.1',
  '224.0.0.1',
  '255.255.255.255',
  '203.0.113.10',
  '10.9.0.1',
  RELAY_V4,
];
const REFUSED_V6 = [
  '::1',
  '::',
  '::ffff:127.0.0.1',
  '::ffff:10.0.0.1',
  '::127.0.0.1',
  '64:ff9b::7f00:1',
  '2002:7f00:1::',
  'fe80::1',
  'fc00::1',
  'fec0::1',
  'ff02::1',
  '2001:0:1::1',
];

for (const [id, family, addresses] of [
  ['T1, T4', 'ipv4', REFUSED],
  ['T1, T2, T3, T4', 'ipv6', REFUSED_V6],
] as const) {
  test(`${id}: refused ${family} peers are 403 in CreatePermission and ChannelBind, and dropped in Send`, () => {
    for (const face of [undefined, inside]) {
      const stage = new RelayStage();
      const client = stage.client(face === undefined ? {} : { listener: face, address: '10.1.1.1' });
      const code = family === 'ipv4' ? '01000000' : '02000000';
      client.allocate((writer) => writer.put(AttributeType.RequestedAddressFamily, Buffer.from(code, 'hex')));
      for (const address of addresses) {
        assert.equal(client.permit([address, 3_478]), 403, address);
        assert.equal(client.permit([address, 0]), 403, address);
        assert.equal(client.bindChannel(0x4000, address, 3_478), 403, address);
        client.sendIndication(address, 3_478, 'x');
        assert.equal(stage.sink.drops.at(-1), 'no-permission', address);
      }
      assert.deepEqual(stage.sink.toPeer, []);
    }
  });
}

test('T4: the permission for one allocated relayed address opens no other port of the edge', () => {
  const stage = new RelayStage();
  const client = stage.client();
  const own = client.allocate();
  assert.equal(client.permit([own.address, own.port]), 0);
  client.received();
  for (const port of [3_478, 443, 22, own.port + 1]) client.sendIndication(own.address, port, 'x');
  assert.deepEqual(stage.sink.drops, Array(4).fill('peer-own-address'));
  assert.deepEqual(stage.sink.toPeer, []);
  assert.deepEqual(client.received(), []);
});

test('T4: an internal network is refused even when the document allows it as a peer', () => {
  const stage = new RelayStage({
    allowedPeers: ['0.0.0.0/0', '::/0'],
    internalNetworks: ['10.0.0.0/8', '198.51.100.128/25'],
  });
  const client = stage.client();
  client.allocate();
  assert.equal(client.permit(['10.1.2.3', 1]), 403);
  assert.equal(client.permit(['198.51.100.200', 1]), 403);
  assert.equal(client.permit(['198.51.100.1', 1]), 0);
});

test('T6: LIFETIME and XOR-PEER-ADDRESS after MESSAGE-INTEGRITY change nothing', () => {
  const stage = new RelayStage();
  const client = stage.client();
  client.allocate();
  client.afterIntegrity = (writer: StunWriter) => {
    encodeLifetime(writer, 0);
    encodeXorAddress(writer, AttributeType.XorPeerAddress, '192.0.2.66', 1);
  };
  assert.equal(client.refresh(), 0);
  assert.equal(stage.relay.allocations.size, 1);
  assert.equal(client.permit(['192.0.2.50', 1]), 0);
  assert.equal([...stage.relay.allocations][0]?.permissionCount, 1);
  assert.equal(client.permit(), 400);
});

test('T7: a flood of Allocates, valid but for their nonce, leaves nothing behind', () => {
  const stage = new RelayStage();
  for (let source = 1; source < 255; source++) {
    const client = stage.client({ address: `198.51.100.${source}` });
    client.nonce = Buffer.from('AAAAAAAAAAAAAAAA');
    assert.equal(errorOf(client.ask(client.proven(Method.Allocate))), 438);
  }
  assert.equal(stage.relay.allocations.size, 0);
  assert.equal(stage.relay.ports.taken, 0);
});

test('T8, T9: answers before proof are small, and run dry for a prefix', () => {
  const stage = new RelayStage({ limits: { unprovenAnswersPerSecond: 5, unprovenAnswerBurst: 10 } });
  const client = stage.client();
  for (let count = 0; count < 30; count++) {
    client.send(client.bare(count % 2 === 0 ? Method.Binding : Method.Allocate));
  }
  const answers = client.received();
  assert.equal(answers.length, 10);
  assert.ok(answers.every((bytes) => bytes.length <= 100));
  assert.equal(stage.relay.drops.get('unproven-over-budget'), 20);
  stage.pass(1);
  client.send(client.bare(Method.Binding));
  assert.equal(client.received().length, 1);
});

test('T8: who has proved itself is not held up by the budget', () => {
  const stage = new RelayStage({ limits: { unprovenAnswersPerSecond: 1, unprovenAnswerBurst: 1 } });
  const client = stage.client();
  client.allocate();
  for (let count = 0; count < 20; count++) assert.equal(client.refresh(), 0);
});

test('T8: a bare Allocate draws at most 100 octets with a realm of 20, which is what check warns beyond', () => {
  for (const [octets, longest] of [
    [20, 100],
    [21, 104],
  ] as const) {
    const client = new RelayStage({ realm: 'r'.repeat(octets) }).client();
    client.send(client.bare(Method.Allocate));
    assert.deepEqual(
      client.received().map((bytes) => bytes.length),
      [longest],
    );
  }
});

test('T9: a Binding answer is no larger than it must be', () => {
  const client = new RelayStage().client();
  assert.equal(client.ask(client.bare(Method.Binding)).bytes.length, 32);
  const unknown = client.bare(Method.Binding, (writer) => writer.reserve(0x0003, 4));
  assert.equal(errorOf(client.ask(unknown)), 420);
});

test('T11: the quota is held until the allocation is gone, also by one that waits for its socket', () => {
  const stage = new RelayStage({ limits: { allocationsPerUser: 1 } });
  const waiting = stage.client({ port: 1 });
  const second = stage.client({ port: 2 });
  second.challenge();
  waiting.send(
    waiting.proven(Method.Allocate, (writer) =>
      writer.put(AttributeType.RequestedTransport, Buffer.from('11000000', 'hex')),
    ),
  );
  const refused = second.proven(Method.Allocate, (writer) =>
    writer.put(AttributeType.RequestedTransport, Buffer.from('11000000', 'hex')),
  );
  second.send(refused);
  assert.equal(stage.relay.refusals.get(486), 1);
});

test('T14: usernames with control characters, format strings and quotes are only octets', () => {
  const stage = new RelayStage();
  for (const [index, name] of ['%s%n%x', "' OR 1=1 --", 'a\r\nb\0c', '$(reboot)'].entries()) {
    stage.client({ username: name, port: 1 + index }).allocate();
  }
  assert.equal(stage.relay.allocations.size, 4);
});

test('an adapter that reuses its buffers changes nothing that the relay keeps', () => {
  const stage = new RelayStage();
  const client = stage.client();
  const request = client.proven(Method.Allocate, (writer) =>
    writer.put(AttributeType.RequestedTransport, Buffer.from('11000000', 'hex')),
  );
  client.received();
  const receiveBuffer = Buffer.from(request);
  client.send(receiveBuffer);
  receiveBuffer.fill(0xee);
  stage.bindAll();
  client.send(request);
  const [first, second] = client.received();
  assert.deepEqual(second, first);
  assert.deepEqual(first?.subarray(8, 20), request.subarray(8, 20));
  assert.equal(client.refresh(), 0);
});

test('T4: a network that a new document makes internal is cut off at once, for channels too', () => {
  const stage = new RelayStage();
  const client = stage.client();
  const other = stage.client({ port: 40_001, username: 'bob' });
  const relayed = client.allocate();
  const relay = stage.sink.opened[0]?.relays[0];
  assert.ok(relay);
  const own = other.allocate();
  assert.equal(client.permit(['192.0.2.50', 0], ['198.51.100.9', 0], [own.address, own.port]), 0);
  assert.equal(client.bindChannel(0x4001, '192.0.2.50', 7_000), 0);
  assert.equal(other.permit([relayed.address, relayed.port]), 0);
  const policy = parsePeerPolicy({
    ownAddresses: [],
    internalNetworks: ['192.0.2.0/24'],
    allowedPeers: ['198.51.100.0/24', '192.0.2.0/24'],
  });
  assert.ok(policy.ok);
  stage.relay.configure({ policy: policy.value });
  client.sendChannel(0x4001, 'x');
  client.sendIndication('192.0.2.50', 7_000, 'x');
  stage.relay.handlePeerDatagram(relay, '192.0.2.50', 7_000, Buffer.from('x'), stage.now);
  assert.deepEqual(stage.sink.toPeer, []);
  assert.deepEqual(stage.sink.drops.slice(-3), ['no-channel', 'no-permission', 'peer-without-permission']);
  client.sendIndication('198.51.100.9', 7_000, 'x');
  assert.equal(stage.sink.toPeer.length, 1, 'a peer that is still allowed stays');
  other.received();
  client.sendIndication(own.address, own.port, 'x');
  assert.equal(other.received().length, 1, 'and so does a relayed address');
});

test('T16: DTLS is not offered: its hello draws nothing, and nothing is kept for it', () => {
  const stage = new RelayStage();
  const client = stage.client();
  client.send(Buffer.from('16fefd0000000000000000003001000024000000000000002400', 'hex'));
  assert.deepEqual(client.received(), []);
  assert.equal(stage.relay.drops.get('not-stun'), 1);
  assert.equal(stage.relay.allocations.size, 0);
});

test('T13: a token of RFC 7635 is an attribute that nobody here reads before a credential', () => {
  const stage = new RelayStage();
  const client = stage.client();
  const request = client.bare(Method.Allocate, (writer) => writer.put(0x001b, Buffer.alloc(200, 0xff)));
  assert.equal(errorOf(client.ask(request)), 401);
});

test('T15: ports and nonces follow from the injected generator, and from nothing else', () => {
  const drawn = (random: Random) => {
    const stage = new RelayStage({ random });
    const clients = Array.from({ length: 10 }, (_, n) => stage.client({ port: 41_000 + n }));
    return clients.map((client) => `${client.allocate().port} ${Buffer.from(client.nonce ?? []).toString()}`);
  };
  const one = drawn(new SeededRandom(1));
  assert.deepEqual(drawn(new SeededRandom(1)), one);
  const other = drawn(new SeededRandom(2));
  assert.ok(one.every((line, index) => line !== other[index]));
  assert.equal(new Set(one).size, one.length);
});
