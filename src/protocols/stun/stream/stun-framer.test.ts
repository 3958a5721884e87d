import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '#kernel';
import { MessageClass, Method } from '../methods.ts';
import { StunWriter } from '../writer.ts';
import { StunFramer } from './stun-framer.ts';

function binding(id: number): Buffer {
  const writer = new StunWriter();
  writer.begin(new Uint8Array(64), Method.Binding, MessageClass.Request, new Uint8Array(12).fill(id));
  writer.put(0x8022, Buffer.from('software'));
  return Buffer.from(writer.bytes);
}
function channelData(channel: number, length: number): Buffer {
  const frame = Buffer.alloc(4 + ((length + 3) & ~3), 0x5a);
  frame.writeUInt16BE(channel, 0);
  frame.writeUInt16BE(length, 2);
  return frame;
}

test('frames come out whole however the stream is cut', () => {
  const frames = [
    binding(1),
    channelData(0x4000, 0),
    channelData(0x4001, 5),
    binding(2),
    channelData(0x7fff, 1300),
  ];
  const stream = Buffer.concat(frames);
  const random = new SeededRandom(3);
  for (let round = 0; round < 300; round++) {
    const seen: string[] = [];
    const framer = new StunFramer(2_000, (frame) => seen.push(frame.toString('hex')));
    for (let at = 0; at < stream.length; ) {
      const size = 1 + ((random.bytes(1)[0] ?? 0) % (round === 0 ? 1 : 40));
      assert.equal(framer.push(Buffer.from(stream.subarray(at, at + size))), undefined);
      at += size;
    }
    assert.deepEqual(
      seen,
      frames.map((frame) => frame.toString('hex')),
    );
    assert.equal(framer.isPartial, false);
  }
});

test('a stream that is no stream of frames ends at once, before its length is believed', () => {
  for (const [hex, fault] of [
    ['80010000', 'not-a-frame'],
    ['16030100', 'not-a-frame'],
    ['00010003', 'not-a-frame'],
    ['0001ff002112a442', 'frame-too-long'],
    ['0001001000000000', 'not-a-frame'],
    ['4000ffff', 'frame-too-long'],
  ] as const) {
    const framer = new StunFramer(1_000, () => assert.fail('no frame'));
    assert.equal(framer.push(Buffer.from(hex, 'hex')), fault, hex);
    assert.equal(framer.push(binding(1)), fault, 'and stays so');
  }
});

test('a limit that is raised counts from the next frame on', () => {
  let count = 0;
  const framer = new StunFramer(100, () => {
    count += 1;
  });
  assert.equal(framer.push(channelData(0x4000, 90)), undefined);
  framer.frameBytes = 70_000;
  assert.equal(framer.push(channelData(0x4000, 65_535)), undefined);
  assert.equal(count, 2);
});

test('who takes a frame may say that what follows is no frame', () => {
  const framer: StunFramer = new StunFramer(1_000, () => framer.stop());
  const raw = Buffer.from('raw octets, whatever they are');
  assert.equal(framer.push(Buffer.concat([binding(7), raw])), undefined);
  assert.deepEqual(framer.rest, raw);
  const split: StunFramer = new StunFramer(1_000, () => split.stop());
  split.push(binding(7).subarray(0, 3));
  split.push(Buffer.concat([binding(7).subarray(3), raw]));
  assert.deepEqual(split.rest, raw);
});
