import { encodeMsIntegrity, MsAttributeType, MsMessageType, type MsWriter } from '#protocols/stun';
import type { FuzzTarget } from '#tools/fuzz';
import { StagedMsClient } from '../../testing/ms-client.ts';
import { outside, RelayStage } from '../../testing/relay-stage.ts';

const PEER = '192.0.2.50';
const limits = { permissionsPerAllocation: 6, allocationsPerUser: 3 };
const types = [
  MsMessageType.AllocateRequest,
  MsMessageType.SendRequest,
  MsMessageType.SetActiveDestinationRequest,
  0x0007,
] as const;

/** A stage that runs on from input to input, as a relay does. */
function staged(): { stage: RelayStage; client: StagedMsClient } {
  const stage = new RelayStage({ limits, ports: { first: 50_000, last: 50_019 } });
  return { stage, client: new StagedMsClient(stage, { listener: outside }) };
}

function settle({ stage, client }: ReturnType<typeof staged>): void {
  if (stage.relay.allocations.size > 0) return;
  client.nonce = undefined;
  client.connectionId = undefined;
  client.allocate((writer) => writer.putU32(MsAttributeType.Lifetime, 3_600));
  client.setActiveDestination(PEER, 7_000);
}

/** What holds after every input, whatever it was. Output is looked at and forgotten. */
function checkStage({ sink, relay }: RelayStage): void {
  for (const { address } of sink.toPeer) {
    if (/^(127|10|0|169\.254)\.|:|^203\.0\.113\.(10|30)$/.test(address))
      throw new Error(`sent to ${address}`);
  }
  for (const allocation of relay.allocations) {
    if (allocation.permissionCount > limits.permissionsPerAllocation) throw new Error('too many permissions');
  }
  if (relay.ports.taken > relay.ports.size) throw new Error('ports do not add up');
  for (const list of [sink.toClient, sink.toPeer, sink.drops, sink.closed, sink.opened, sink.ended]) {
    list.length = 0;
  }
}

const empty = staged();

function fuzzWithoutAllocation(input: Uint8Array): void {
  const { stage, client } = empty;
  stage.now += 10;
  client.send(input);
  if (stage.relay.allocations.size > 0 || stage.sink.bind.length > 0)
    throw new Error('something was allocated');
  const answer = stage.sink.toClient[0]?.bytes.length ?? 0;
  if (answer > Math.max(100, 2 * input.length + 64)) throw new Error(`${answer} octets for ${input.length}`);
  checkStage(stage);
}

const unproven = staged();

/** Everything that comes without credentials, from the client's address and from the peer's. */
function fuzzUnproven(input: Uint8Array): void {
  const { stage, client } = unproven;
  settle(unproven);
  stage.sink.toClient.length = 0;
  stage.now += 10;
  const [allocation] = stage.relay.allocations;
  const relay = allocation?.relays[0];
  client.send(input);
  if (relay !== undefined) stage.relay.handlePeerDatagram(relay, PEER, 7_000, input, stage.now);
  if (!stage.relay.allocations.has(allocation as never)) throw new Error('the allocation was ended');
  if (stage.sink.toPeer.some(({ address }) => address !== PEER)) throw new Error('another destination');
  checkStage(stage);
}

const owner = staged();

/** A message whose attributes are the input's, signed by the allocation's owner. */
function fuzzProven(input: Uint8Array): void {
  const { stage, client } = owner;
  settle(owner);
  stage.now += 10;
  const writer = client.begin(types[(input[0] ?? 0) & 3] ?? MsMessageType.SendRequest);
  writer.put(MsAttributeType.Username, Buffer.from(client.username));
  writer.put(MsAttributeType.Realm, Buffer.from(client.realm ?? ''));
  writer.put(MsAttributeType.Nonce, client.nonce ?? new Uint8Array(0));
  copyAttributes(writer, input.subarray(1, 1_500));
  encodeMsIntegrity(writer, client.key);
  client.send(writer.bytes);
  stage.bindAll();
  stage.relay.handleTimeouts(stage.now);
  checkStage(stage);
}

/** Octets read as type, length, value; a length that is too long is cut. */
function copyAttributes(writer: MsWriter, octets: Uint8Array): void {
  for (let at = 0; at + 4 <= octets.length; ) {
    const type = ((octets[at] ?? 0) << 8) | (octets[at + 1] ?? 0);
    const length = Math.min(((octets[at + 2] ?? 0) << 8) | (octets[at + 3] ?? 0), octets.length - at - 4);
    writer.put(type, octets.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
}

const destination = '001100080001 1b58 c0000232'.replaceAll(' ', '');
const plain = staged();
plain.client.challenge();
// What these seeds are signed with proves nothing.
plain.client.password = 'wrong';
const seeds: readonly Uint8Array[] = [
  plain.client.bare(MsMessageType.AllocateRequest),
  plain.client.allocateRequest(),
  plain.client.sendRequest(PEER, 7_000, 'hello'),
  plain.client.destinationRequest(PEER, 7_000),
  Buffer.from('80 raw'),
];

export const targets: readonly FuzzTarget[] = [
  { name: 'ms-relay-no-allocation', seeds, run: fuzzWithoutAllocation },
  { name: 'ms-relay-allocated-unproven', seeds, run: fuzzUnproven },
  {
    name: 'ms-relay-allocated-proven',
    seeds: [
      Buffer.from('00', 'hex'),
      Buffer.from('00000d000400000000', 'hex'),
      Buffer.from(`01${destination}0013000568656c6c6f`, 'hex'),
      Buffer.from(`02${destination}`, 'hex'),
      Buffer.from(`02${destination.replace('c0000232', '7f000001')}`, 'hex'),
    ],
    run: fuzzProven,
  },
];
