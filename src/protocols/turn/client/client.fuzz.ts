import { SeededRandom } from '#kernel';
import {
  AttributeType,
  encodeErrorCode,
  encodeLifetime,
  encodeMessageIntegrity,
  encodeText,
  encodeXorAddress,
  longTermKey,
  MessageClass,
  Method,
  StunWriter,
} from '#protocols/stun';
import type { FuzzTarget } from '#tools/fuzz';
import { TurnClient } from './turn-client.ts';

const key = longTermKey('alice', 'example.org', 'secret');
const writer = new StunWriter();
const buffer = new Uint8Array(70_000);

type State = 'allocating' | 'challenged' | 'allocated' | 'deallocating';

interface Stage {
  readonly client: TurnClient;
  last: Uint8Array;
  sent: number;
  ended: number;
}

/** A client that has got as far as `state`. */
function stageOf(state: State): Stage {
  const stage: Stage = {
    client: new TurnClient({
      username: 'alice',
      password: 'secret',
      random: new SeededRandom(5),
      limits: { peers: 4 },
      sink: {
        send: (bytes) => {
          stage.last = new Uint8Array(bytes);
          stage.sent++;
        },
        data: (_address, _port, bytes) => {
          if (bytes.length > 65_535) throw new Error('data out of bounds');
        },
        event: (event) => {
          if (event.type === 'ended') stage.ended++;
        },
      },
    }),
    last: new Uint8Array(0),
    sent: 0,
    ended: 0,
  };
  stage.client.allocate(0);
  if (state !== 'allocating') answer(stage, MessageClass.Error, challenge, false);
  if (state === 'allocated' || state === 'deallocating') {
    answer(stage, MessageClass.Success, allocation, true);
    stage.client.permit('192.0.2.1', 7, 0);
    answer(stage, MessageClass.Success, () => {}, true);
    stage.client.bindChannel('192.0.2.1', 7, 0);
  }
  if (state === 'deallocating') stage.client.deallocate(0);
  return stage;
}

function challenge(to: StunWriter): void {
  encodeErrorCode(to, 401);
  encodeText(to, AttributeType.Realm, Buffer.from('example.org'));
  encodeText(to, AttributeType.Nonce, Buffer.from('nonce'));
}

function allocation(to: StunWriter): void {
  encodeXorAddress(to, AttributeType.XorRelayedAddress, '203.0.113.30', 50_000);
  encodeXorAddress(to, AttributeType.XorMappedAddress, '198.51.100.7', 4_000);
  encodeLifetime(to, 600);
}

/** Answers the client's last request. */
function answer(
  stage: Stage,
  messageClass: MessageClass,
  fill: (to: StunWriter) => void,
  sealed: boolean,
): void {
  const type = ((stage.last[0] ?? 0) << 8) | (stage.last[1] ?? 0);
  const method = (type & 0x0f) | ((type >> 1) & 0x70);
  writer.begin(buffer, method, messageClass, stage.last.subarray(8, 20));
  fill(writer);
  if (sealed) encodeMessageIntegrity(writer, key);
  stage.client.handleDatagram(writer.bytes, 0);
}

/** The input as a datagram, then as the attributes of an answer, sealed or not, then time runs out. */
function fuzz(state: State, input: Uint8Array): void {
  const stage = stageOf(state);
  stage.client.handleDatagram(input, 1);
  const choice = input[0] ?? 0;
  const messageClass = choice & 1 ? MessageClass.Success : MessageClass.Error;
  answer(stage, messageClass, (to) => copyAttributes(to, input.subarray(1, 60_000)), (choice & 2) !== 0);
  for (let step = 0; step < 40; step++) {
    const next = stage.client.deadline();
    if (next === undefined) break;
    if (!(next >= 0)) throw new Error(`the deadline ${next} makes no sense`);
    stage.client.handleTimeouts(next);
  }
  if (stage.ended > 1 || stage.sent > 80) throw new Error(`ended ${stage.ended} times, sent ${stage.sent}`);
}

function copyAttributes(to: StunWriter, octets: Uint8Array): void {
  for (let at = 0; at + 4 <= octets.length; ) {
    const type = ((octets[at] ?? 0) << 8) | (octets[at + 1] ?? 0);
    const length = Math.min(((octets[at + 2] ?? 0) << 8) | (octets[at + 3] ?? 0), octets.length - at - 4);
    to.put(type, octets.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
}

function seed(choice: number, fill: (to: StunWriter) => void): Uint8Array {
  const made = new StunWriter().begin(new Uint8Array(300), Method.Allocate, 0, new Uint8Array(12));
  fill(made);
  return Buffer.concat([Buffer.of(choice), made.bytes.subarray(20)]);
}

const seeds: readonly Uint8Array[] = [
  seed(0, challenge),
  seed(3, allocation),
  seed(2, (to) => encodeErrorCode(to, 437)),
  seed(0, (to) => encodeErrorCode(to, 300)),
  Buffer.from('4000000568656c6c6f', 'hex'),
];

const states: readonly State[] = ['allocating', 'challenged', 'allocated', 'deallocating'];

export const targets: readonly FuzzTarget[] = states.map((state) => ({
  name: `turn-client-${state}`,
  seeds,
  run: (input) => fuzz(state, input),
}));
