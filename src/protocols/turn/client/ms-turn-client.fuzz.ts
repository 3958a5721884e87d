import { SeededRandom } from '#kernel';
import {
  encodeMsAddress,
  encodeMsErrorCode,
  encodeMsIntegrity,
  encodeMsSequence,
  longTermKey,
  MsAttributeType,
  MsMessageType,
  MsWriter,
} from '#protocols/stun';
import type { FuzzTarget } from '#tools/fuzz';
import { MsTurnClient } from './ms-turn-client.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');
const key = longTermKey('alice', 'example.org', 'secret');
const writer = new MsWriter();
const buffer = new Uint8Array(70_000);

type State = 'allocating' | 'challenged' | 'allocated' | 'deallocating';

interface Stage {
  readonly client: MsTurnClient;
  last: Uint8Array;
  sent: number;
  ended: number;
}

/** A client that has got as far as `state`. */
function stageOf(state: State): Stage {
  const stage: Stage = {
    client: new MsTurnClient({
      username: base64('alice'),
      password: base64('secret'),
      random: new SeededRandom(5),
      sink: {
        control: (message) => {
          stage.last = message;
          stage.sent++;
        },
        event: ({ type }) => {
          if (type === 'ended') stage.ended++;
        },
      },
    }),
    last: new Uint8Array(0),
    sent: 0,
    ended: 0,
  };
  stage.client.allocate(0);
  if (state !== 'allocating') answer(stage, MsMessageType.AllocateError, challenge, false);
  if (state === 'allocated' || state === 'deallocating') {
    answer(stage, MsMessageType.AllocateResponse, allocation, true);
    stage.client.setActiveDestination({ address: '192.0.2.1', port: 7_000 }, 0);
  }
  if (state === 'deallocating') stage.client.deallocate(0);
  return stage;
}

function challenge(to: MsWriter): void {
  encodeMsErrorCode(to, 401);
  to.put(MsAttributeType.Realm, Buffer.from('example.org'));
  to.put(MsAttributeType.Nonce, Buffer.from('nonce'));
}
function allocation(to: MsWriter): void {
  encodeMsAddress(to, MsAttributeType.MappedAddress, '203.0.113.30', 50_000);
  to.putU32(MsAttributeType.Lifetime, 600);
  encodeMsSequence(to, new Uint8Array(20).fill(7), 0);
}

/** Answers the client's last request. */
function answer(stage: Stage, type: number, fill: (to: MsWriter) => void, sealed: boolean): void {
  writer.begin(buffer, type, stage.last.subarray(4, 20));
  fill(writer);
  if (sealed) encodeMsIntegrity(writer, key);
  stage.client.handleMessage(writer.bytes, 0);
}

const types = [
  MsMessageType.AllocateResponse,
  MsMessageType.AllocateError,
  MsMessageType.SetActiveDestinationResponse,
  MsMessageType.DataIndication,
] as const;

/** The input as a message, then as the attributes of an answer, sealed or not, then time runs out. */
function fuzz(state: State, input: Uint8Array): void {
  const stage = stageOf(state);
  stage.client.handleMessage(input, 1);
  const choice = input[0] ?? 0;
  const type = types[choice & 3] ?? types[0];
  answer(stage, type, (to) => copyAttributes(to, input.subarray(1, 60_000)), (choice & 4) !== 0);
  for (let seconds = 1; seconds <= 60; seconds++) stage.client.handleTimeouts(seconds * 1_000);
  if (stage.ended > 1 || stage.sent > 60) throw new Error(`ended ${stage.ended} times, sent ${stage.sent}`);
}

function copyAttributes(to: MsWriter, octets: Uint8Array): void {
  for (let at = 0; at + 4 <= octets.length; ) {
    const type = ((octets[at] ?? 0) << 8) | (octets[at + 1] ?? 0);
    const length = Math.min(((octets[at + 2] ?? 0) << 8) | (octets[at + 3] ?? 0), octets.length - at - 4);
    to.put(type, octets.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
}

function seed(choice: number, fill: (to: MsWriter) => void): Uint8Array {
  const made = new MsWriter().begin(new Uint8Array(300), types[0], new Uint8Array(16));
  fill(made);
  return Buffer.concat([Buffer.of(choice), made.bytes.subarray(20)]);
}

const seeds: readonly Uint8Array[] = [
  seed(1, challenge),
  seed(4, allocation),
  seed(5, (to) => encodeMsErrorCode(to, 437)),
  seed(6, () => {}),
];
const states: readonly State[] = ['allocating', 'challenged', 'allocated', 'deallocating'];

export const targets: readonly FuzzTarget[] = states.map((state) => ({
  name: `ms-turn-client-${state}`,
  seeds,
  run: (input) => fuzz(state, input),
}));
