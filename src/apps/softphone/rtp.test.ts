import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock, SeededRandom } from '#kernel';
import { AudioStream, type MediaPath } from './audio-stream.ts';
import { decodeUlaw, encodeUlaw, Tone, toneShare } from './g711.ts';
import { decodeRtp, encodeRtp } from './rtp.ts';

test('RTP header: what is written is read', () => {
  const header = {
    payloadType: 0,
    marker: true,
    sequence: 65_535,
    timestamp: 4_294_967_295,
    ssrc: 0x12345678,
  };
  const packet = encodeRtp(header, Buffer.from('payload'));
  assert.deepEqual(decodeRtp(packet), { header, payload: Buffer.from('payload') });
});

test('RTP header: extension, CSRC list and padding are skipped, short packets refused', () => {
  const body = Buffer.from('b1000001000000010000000200000003bede000100000000aabb0002', 'hex');
  assert.deepEqual(decodeRtp(body)?.payload.toString('hex'), 'aabb');
  for (let length = 0; length < 24; length++) assert.equal(decodeRtp(body.subarray(0, length)), undefined);
  assert.equal(decodeRtp(Buffer.from('80c80006000000000000000000', 'hex')), undefined, 'RTCP is not RTP');
});

test('µ-law: every byte decodes to a sample that encodes to it again', () => {
  for (let byte = 0; byte < 256; byte++) {
    // 0x7f is negative zero, which encodes as positive zero.
    assert.equal(encodeUlaw(decodeUlaw(byte)), byte === 0x7f ? 0xff : byte);
  }
  assert.equal(encodeUlaw(0), 0xff);
  assert.equal(encodeUlaw(32_767), 0x80);
  assert.equal(encodeUlaw(-32_768), 0x00);
});

test('a tone is recognised, another one is not', () => {
  const packet = new Tone(400).next();
  assert.ok(toneShare(packet, 400) > 0.95);
  assert.ok(toneShare(packet, 900) < 0.05);
  assert.equal(toneShare(Buffer.alloc(160, 0xff), 400), 0);
});

function pair(drop: (packet: number) => boolean): [MediaPath, MediaPath] {
  let count = 0;
  const left: MediaPath = { send: () => {}, onPacket: () => {} };
  const right: MediaPath = { send: (packet) => left.onPacket(packet), onPacket: () => {} };
  left.send = (packet) => {
    if (!drop(count++)) right.onPacket(packet);
  };
  return [left, right];
}

test('a stream sends 50 packets a second and counts what the other side lost, across the sequence wrap', () => {
  const clock = new ManualClock();
  const [left, right] = pair((packet) => packet === 3 || packet === 60);
  const random = { bytes: () => Uint8Array.from([0, 0, 0, 1, 0, 0, 0, 0, 0xff, 0xf0]) };
  const alice = new AudioStream({ clock, random, path: left, tone: 400, expect: 900 });
  const bob = new AudioStream({ clock, random: new SeededRandom(7), path: right, tone: 900, expect: 400 });
  alice.start();
  bob.start();
  clock.advance(1999);
  alice.stop();
  bob.stop();
  clock.advance(1000);
  const heard = bob.statistics();
  assert.deepEqual({ ...heard, tone: 0 }, { sent: 100, received: 98, lost: 2, duplicates: 0, tone: 0 });
  assert.ok(heard.tone > 0.95);
  assert.deepEqual(
    { ...alice.statistics(), tone: 0 },
    { sent: 100, received: 100, lost: 0, duplicates: 0, tone: 0 },
  );
});

test('a late timer is made up for', () => {
  const clock = new ManualClock();
  const sent: Buffer[] = [];
  const late = {
    now: () => clock.now(),
    wall: () => clock.wall(),
    after: (ms: number, task: () => void) => clock.after(ms + 30, task),
  };
  const path: MediaPath = { send: (packet) => sent.push(packet), onPacket: () => {} };
  const stream = new AudioStream({ clock: late, random: new SeededRandom(1), path, tone: 400, expect: 400 });
  stream.start();
  clock.advance(10_000);
  assert.ok(sent.length >= 498 && sent.length <= 501, `${sent.length} packets in 10 s`);
});
