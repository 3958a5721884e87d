import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ok, type Random, SeededRandom } from '#kernel';
import {
  checkMsIntegrity,
  decodeMs,
  decodeMsAddress,
  decodeMsNumber,
  decodeMsSequence,
  decodeMsText,
  decodeMsXorAddress,
  encodeMsAddress,
  encodeMsIntegrity,
  MsAttributeType,
  type MsMessage,
  MsMessageType,
  MsWriter,
} from '#protocols/stun';
import { msVectors, vectorBytes } from '../../../stun/testing/ms-vectors.ts';
import { parsePeerPolicy } from '../../index.ts';
import { msErrorOf, StagedMsClient } from '../../testing/ms-client.ts';
import { inside, outside, RELAY_V4, RelayStage, type StageOptions } from '../../testing/relay-stage.ts';

const PEER = '192.0.2.99';
const OTHER = '192.0.2.98';

function stage(options: StageOptions = {}): { stage: RelayStage; client: StagedMsClient } {
  const made = new RelayStage(options);
  return { stage: made, client: new StagedMsClient(made, { listener: outside }) };
}

function fromPeer(on: RelayStage, port: number, address: string, peerPort: number, data: string): void {
  const relay = [...on.relay.allocations].flatMap((one) => one.relays).find((one) => one.port === port);
  assert.ok(relay !== undefined);
  on.relay.handlePeerDatagram(relay, address, peerPort, Buffer.from(data), on.now);
}

test('the whole exchange: challenge, allocation, Send, Data Indication, raw after the active destination', () => {
  const { stage: on, client } = stage();
  const refusal = client.ask(client.bare(MsMessageType.AllocateRequest));
  assert.equal(refusal.type, MsMessageType.AllocateError);
  assert.equal(msErrorOf(refusal), 401);
  assert.equal(refusal.hasIntegrity, false);
  assert.equal(refusal.typeAt(20), MsAttributeType.MagicCookie);
  const relayed = client.allocate();
  assert.equal(relayed.address, RELAY_V4);
  client.sendTo(PEER, 6_000, 'hello');
  assert.deepEqual(
    on.sink.toPeer.map(({ address, port, bytes }) => `${address}:${port} ${bytes}`),
    [`${PEER}:6000 hello`],
  );
  assert.deepEqual(client.heard(), [], 'a Send is never answered');
  fromPeer(on, relayed.port, PEER, 6_000, 'world');
  assert.deepEqual(client.heard(), [`from ${PEER}:6000 world`]);
  const answer = client.ask(client.destinationRequest(PEER, 6_000));
  assert.equal(answer.type, MsMessageType.SetActiveDestinationResponse);
  assert.ok(checkMsIntegrity(answer, client.key));
  client.send(Buffer.from('\u0080 raw RTP'));
  client.send(Buffer.from('4001000161', 'hex'));
  client.send(Buffer.from('000100002112a442000000000000000000000000', 'hex'));
  assert.deepEqual(
    on.sink.toPeer.slice(1).map(({ port, bytes }) => [port, bytes.length]),
    [
      [6_000, 10],
      [6_000, 5],
      [6_000, 20],
    ],
    'whatever is no control message goes out as it is',
  );
  fromPeer(on, relayed.port, PEER, 6_000, 'raw back');
  fromPeer(on, relayed.port, PEER, 6_001, 'another port');
  assert.deepEqual(client.heard(), ['raw raw back', `from ${PEER}:6001 another port`]);
});

test('the answer to an Allocate holds what a client of 2007 looks for, in its order', () => {
  const { stage: on, client } = stage({ limits: { msBandwidth: 750 } });
  client.challenge();
  const answer = client.ask(client.allocateRequest());
  const types: number[] = [];
  for (let at = 20; at < answer.bytes.length; at = answer.next(at)) types.push(answer.typeAt(at));
  assert.deepEqual(types, [0x000f, 0x0001, 0x000d, 0x0010, 0x8020, 0x8050, 0x8008, 0x0008]);
  assert.ok(checkMsIntegrity(answer, client.key));
  assert.deepEqual(decodeMsXorAddress(answer), {
    ok: true,
    value: { address: '198.51.100.7', port: 40_000 },
  });
  assert.deepEqual(decodeMsNumber(answer, MsAttributeType.Lifetime), { ok: true, value: 600 });
  assert.deepEqual(decodeMsNumber(answer, MsAttributeType.Bandwidth), { ok: true, value: 750 });
  const sequence = decodeMsSequence(answer);
  assert.ok(sequence.ok && sequence.value.number === 0);
  assert.equal(on.relay.allocations.size, 1);
});

test('the version is the client’s, and 2 at most', () => {
  for (const [asked, told] of [
    [1, 1],
    [2, 2],
    [3, 2],
    [6, 2],
    [0, 1],
  ]) {
    const { client } = stage();
    client.version = asked ?? 0;
    const refusal = client.ask(client.bare(MsMessageType.AllocateRequest));
    assert.deepEqual(decodeMsNumber(refusal, MsAttributeType.MsVersion), { ok: true, value: told });
    client.challenge();
    const answer = client.ask(client.allocateRequest());
    assert.deepEqual(decodeMsNumber(answer, MsAttributeType.MsVersion), { ok: true, value: told });
  }
});

test('what an Allocate lacks is told by its code, with realm and nonce to try again', () => {
  const { stage: on, client } = stage();
  client.challenge();
  const { nonce, realm } = client;
  assert.ok(nonce !== undefined && realm !== undefined);
  const { Username, Realm, Nonce } = MsAttributeType;
  const code = (without: number | undefined, change: () => void = () => {}) => {
    change();
    const whole = client.allocateRequest();
    const decoded = decodeMs(whole);
    assert.ok(decoded.ok);
    const answer = client.ask(without === undefined ? whole : rewrite(decoded.value, without));
    assert.equal(answer.type, MsMessageType.AllocateError);
    assert.ok(decodeMsText(answer, Realm).ok && decodeMsText(answer, Nonce).ok && !answer.hasIntegrity);
    return msErrorOf(answer);
  };
  assert.equal(code(Username), 432);
  assert.equal(code(Realm), 434);
  assert.equal(code(Nonce), 435);
  assert.equal(
    code(undefined, () => {
      client.username = 'nobody';
    }),
    436,
  );
  client.username = 'alice';
  assert.equal(
    code(undefined, () => {
      client.password = 'wrong';
    }),
    431,
  );
  client.password = 'secret';
  assert.equal(
    code(undefined, () => {
      client.realm = 'old.example';
    }),
    401,
    'another realm than ours',
  );
  client.realm = realm;
  assert.equal(
    code(undefined, () => {
      client.nonce = Buffer.from('n-0001');
    }),
    438,
  );
  client.nonce = nonce;
  on.expiries.set('alice', on.wall - 1);
  assert.equal(code(undefined), 430);
  on.expiries.delete('alice');
  assert.equal(msErrorOf(client.ask(client.allocateRequest())), 0);
});

/** The message without one attribute, its integrity as it was. */
function rewrite(message: MsMessage, without: number): Buffer {
  const kept: Uint8Array[] = [];
  for (let at = 20; at < message.bytes.length; at = message.next(at)) {
    if (message.typeAt(at) !== without) kept.push(message.bytes.subarray(at, message.next(at)));
  }
  const bytes = Buffer.concat([message.bytes.subarray(0, 20), ...kept]);
  bytes.writeUInt16BE(bytes.length - 20, 2);
  return bytes;
}

test('a retransmission gets the same answer, a later Allocate renews, lifetime 0 ends', () => {
  const { stage: on, client } = stage();
  client.challenge();
  const request = client.allocateRequest();
  const first = client.draw(request);
  assert.deepEqual(client.draw(request), first);
  assert.equal(on.relay.allocations.size, 1);
  const [allocation] = on.relay.allocations;
  on.pass(500);
  const renewal = client.allocateRequest((writer) => writer.putU32(MsAttributeType.Lifetime, 1_200));
  const renewed = client.draw(renewal);
  assert.deepEqual(client.draw(renewal), renewed, 'its retransmission too');
  const decoded = decodeMs(renewed[0] ?? Buffer.alloc(0));
  assert.ok(decoded.ok && msErrorOf(decoded.value) === 0);
  assert.deepEqual(decodeMsNumber(decoded.value, MsAttributeType.Lifetime), { ok: true, value: 1_200 });
  assert.equal(allocation?.expires, on.now + 1_200_000);
  assert.equal(client.refresh(0), 0);
  assert.equal(on.relay.allocations.size, 0);
  assert.deepEqual(
    on.sink.ended.map(({ reason }) => reason),
    ['deallocated'],
  );
  assert.equal(client.refresh(0), 437, 'nothing is begun to be ended');
  assert.equal(on.relay.allocations.size, 0);
});

test('renewals go on with the nonce of the first challenge, long after a stranger’s would be stale', () => {
  const { stage: on, client } = stage({ times: { nonce: 60 } });
  client.allocate();
  for (let hour = 0; hour < 8; hour++) {
    on.pass(500);
    assert.equal(client.refresh(), 0);
  }
  const stranger = new StagedMsClient(on, { listener: outside, port: 41_000 });
  stranger.challenge();
  on.pass(61);
  assert.equal(msErrorOf(stranger.ask(stranger.allocateRequest())), 438);
});

test('a renewal with another user’s credential, or another allocation’s number, is refused', () => {
  const { client } = stage();
  client.allocate();
  client.username = 'bob';
  assert.equal(client.refresh(), 441);
  client.username = 'alice';
  client.connectionId = Buffer.alloc(20, 9);
  assert.equal(client.refresh(), 437);
});

test('Send: nothing is answered, and each fault is counted', () => {
  const { stage: on, client } = stage({ limits: { permissionsPerAllocation: 2 } });
  client.sendTo(PEER, 6_000, 'too early');
  client.allocate();
  const good = client.sendRequest(PEER, 6_000, 'once');
  client.send(good);
  client.send(good);
  const unsigned = client.bare(MsMessageType.SendRequest, (writer) =>
    encodeMsAddress(writer, MsAttributeType.DestinationAddress, PEER, 6_000),
  );
  client.send(unsigned);
  client.username = 'mallory';
  client.sendTo(PEER, 6_000, 'x');
  client.username = 'alice';
  client.password = 'wrong';
  client.sendTo(PEER, 6_000, 'x');
  client.password = 'secret';
  client.sendTo('10.1.2.3', 6_000, 'x');
  client.sendTo('127.0.0.1', 6_000, 'x');
  client.sendTo(PEER, 0, 'x');
  client.sendTo('2001:db8::9', 6_000, 'x');
  client.sendTo(OTHER, 6_000, 'second peer');
  client.sendTo('192.0.2.97', 6_000, 'third peer');
  const mine = client.connectionId;
  client.connectionId = Buffer.alloc(20, 9);
  client.sendTo(PEER, 6_000, 'x');
  client.connectionId = mine;
  assert.deepEqual(on.sink.drops, [
    'no-allocation',
    'ms-duplicate',
    'ms-unproven',
    'ms-unproven',
    'ms-unproven',
    'ms-peer-refused',
    'ms-peer-refused',
    'malformed-indication',
    'malformed-indication',
    'ms-no-room',
    'ms-wrong-connection',
  ]);
  assert.deepEqual(
    on.sink.toPeer.map(({ bytes }) => bytes.toString()),
    ['once', 'second peer'],
  );
  assert.deepEqual(client.received(), []);
});

test('Send in another order of arrival is no fault', () => {
  const { stage: on, client } = stage();
  client.allocate();
  const sends = Array.from({ length: 60 }, (_, index) => client.sendRequest(PEER, 6_000, String(index)));
  const [first, ...rest] = sends;
  for (const send of rest.slice(0, 20).reverse()) client.send(send);
  assert.ok(first !== undefined);
  client.send(first);
  assert.equal(on.sink.toPeer.length, 21);
  for (const send of rest.slice(20)) client.send(send);
  assert.equal(on.sink.toPeer.length, 60);
  client.send(first);
  assert.deepEqual(on.sink.drops, ['ms-duplicate'], 'older than can be told apart');
});

test('Set Active Destination: refused ones leave the old destination as it was', () => {
  const { stage: on, client } = stage();
  assert.equal(client.setActiveDestination(PEER, 6_000), 437, 'no allocation');
  client.allocate();
  client.send(Buffer.from('too early'));
  assert.deepEqual(on.sink.drops, ['ms-no-destination']);
  assert.equal(client.setActiveDestination(PEER, 6_000), 0);
  for (const [address, port, code] of [
    ['10.1.2.3', 6_000, 403],
    ['203.0.113.10', 6_000, 403],
    ['169.254.169.254', 6_000, 403],
    [RELAY_V4, 50_099, 403],
    [OTHER, 0, 400],
    ['2001:db8::9', 6_000, 400],
  ] as const) {
    assert.equal(client.setActiveDestination(address, port), code, address);
  }
  client.username = 'mallory';
  assert.equal(client.setActiveDestination(OTHER, 6_000), 441);
  client.username = 'alice';
  client.password = 'wrong';
  assert.equal(client.setActiveDestination(OTHER, 6_000), 431);
  client.password = 'secret';
  client.send(Buffer.from('still the first'));
  assert.equal(on.sink.toPeer.at(-1)?.address, PEER);
  const none = client.request(MsMessageType.SetActiveDestinationRequest, () => {});
  assert.equal(msErrorOf(client.ask(none)), 400);
});

test('a copy of an earlier Set Active Destination does not turn the media back', () => {
  const { stage: on, client } = stage();
  client.allocate();
  const early = client.destinationRequest(PEER, 6_000);
  assert.equal(msErrorOf(client.ask(early)), 0);
  const answer = client.draw(early);
  assert.equal(answer.length, 1, 'a retransmission is answered again');
  assert.equal(client.setActiveDestination(OTHER, 6_000), 0);
  assert.equal(msErrorOf(client.ask(early)), 400);
  client.send(Buffer.from('x'));
  assert.equal(on.sink.toPeer.at(-1)?.address, OTHER);
});

test('two clients of the dialect meet inside, raw both ways, without a socket', () => {
  const { stage: on, client } = stage();
  const other = new StagedMsClient(on, { listener: inside, address: '10.9.0.77', username: 'bob' });
  const one = client.allocate();
  const two = other.allocate();
  client.sendTo(two.address, two.port, 'refused: no permission yet');
  assert.deepEqual(on.sink.drops, ['peer-without-permission']);
  other.sendTo(one.address, one.port, 'check');
  assert.deepEqual(client.heard(), [`from ${two.address}:${two.port} check`]);
  assert.equal(client.setActiveDestination(two.address, two.port), 0);
  assert.equal(other.setActiveDestination(one.address, one.port), 0);
  client.send(Buffer.from('media'));
  assert.deepEqual(other.heard(), ['type 262', 'raw media'].slice(1));
  assert.deepEqual(on.sink.toPeer, []);
});

test('a client of the dialect and one of RFC 8656 meet inside', () => {
  const { stage: on, client } = stage();
  const standard = on.client({ port: 41_000, username: 'bob' });
  const mine = client.allocate();
  const theirs = standard.allocate();
  assert.equal(standard.permit([mine.address, mine.port]), 0);
  client.sendTo(theirs.address, theirs.port, 'hello');
  assert.equal(standard.received().length, 2, 'the answer to the permission, and the data');
  standard.sendIndication(mine.address, mine.port, 'world');
  assert.deepEqual(client.heard(), [`from ${theirs.address}:${theirs.port} world`]);
});

test('one 5-tuple has one dialect', () => {
  const { stage: on, client } = stage();
  const standard = on.client();
  standard.allocate();
  client.challenge();
  assert.equal(msErrorOf(client.ask(client.allocateRequest())), 437);
  assert.equal(client.setActiveDestination(PEER, 6_000), 437);
});

test('unknown attributes that must be understood, and IPv6, are refused with their list', () => {
  const { client } = stage();
  client.challenge();
  const list = (fill: Parameters<StagedMsClient['allocateRequest']>[0]) => {
    const answer = client.ask(client.allocateRequest(fill));
    assert.equal(msErrorOf(answer), 420);
    return Buffer.from(answer.value(MsAttributeType.UnknownAttributes) ?? []).toString('hex');
  };
  assert.equal(
    list((writer) => writer.putU32(0x0018, 0)),
    '0018',
  );
  assert.equal(
    list((writer) => writer.putU32(MsAttributeType.RequestedAddressFamily, 0x02000000)),
    '0017',
  );
  const ipv4 = client.allocateRequest((writer) => {
    writer.putU32(MsAttributeType.RequestedAddressFamily, 0x01000000);
    writer.put(0x8055, Buffer.alloc(4));
    writer.put(0x8006, Buffer.alloc(3));
  });
  assert.equal(msErrorOf(client.ask(ipv4)), 0);
});

test('over IPv6 the dialect is not spoken', () => {
  const { stage: on } = stage();
  const client = new StagedMsClient(on, { listener: outside, address: '2001:db8:7::1' });
  assert.deepEqual(client.draw(client.bare(MsMessageType.AllocateRequest)), []);
  assert.deepEqual(on.sink.drops, ['ms-over-ipv6']);
});

test('Shared Secret, answers and indications from a client are ignored', () => {
  const { stage: on, client } = stage();
  for (const type of [0x0001, 0x0002, 0x0115, 0x0103, 0x0113, 0x0106]) {
    assert.deepEqual(client.draw(client.bare(type)), []);
  }
  assert.deepEqual(new Set(on.sink.drops), new Set(['unknown-method']));
});

test('quota, full range and drain: 486 and 508, and renewals go on', () => {
  const { stage: on, client } = stage({
    limits: { allocationsPerUser: 1 },
    ports: { first: 50_000, last: 50_001 },
  });
  client.allocate();
  const again = new StagedMsClient(on, { listener: outside, port: 41_000 });
  again.challenge();
  assert.equal(msErrorOf(again.ask(again.allocateRequest())), 486);
  new StagedMsClient(on, { listener: outside, port: 41_001, username: 'bob' }).allocate();
  const carol = new StagedMsClient(on, { listener: outside, port: 41_002, username: 'carol' });
  carol.challenge();
  assert.equal(msErrorOf(carol.ask(carol.allocateRequest())), 508);
  on.relay.drain();
  assert.equal(client.refresh(), 0);
  assert.equal(msErrorOf(carol.ask(carol.allocateRequest())), 508);
});

test('a drained edge names another edge of the pool to newcomers with a credential, and to nobody else', () => {
  const { stage: on, client } = stage();
  client.allocate();
  on.relay.configure({
    pool: {
      relayAddresses: new Set(),
      alternate: ({ face }) => ({
        address: `203.0.113.${face === 'external' ? 31 : 1}`,
        port: 3_478,
        domain: '',
      }),
    },
  });
  const newcomer = (port: number) => new StagedMsClient(on, { listener: outside, port, username: 'bob' });
  newcomer(41_000).allocate();
  on.relay.drain();
  const late = newcomer(41_001);
  const { AlternateServer } = MsAttributeType;
  const challenge = late.ask(late.bare(MsMessageType.AllocateRequest));
  assert.deepEqual([msErrorOf(challenge), challenge.value(AlternateServer)], [401, undefined]);
  late.challenge();
  const answer = late.ask(late.allocateRequest());
  assert.equal(answer.type, MsMessageType.AllocateError);
  assert.equal(msErrorOf(answer), 300);
  const alternate = decodeMsAddress(answer, AlternateServer);
  assert.deepEqual(alternate, { ok: true, value: { address: '203.0.113.31', port: 3_478 } });
  assert.ok(checkMsIntegrity(answer, late.key));
  assert.equal(client.refresh(), 0, 'who is here stays');
  assert.equal(on.relay.allocations.size, 2);
});

test('ports that cannot be bound are passed over, and 508 when none is left', () => {
  const { stage: on, client } = stage({ ports: { first: 50_000, last: 50_002 } });
  for (const port of [50_000, 50_001, 50_002]) on.unbindable.add(port);
  client.challenge();
  const answer = client.ask(client.allocateRequest());
  assert.equal(msErrorOf(answer), 508);
  assert.ok(checkMsIntegrity(answer, client.key));
  assert.equal(on.relay.allocations.size, 0);
});

test('the credential’s end ends the allocation in mid-session', () => {
  const { stage: on, client } = stage();
  on.expiries.set('alice', on.wall + 30_000);
  client.allocate();
  assert.equal(client.setActiveDestination(PEER, 6_000), 0);
  on.passUnswept(30);
  client.send(Buffer.from('late'));
  assert.equal(on.sink.toPeer.length, 0);
  assert.equal(on.sink.ended[0]?.reason, 'credential-expired');
});

test('a reload that refuses the active destination cuts it off at once', () => {
  const { stage: on, client } = stage();
  client.allocate();
  assert.equal(client.setActiveDestination(PEER, 6_000), 0);
  const policy = parsePeerPolicy({ ownAddresses: [], internalNetworks: [], allowedPeers: [] });
  assert.ok(policy.ok);
  on.relay.configure({ policy: policy.value });
  client.send(Buffer.from('x'));
  assert.deepEqual(on.sink.toPeer, []);
  assert.deepEqual(on.sink.drops, ['no-permission']);
});

test('the printed vectors play: Send and Set Active Destination octet by octet', () => {
  const username = Buffer.from(msVectors.username_hex, 'hex');
  const key = Buffer.from(msVectors.md5_key_hex, 'hex');
  const on = new RelayStage({
    realm: msVectors.realm,
    ports: { first: 50_000, last: 50_000 },
    relayAddresses: [{ address: '192.0.2.10' }],
    random: withConnectionId(Buffer.from('c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3', 'hex')),
    limits: { msBandwidth: 750 },
    verifier: {
      lookup: (name) => {
        assert.deepEqual(Buffer.from(name), username);
        return ok({ keys: [key], user: 'alice', expires: Number.POSITIVE_INFINITY });
      },
    },
  });
  const client = new StagedMsClient(on, { listener: outside });
  assert.equal(msErrorOf(client.ask(vectorBytes('1_allocate_request'))), 401);
  assert.equal(msErrorOf(client.ask(vectorBytes('3_allocate_request_auth'))), 438, 'not a nonce of ours');
  const asked = decodeMs(vectorBytes('3_allocate_request_auth'));
  client.challenge();
  assert.ok(asked.ok && client.nonce !== undefined);
  const writer = new MsWriter().begin(new Uint8Array(300), asked.value.type, asked.value.transactionId);
  writer.putU32(MsAttributeType.MsVersion, 1);
  writer.put(MsAttributeType.Realm, Buffer.from(msVectors.realm));
  writer.put(MsAttributeType.Nonce, client.nonce);
  writer.put(MsAttributeType.Username, username);
  encodeMsIntegrity(writer, key);
  const granted = client.draw(writer.bytes);
  assert.equal(granted[0]?.toString('hex'), vectorBytes('4_allocate_success').toString('hex'));
  client.send(vectorBytes('5_send_request_libnice_order'));
  assert.equal(on.sink.toPeer[0]?.bytes.toString(), 'hello');
  fromPeer(on, 50_000, '203.0.113.5', 6_000, 'world');
  const data = client.received()[0] ?? Buffer.alloc(0);
  const expected = vectorBytes('6_data_indication');
  assert.equal(data.toString('hex', 20), expected.toString('hex', 20), 'but for the transaction id');
  assert.equal(data.toString('hex', 0, 4), expected.toString('hex', 0, 4));
  const answer = client.draw(vectorBytes('7_set_active_destination'));
  assert.equal(answer[0]?.toString('hex'), vectorBytes('8_set_active_destination_ok').toString('hex'));
});

/** Random numbers of which the 20 octets of a connection id are these. */
function withConnectionId(id: Uint8Array): Random {
  const seeded = new SeededRandom(7);
  return {
    bytes: (count: number) => (count === id.length ? new Uint8Array(id) : seeded.bytes(count)),
  };
}
