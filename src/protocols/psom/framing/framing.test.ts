import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ParameterType } from '../objects/interface.ts';
import { type ParameterValue, readParameters, writeParameters } from '../objects/parameters.ts';
import { ByteWriter } from './bytes.ts';
import { FrameReader } from './frame-reader.ts';
import { decodeOperation, encodeCall, encodeOperation, type Operation } from './operations.ts';

/** Objects as anybody makes them. */
const plain = { noNullPrototype: true };
const LIMITS = { frameBytes: 1000, frameMs: 5000 };
const hash = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const uint32 = fc.nat(2 ** 32 - 1);

const operations: fc.Arbitrary<Exclude<Operation, { kind: 'call' }>> = fc.oneof(
  fc.record(
    {
      kind: fc.constant('connect' as const),
      parent: uint32,
      proxy: uint32,
      name: fc.string({ unit: 'grapheme', maxLength: 40 }),
      interface: fc.string({ maxLength: 40 }),
      version: fc.nat(65_535),
      serverHash: hash,
      clientHash: hash,
    },
    plain,
  ),
  fc.record(
    {
      kind: fc.constant('disconnect' as const),
      proxy: uint32,
      reason: fc.constantFrom('confirmed' as const, 'closed' as const, 'not-allowed' as const),
    },
    plain,
  ),
  fc.record({ kind: fc.constantFrom('ping' as const, 'pong' as const), cookie: uint32 }, plain),
  fc.record(
    {
      kind: fc.constant('join' as const),
      version: fc.nat(65_535),
      show: fc.constantFrom('conference' as const, 'resume' as const),
      token: fc.string({ maxLength: 100 }),
    },
    plain,
  ),
  fc.record({ kind: fc.constant('joined' as const), resumeToken: fc.string({ maxLength: 100 }) }, plain),
  fc.record(
    {
      kind: fc.constant('refused' as const),
      reason: fc.constantFrom('version' as const, 'used' as const, 'slow-down' as const),
      retrySeconds: fc.nat(65_535),
    },
    plain,
  ),
);

test('every operation reads as it was written, in whatever pieces it arrives', () => {
  fc.assert(
    fc.property(
      fc.array(operations, { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 50 })),
      (sent, cuts) => {
        const stream = Buffer.concat(sent.map((one) => encodeOperation(one)));
        const reader = new FrameReader(LIMITS);
        const received: unknown[] = [];
        let offset = 0;
        for (let turn = 0; offset < stream.length; turn++) {
          const piece = stream.subarray(offset, offset + (cuts[turn % (cuts.length || 1)] ?? stream.length));
          for (const body of reader.push(piece, 0)) received.push(decodeOperation(body));
          offset += piece.length;
        }
        assert.deepEqual(received, sent);
        assert.equal(reader.buffered, 0);
      },
    ),
  );
});

test('an operation that was cut or grew is none', () => {
  fc.assert(
    fc.property(operations, fc.nat(), (operation, cut) => {
      const body = encodeOperation(operation).subarray(2);
      assert.equal(decodeOperation(body.subarray(0, cut % body.length)), undefined);
      assert.equal(decodeOperation(Buffer.concat([body, Buffer.from([0])])), undefined);
    }),
  );
});

const types: Record<ParameterType, fc.Arbitrary<ParameterValue>> = {
  Boolean: fc.boolean(),
  Int32: fc.integer(),
  Int64: fc.maxSafeInteger(),
  String: fc.string({ unit: 'grapheme', maxLength: 30 }),
  'Byte[]': fc.uint8Array({ maxLength: 30 }).map((bytes) => new Uint8Array(bytes)),
  'Int32[]': fc.array(fc.integer(), { maxLength: 30 }),
  'String[]': fc.array(fc.string({ maxLength: 10 }), { maxLength: 10 }),
  DistributedObject: uint32,
};

test('parameters read as they were written, and not as anything else', () => {
  const some = fc.array(
    fc
      .constantFrom(...(Object.keys(types) as ParameterType[]))
      .chain((type) => types[type].map((value) => ({ type, value }))),
    { maxLength: 6 },
  );
  fc.assert(
    fc.property(some, fc.nat(), (list, cut) => {
      const declared = list.map(({ type }) => type);
      const writer = new ByteWriter();
      writeParameters(
        writer,
        declared,
        list.map(({ value }) => value),
      );
      const bytes = writer.view();
      assert.deepEqual(
        readParameters(bytes, declared),
        list.map(({ value }) => value),
      );
      if (bytes.length > 0)
        assert.equal(readParameters(bytes.subarray(0, cut % bytes.length), declared), undefined);
      assert.equal(readParameters(bytes, [...declared, 'Boolean']), undefined);
    }),
  );
});

test('values without a place in the format are refused', () => {
  const read = (type: ParameterType, ...bytes: number[]) => readParameters(Uint8Array.from(bytes), [type]);
  assert.equal(read('Boolean', 2), undefined);
  assert.equal(read('String', 0, 2, 0xc3, 0x28), undefined, 'not UTF-8');
  assert.equal(read('Int64', 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), undefined, 'beyond 2^53');
  assert.equal(read('Int32[]', 0xff, 0xff, 0, 0, 0, 1), undefined, 'a count of more than there is');
  assert.deepEqual(
    read('String', 0, 3, 0xef, 0xbb, 0xbf),
    ['\ufeff'],
    'a mark is a character like any other',
  );
  const write = (type: ParameterType, value: ParameterValue) => () =>
    writeParameters(new ByteWriter(), [type], [value]);
  assert.throws(write('Int32', 2 ** 31), RangeError);
  assert.throws(write('Int32', 0.5), RangeError);
  assert.throws(write('Int64', 2 ** 60), RangeError);
  assert.throws(write('Byte[]', new Uint8Array(65_536)), RangeError);
  assert.throws(() => encodeCall(1, 1, (writer) => writer.bytes(new Uint8Array(65_530))), RangeError);
});

test('a frame that is empty, too long or too slow ends the stream', () => {
  const drain = (reader: FrameReader, bytes: readonly number[], now = 0) => [
    ...reader.push(Uint8Array.from(bytes), now),
  ];
  const empty = new FrameReader(LIMITS);
  assert.deepEqual(drain(empty, [0, 0, 0, 1, 4]), []);
  assert.equal(empty.fault, 'empty-frame');
  const long = new FrameReader(LIMITS);
  assert.equal(drain(long, [0, 1, 4, 0x03]).length, 1, 'what came before it counts');
  assert.equal(long.fault, undefined);
  drain(long, [0xe9]);
  assert.equal(long.fault, 'frame-too-long');
  assert.deepEqual(drain(long, [0, 1, 4]), []);
  const slow = new FrameReader(LIMITS);
  drain(slow, [0], 100);
  drain(slow, [4, 4, 0], 5100);
  assert.equal(slow.isLate(5100), false);
  assert.equal(slow.isLate(5101), true);
  assert.deepEqual(drain(slow, [0, 0], 5101), []);
  assert.equal(slow.fault, 'frame-too-slow');
});

test('a reader keeps no more than the frame that it waits for', () => {
  const reader = new FrameReader({ frameBytes: 65_535, frameMs: 5000 });
  const body = new Uint8Array(65_535).fill(7);
  const bytes = Buffer.concat([Uint8Array.of(0xff, 0xff), body, Uint8Array.of(0, 1)]);
  const got: Uint8Array[] = [];
  for (const byte of bytes) for (const frame of reader.push(Uint8Array.of(byte), 0)) got.push(frame.slice());
  assert.deepEqual(got, [body]);
  assert.equal(reader.buffered, 2);
});
