import {
  AttributeType,
  encodeChannelNumber,
  encodeLifetime,
  encodeMessageIntegrity,
  encodeRequestedTransport,
  encodeText,
  encodeXorAddress,
  longTermKey,
  MessageClass,
  Method,
  StunWriter,
} from '#protocols/stun';
import type { FuzzTarget } from '#tools/fuzz';
import { PASSWORD, REALM, RelayStage, type StagedClient } from '../testing/relay-stage.ts';

const PEER = '192.0.2.50';
const limits = { permissionsPerAllocation: 6, channelsPerAllocation: 4, allocationsPerUser: 3 };
const proven = [Method.Allocate, Method.Refresh, Method.CreatePermission, Method.ChannelBind] as const;

/** A stage that runs on from input to input, as a relay does. */
function staged(): { stage: RelayStage; client: StagedClient } {
  const stage = new RelayStage({ limits, ports: { first: 50_000, last: 50_019 } });
  return { stage, client: stage.client() };
}

/** An allocation with a permission and a channel. */
function settle(client: StagedClient): void {
  client.allocate((writer) => encodeLifetime(writer, 3_600));
  client.permit([PEER, 0]);
  client.bindChannel(0x4000, PEER, 7_000);
}

/** What holds after every input, whatever it was. Output is looked at and forgotten. */
function checkStage(stage: RelayStage): void {
  const { sink, relay } = stage;
  const answers = sink.toClient.reduce((sum, item) => sum + item.bytes.length, 0);
  if (answers > 70_000) throw new Error(`${answers} octets of answers`);
  for (const { address } of sink.toPeer) {
    if (/^(127|10|0|169\.254)\.|^::|^203\.0\.113\.(10|30)$/.test(address))
      throw new Error(`sent to ${address}`);
  }
  let ports = 0;
  for (const allocation of relay.allocations) {
    ports += allocation.relays.length;
    if (allocation.permissionCount > limits.permissionsPerAllocation) throw new Error('too many permissions');
    if (allocation.channelCount > limits.channelsPerAllocation) throw new Error('too many channels');
  }
  if (relay.ports.taken < ports || relay.ports.taken > relay.ports.size)
    throw new Error('ports do not add up');
  sink.toClient.length = 0;
  sink.toPeer.length = 0;
  sink.drops.length = 0;
  sink.closed.length = 0;
  sink.opened.length = 0;
  sink.ended.length = 0;
}

const empty = staged();

function fuzzWithoutAllocation(input: Uint8Array): void {
  const { stage, client } = empty;
  stage.now += 10;
  client.send(input);
  if (stage.relay.allocations.size > 0 || stage.sink.bind.length > 0)
    throw new Error('something was allocated');
  const answer = stage.sink.toClient[0]?.bytes.length ?? 0;
  if (answer > Math.max(128, 2 * input.length + 64)) throw new Error(`${answer} octets for ${input.length}`);
  checkStage(stage);
}

const unproven = staged();

/** Everything that comes without credentials, from the client's address and from the peer's. */
function fuzzUnproven(input: Uint8Array): void {
  const { stage, client } = unproven;
  if (stage.relay.allocations.size === 0) settle(client);
  stage.sink.toPeer.length = 0;
  const [allocation] = stage.relay.allocations;
  const relay = allocation?.relays[0];
  if (relay === undefined) throw new Error('the allocation was lost');
  client.send(input);
  for (const { address } of stage.sink.toPeer) if (address !== PEER) throw new Error(`sent to ${address}`);
  stage.relay.handlePeerDatagram(relay, PEER, 7_000, input, stage.now);
  stage.relay.handlePeerDatagram(relay, PEER, 7_001, input, stage.now);
  if (stage.relay.allocations.size !== 1 || allocation?.permissionCount !== 1)
    throw new Error('the state changed');
  stage.now += 1;
  checkStage(stage);
  if (stage.now % 100_000 === 0) {
    client.nonce = undefined;
    client.permit([PEER, 0]);
    client.bindChannel(0x4000, PEER, 7_000);
    client.refresh(3_600);
    stage.sink.toClient.length = 0;
  }
}

const trusted = staged();
const requestBuffer = new Uint8Array(4_000);
const key = longTermKey('alice', REALM, PASSWORD);

/** The input's first octet chooses the method, the rest are attributes of a request that is authenticated. */
function fuzzProven(input: Uint8Array): void {
  const { stage, client } = trusted;
  stage.now += 10;
  stage.wall += 10;
  if (stage.now % 1_000_000 === 0) client.nonce = undefined;
  if (client.nonce === undefined) client.challenge();
  const writer = new StunWriter().begin(
    requestBuffer,
    proven[(input[0] ?? 0) & 3] ?? Method.Allocate,
    MessageClass.Request,
    stage.random.bytes(12),
  );
  encodeText(writer, AttributeType.Username, Buffer.from('alice'));
  encodeText(writer, AttributeType.Realm, Buffer.from(REALM));
  encodeText(writer, AttributeType.Nonce, client.nonce ?? new Uint8Array(0));
  copyAttributes(writer, input.subarray(1, 1_500));
  encodeMessageIntegrity(writer, key);
  client.send(writer.bytes);
  if ((input[0] ?? 0) & 4) stage.unbindable.add(stage.sink.bind[0]?.port ?? 0);
  stage.bindAll();
  stage.unbindable.clear();
  stage.relay.handleTimeouts(stage.now);
  checkStage(stage);
}

/** Octets read as type, length, value; a length that is too long is cut. */
function copyAttributes(writer: StunWriter, octets: Uint8Array): void {
  for (let at = 0; at + 4 <= octets.length; ) {
    const type = ((octets[at] ?? 0) << 8) | (octets[at + 1] ?? 0);
    const length = Math.min(((octets[at + 2] ?? 0) << 8) | (octets[at + 3] ?? 0), octets.length - at - 4);
    writer.put(type, octets.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
}

/** One octet for the method and then attributes as `copyAttributes` reads them. */
function attributes(method: number, fill: (writer: StunWriter) => void): Uint8Array {
  const writer = new StunWriter().begin(new Uint8Array(300), Method.Allocate, 0, new Uint8Array(12));
  fill(writer);
  return Buffer.concat([Buffer.of(method), writer.bytes.subarray(20)]);
}

const peer = (address: string) => (writer: StunWriter) =>
  encodeXorAddress(writer, AttributeType.XorPeerAddress, address, 7_000);

const clientSeeds: readonly Uint8Array[] = [
  empty.client.bare(Method.Binding),
  empty.client.bare(Method.Allocate, (writer) => encodeRequestedTransport(writer, 17)),
  unproven.client.proven(Method.Refresh),
  Buffer.from('4000000568656c6c6f', 'hex'),
  empty.client.indication(Method.Send, (writer) => {
    encodeXorAddress(writer, AttributeType.XorPeerAddress, PEER, 7_000);
    writer.put(AttributeType.Data, Buffer.from('hello'));
  }),
];

export const targets: readonly FuzzTarget[] = [
  { name: 'turn-relay-no-allocation', seeds: clientSeeds, run: fuzzWithoutAllocation },
  { name: 'turn-relay-allocated-unproven', seeds: clientSeeds, run: fuzzUnproven },
  {
    name: 'turn-relay-allocated-proven',
    seeds: [
      attributes(0, (writer) => encodeRequestedTransport(writer, 17)),
      attributes(0, (writer) => {
        encodeRequestedTransport(writer, 17);
        writer.put(AttributeType.EvenPort, Buffer.of(0x80));
      }),
      attributes(1, (writer) => encodeLifetime(writer, 0)),
      attributes(2, peer(PEER)),
      attributes(2, peer('::ffff:127.0.0.1')),
      attributes(3, (writer) => {
        encodeChannelNumber(writer, 0x4001);
        peer(PEER)(writer);
      }),
    ],
    run: fuzzProven,
  },
];
