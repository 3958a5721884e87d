import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '#kernel';
import type { HalfOpenConnection } from '#platform/net';
import { MsStream } from './ms-stream.ts';
import { StreamClient, type StreamDialect, type StreamFault } from './stream-client.ts';
import { StunStream } from './stun-stream.ts';

/** Octets that may wait. */
const QUEUED = 100_000;

/** A client that has an allocation, on a connection that only this test writes to. */
function bench(dialect: StreamDialect) {
  const clock = new ManualClock();
  const faults: StreamFault[] = [];
  const counted = { full: 0 };
  const end = { address: '192.0.2.1', port: 443 };
  const facts = { local: end, remote: end, closed: false, queued: 0, bytesSent: 0 };
  const written: Uint8Array[] = [];
  const write = (bytes: Uint8Array) => written.push(bytes) > 0;
  const connection = {
    ...facts,
    ...{ pause() {}, resume() {}, destroy() {}, write },
  } as unknown as HalfOpenConnection;
  const host = {
    clock,
    paced() {},
    queuedBytes: QUEUED,
    queueFull: () => {
      counted.full += 1;
    },
    fault: (fault: StreamFault) => void faults.push(fault),
    closed() {},
  };
  const client = new StreamClient(host, connection, { id: 1, face: 'external', transport: 'tcp' });
  client.speak(dialect);
  client.allocationOpened();
  const second = () => {
    clock.advance(1000);
    client.sweep(clock.now());
  };
  /** So much waits for it, of so much that was sent to it. */
  const waits = (queued: number, bytesSent: number) => Object.assign(connection, { queued, bytesSent });
  return { client, connection, faults, second, waits, written, counted };
}

/** ChannelData of 96 octets, and the same in a frame of the Microsoft dialect. */
const channelData = Buffer.concat([Buffer.of(0x40, 0, 0, 96), Buffer.alloc(96)]);
const msFrame = Buffer.concat([Buffer.of(3, 0, 0, 96), Buffer.alloc(96)]);

const dialects = [
  ['the standard dialect', () => new StunStream(() => {}), channelData],
  ['the Microsoft dialect', () => new MsStream(() => true), msFrame],
] as const;

for (const [name, make, frame] of dialects) {
  test(`a busy stream whose chunks never end with a frame is not a slow one: ${name}`, () => {
    const { connection, faults, second } = bench(make());
    connection.onData(frame.subarray(0, 50));
    for (let at = 0; at < 90; at++) {
      second();
      connection.onData(Buffer.concat([frame.subarray(50), frame, frame.subarray(0, 50)]));
    }
    assert.deepEqual(faults, []);
  });

  test(`a frame that does not end is one, however many octets come: ${name}`, () => {
    const { connection, faults, second } = bench(make());
    connection.onData(frame.subarray(0, 5));
    for (let at = 0; at < 31; at++) {
      second();
      connection.onData(frame.subarray(5 + at, 6 + at));
    }
    assert.equal(faults[0], 'slow-frame');
  });

  test(`a client from which nothing is read is not slow; it is afterwards: ${name}`, () => {
    const { client, connection, faults, second } = bench(make());
    connection.onData(frame.subarray(0, 50));
    const release = client.hold();
    for (let at = 0; at < 90; at++) second();
    assert.deepEqual(faults, []);
    release();
    for (let at = 0; at < 31; at++) second();
    assert.equal(faults[0], 'slow-frame');
  });
}

test('who takes nothing of what waits does not hold its senders for ever', () => {
  const { faults, second, waits } = bench(new StunStream(() => {}));
  waits(60_000, 60_000);
  for (let at = 0; at < 90; at++) second();
  assert.deepEqual(faults, [], 'little waits');
  for (let at = 0; at < 90; at++) {
    waits(80_000, 80_000 + at);
    second();
  }
  assert.deepEqual(faults, [], 'slow, but it takes');
  for (let at = 0; at < 31; at++) {
    waits(80_000 + at, 80_089 + at);
    second();
  }
  assert.equal(faults[0], 'slow-reader');
});

test('of datagrams a frame is left out when too much waits, of a stream none', () => {
  const { client, waits, written, counted } = bench(new StunStream(() => {}));
  const send = (whole: boolean) => client.send(channelData, 0, channelData.length, '192.0.2.1', 443, whole);
  waits(QUEUED - 1, QUEUED);
  send(false);
  assert.deepEqual([written.length, counted.full], [1, 0]);
  waits(QUEUED, QUEUED);
  send(false);
  assert.deepEqual([written.length, counted.full], [1, 1]);
  send(true);
  assert.deepEqual([written.length, counted.full], [2, 1]);
});
