import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MsMessage, MsMessageType, type MsWriter } from '#protocols/stun';
import { StagedMsClient } from '../../testing/ms-client.ts';
import { outside, RelayStage } from '../../testing/relay-stage.ts';

/** Type and length of what [MS-TURNBWM] puts into an Allocate. */
const BANDWIDTH_POLICY = [
  [0x8056, 4],
  [0x8057, 16],
  [0x8058, 16],
  [0x8059, 8],
  [0x805a, 20],
  [0x805b, 8],
  [0x805c, 20],
  [0x805d, 12],
  [0x805e, 12],
  [0x805f, 12],
  [0x8060, 12],
  [0x8061, 256],
  [0x8062, 31],
  [0x8068, 4],
] as const;

function stage(): { stage: RelayStage; client: StagedMsClient } {
  const made = new RelayStage();
  return { stage: made, client: new StagedMsClient(made, { listener: outside }) };
}
/** The types of what an Allocate of a new client is answered with. */
function granted(fill: (writer: MsWriter) => void): number[] {
  const { stage: on, client } = stage();
  const answer = client.ask(client.allocateRequest(fill));
  assert.equal(answer.type, MsMessageType.AllocateResponse);
  assert.equal(on.relay.allocations.size, 1);
  return typesOf(answer);
}
function typesOf(message: MsMessage): number[] {
  const types: number[] = [];
  for (let at = 20; at < message.bytes.length; at = message.next(at)) types.push(message.typeAt(at));
  return types;
}

test('attributes of the bandwidth policy change nothing, one by one and all together, and none comes back', () => {
  const usual = granted(() => {});
  for (const attributes of [...BANDWIDTH_POLICY.map((one) => [one]), BANDWIDTH_POLICY]) {
    const types = granted((writer) => {
      for (const [type, length] of attributes) writer.put(type, Buffer.alloc(length, 0xff));
    });
    assert.deepEqual(types, usual);
  }
});

test('the multiplexed channel of later versions is not spoken: it draws nothing and moves nothing', () => {
  const { stage: on, client } = stage();
  const multiplexed = Buffer.concat([Buffer.from('ff10000c0011223344556677', 'hex'), Buffer.from('data')]);
  assert.deepEqual(client.draw(multiplexed), []);
  client.version = 6;
  client.allocate();
  assert.deepEqual(client.draw(multiplexed), []);
  assert.deepEqual(on.sink.toPeer, []);
});
