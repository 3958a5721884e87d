import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ManualClock } from '#kernel';
import { type FramedItem, FrameReader, readFrame } from './event-frames.ts';
import { type EventDraft, EventRing, LEVEL, peerLabel } from './index.ts';
import { OncePerKey } from './once-per-key.ts';

const event = (name: string, more: Partial<EventDraft> = {}): EventDraft => ({
  provider: 'Access',
  component: 'test',
  level: 'warning',
  kind: 'decision',
  name,
  ...more,
});
const clock = new ManualClock({ wall: 5000 });
const ring = (items: number, bytes = 1000) => new EventRing(clock, { items, bytes });
const read = (frames: Buffer | undefined): (FramedItem | undefined)[] =>
  frames === undefined ? [] : new FrameReader().push(frames).map(readFrame);
const peer = peerLabel(7, {
  local: { address: '192.0.2.1', port: 443 },
  remote: { address: '2001:db8::7', port: 999 },
});
/** Asks for everything that the tests emit. */
const everything = { providers: { Access: { level: 'verbose', bodies: false } } } as const;
const message = (text: string) =>
  ({ protocol: 'sip', level: 'info', direction: 'in', peer, bytes: Buffer.from(text) }) as const;

test('a full ring drops the newcomer, counts it, and tells the number with what leaves next', () => {
  const small = ring(2);
  small.demand(everything);
  let told = 0;
  small.onItem = () => {
    told += 1;
  };
  for (const name of ['a', 'b', 'c']) small.emit(event(name));
  assert.equal(small.dropped, 1);
  assert.equal(told, 2);
  const left = read(small.drain(1_000_000));
  assert.deepEqual(
    left.map((item) => (item?.type === 'record' ? item.record.name : item)),
    [{ type: 'lost', count: 1 }, 'a', 'b'],
  );
  assert.equal(small.drain(1_000_000), undefined);
  small.emit(event('d'));
  assert.deepEqual(
    small.take(1).map((taken) => [taken.name, taken.time]),
    [['d', 5000]],
  );
});

test('a ring behaves as a bounded queue', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 7 }),
      fc.array(fc.integer({ min: -3, max: 20 })),
      (capacity, steps) => {
        const bounded = ring(capacity);
        const model: string[] = [];
        let dropped = 0;
        for (const [position, step] of steps.entries()) {
          if (step < 0) {
            assert.deepEqual(
              bounded.take(-step).map((taken) => taken.name),
              model.splice(0, -step),
            );
          } else {
            bounded.emit(event(`${position}`));
            if (model.length < capacity) model.push(`${position}`);
            else dropped += 1;
          }
          assert.equal(bounded.size, model.length);
          assert.equal(bounded.dropped, dropped);
        }
      },
    ),
  );
});

test('nothing but what is notable is kept until somebody asks, and no more than they ask for', () => {
  const stream = ring(10);
  const tap = stream.tap('Sip');
  assert.equal(tap.level, 0);
  stream.emit(event('decision', { level: 'info' }));
  stream.emit(event('state', { level: 'info', kind: 'state' }));
  stream.demand({
    providers: { Access: { level: 'info', bodies: false }, Sip: { level: 'verbose', bodies: true } },
  });
  assert.equal(tap.level, LEVEL.verbose);
  assert.equal(stream.tap('Sip'), tap);
  stream.emit(event('asked', { level: 'info' }));
  stream.emit(event('too-much', { level: 'verbose' }));
  stream.demand({ providers: {} });
  assert.equal(tap.level, 0);
  stream.emit(event('over', { level: 'info' }));
  assert.deepEqual(
    stream.take(10).map(({ name }) => name),
    ['state', 'asked'],
  );
});

test('what is notable and asked for by nobody leaves as a note: its time, its name and its fields', () => {
  const stream = ring(10);
  const keys = { address: ['192.0.2.1'] };
  stream.emit(event('told', { fields: { n: 1, who: 'é'.repeat(600) }, keys, text: 'a sentence' }));
  const [told] = read(stream.drain(1_000_000));
  assert.ok(told?.type === 'note');
  const { time, name, fields } = told.note;
  assert.deepEqual({ time, name, n: fields.n }, { time: 5000, name: 'told', n: 1 });
  assert.match(String(fields.who), /^é{488}… \[112 more\]$/);
});

test('messages keep their octets, their ends and their place among events', () => {
  const stream = ring(10);
  stream.demand(everything);
  const tap = stream.tap('Sip');
  stream.emit(event('before'));
  tap.message(message('OPTIONS'));
  stream.emit(event('after', { fields: { n: 1, who: 'x' } }));
  const [before, captured, after] = read(stream.drain(1_000_000));
  assert.equal(before?.type, 'record');
  assert.ok(captured?.type === 'capture');
  const { bytes, provider, direction, length } = captured.capture;
  assert.deepEqual([Buffer.from(bytes).toString(), provider, direction, length], ['OPTIONS', 'Sip', 'in', 7]);
  assert.match(Buffer.from(captured.capture.peer).toString(), /^7\n192\.0\.2\.1:443\n\[2001:db8::7\]:999$/);
  assert.equal(after?.type === 'record' ? after.record.text : '', 'after n=1 who=x');
});

test('waiting messages are bounded by their octets, and one message by its own', () => {
  const stream = ring(100, 50_000);
  const tap = stream.tap('Sip');
  const long = message('x'.repeat(30_000));
  for (let n = 0; n < 5; n++) tap.message(long);
  assert.equal(stream.size, 2);
  assert.equal(stream.dropped, 3);
  const [, ...kept] = read(stream.drain(1));
  assert.deepEqual(
    kept.map((item) => item?.type === 'capture' && [item.capture.bytes.length, item.capture.length]),
    [
      [20_480, 30_000],
      [20_480, 30_000],
    ],
  );
  assert.deepEqual([stream.size, stream.waitingBytes, stream.isEmpty], [0, 0, true]);
});

test('events that wait are bounded by their texts, too', () => {
  const stream = ring(100, 1000);
  const long = event('long', { text: 'x'.repeat(300), fields: { who: 'y'.repeat(150), n: 1 } });
  for (let n = 0; n < 5; n++) stream.emit(long);
  assert.deepEqual([stream.size, stream.dropped, stream.waitingBytes], [2, 3, 900]);
  stream.take(1);
  stream.emit(event('short'));
  assert.deepEqual([stream.size, stream.dropped, stream.waitingBytes], [2, 3, 450]);
});

test('taps go on by themselves until there is enough, and what waits is counted all the same', () => {
  for (const [enough, at] of [
    [{ items: 4, bytes: 1 << 20 }, 4],
    [{ items: 1000, bytes: 500 }, 5],
  ] as const) {
    const stream = ring(10, 1 << 20);
    stream.demand(everything);
    stream.enough = enough;
    const told: number[] = [];
    stream.onItem = () => told.push(stream.size);
    const taps = [stream.tap('Sip'), stream.tap('Xmpp')];
    // Each is a frame of 22 octets and its label, and no longer than it has to be.
    const one = message('x'.repeat(100 - 22 - peer.length));
    for (let n = 1; n <= 10; n++) {
      taps[n % 2]?.message(one);
      assert.deepEqual([stream.size, stream.waitingBytes, stream.isEmpty], [n, n * 100, false]);
    }
    assert.deepEqual(told, [1, at]);
    taps[0]?.message(one);
    stream.emit(event('late'));
    assert.deepEqual([stream.size, stream.dropped], [10, 2]);
    const [lost, ...kept] = read(stream.drain(1 << 20));
    assert.equal(lost?.type === 'lost' && lost.count, 2);
    assert.deepEqual(
      kept.map((item) => item?.type === 'capture' && item.capture.provider),
      Array.from({ length: 10 }, (_, n) => (n % 2 === 0 ? 'Xmpp' : 'Sip')),
    );
    assert.deepEqual([stream.size, stream.waitingBytes, stream.isEmpty], [0, 0, true]);
    taps[0]?.message(one);
    stream.emit(event('between'));
    taps[0]?.message({ ...one, protocol: 'xmpp', level: 'verbose', direction: 'out' });
    assert.deepEqual(told, [1, at, 1, 2, 3]);
    const [, , last] = read(stream.drain(1 << 20));
    assert.ok(last?.type === 'capture');
    const { protocol, level, direction, time } = last.capture;
    assert.deepEqual([protocol, level, direction, time], ['xmpp', 'verbose', 'out', 5000]);
  }
});

test('messages are copied, and memory is used again only when what was given away has left', () => {
  const stream = ring(100_000, 1 << 24);
  stream.enough = { items: 6, bytes: 50_000 };
  const tap = stream.tap('Sip');
  const texts = (frames: Buffer | undefined) =>
    read(frames).map((item) => item?.type === 'capture' && Buffer.from(item.capture.bytes).toString());
  fc.assert(
    fc.property(
      fc.array(fc.record({ sizes: fc.array(fc.integer({ min: 1, max: 20_480 }), { maxLength: 12 }) })),
      (rounds) => {
        let count = 0;
        let before: { frames: Buffer | undefined; texts: string[] } | undefined;
        let waiting: string[] = [];
        for (const { sizes } of rounds) {
          for (const size of sizes) {
            count += 1;
            const text = `${count}`.padEnd(size, 'x');
            const bytes = Buffer.from(text);
            tap.message({ protocol: 'sip', level: 'info', direction: 'in', peer, bytes });
            bytes.fill(0);
            waiting.push(text);
          }
          // What is still under way has not been touched by what came since.
          assert.deepEqual(texts(before?.frames), before?.texts ?? []);
          stream.handleLeft();
          const frames = stream.drain(60_000);
          const left = texts(frames).length;
          before = { frames, texts: waiting.slice(0, left) };
          waiting = waiting.slice(left);
        }
        while (!stream.isEmpty) stream.drain(1 << 20);
      },
    ),
  );
});

test('frames survive any cut of the stream, and what nobody wrote ends it', () => {
  const stream = ring(100, 100_000);
  for (let n = 0; n < 9; n++) {
    stream.emit(event(`e${n}`));
    stream.tap('Stun').message({ ...message(`m${n}`), protocol: 'stun' });
  }
  const frames = stream.drain(1_000_000) ?? Buffer.alloc(0);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 }), (sizes) => {
      const reader = new FrameReader();
      let at = 0;
      let count = 0;
      for (let n = 0; at < frames.length; n++) {
        const size = sizes[n % sizes.length] ?? 1;
        count += reader.push(frames.subarray(at, at + size)).length;
        at += size;
      }
      assert.equal(count, 18);
      assert.equal(reader.broken, false);
    }),
  );
  const reader = new FrameReader();
  assert.equal(reader.push(Buffer.concat([frames, Buffer.from([255, 255, 255, 255, 0])])).length, 18);
  assert.ok(reader.broken);
  assert.deepEqual(reader.push(frames), []);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      for (const frame of new FrameReader().push(bytes)) readFrame(frame);
    }),
  );
});

test('once per key says yes once, counts the rest, and stays bounded', () => {
  const once = new OncePerKey(2);
  assert.deepEqual(
    ['a', 'a', 'b', 'a', 'c', 'a'].map((key) => once.first(key)),
    [true, false, true, false, true, true],
  );
  assert.equal(once.suppressed, 2);
});
