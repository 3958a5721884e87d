import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '#kernel';
import { EventRing, FrameReader, peerLabel } from '#platform/telemetry';
import type { EventPipe } from './event-pipe.ts';
import { EventSender } from './event-sender.ts';

test('a mark leaves behind what was emitted before it, however much comes after it', () => {
  const clock = new ManualClock();
  const ring = new EventRing(clock, { items: 100, bytes: 1 << 20 });
  ring.demand({ providers: { Sip: { level: 'info', bodies: false } } });
  const reader = new FrameReader();
  const types: string[] = [];
  let done = () => {};
  const pipe: EventPipe = {
    queued: 0,
    onData: () => {},
    write: (bytes, left) => {
      types.push(...reader.push(bytes).map(({ type }) => type));
      done = left;
    },
  };
  const sender = new EventSender(ring, pipe, clock);
  const end = { address: '192.0.2.1', port: 5061 };
  const peer = peerLabel(1, { local: end, remote: end });
  /** Nine of them are a batch. */
  const message = () =>
    ring.tap('Sip').message({
      protocol: 'sip',
      level: 'info',
      direction: 'in',
      peer,
      bytes: new Uint8Array(20_000),
    });
  for (let at = 0; at < 15; at++) message();
  sender.mark(7);
  // A flood: whenever a batch has left, as much has come.
  for (let turn = 0; turn < 5; turn++) {
    for (let at = 0; at < 10; at++) message();
    done();
  }
  assert.equal(types.indexOf('mark'), 15, 'not before them, and not after the flood');
  assert.ok(ring.size > 0);
});

test('traffic waits a quarter of a second for company, and a warning takes with it what was before it', () => {
  const clock = new ManualClock();
  const ring = new EventRing(clock, { items: 100, bytes: 1 << 20 });
  const reader = new FrameReader();
  const types: string[][] = [];
  const pipe: EventPipe = {
    queued: 0,
    onData: () => {},
    write: (bytes, left) => {
      types.push(reader.push(bytes).map(({ type }) => type));
      left();
    },
  };
  new EventSender(ring, pipe, clock);
  const event = (level: 'info' | 'warning') =>
    ring.emit({ provider: 'Access', component: 'test', level, kind: 'state', name: level });
  event('info');
  clock.advance(249);
  assert.deepEqual(types, []);
  event('info');
  clock.advance(1);
  assert.deepEqual(types, [['note', 'note']]);
  event('info');
  clock.advance(100);
  event('warning');
  clock.advance(19);
  assert.equal(types.length, 1);
  event('info');
  clock.advance(1);
  assert.deepEqual(types[1], ['note', 'note', 'note']);
  clock.advance(1000);
  assert.equal(types.length, 2, 'nothing is left to wake for');
});
