import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { ManualClock } from '#kernel';
import { encodeFrame, FrameStream, type WorkerFrame } from './frames.ts';
import { type LinkUser, SiblingLink } from './sibling-link.ts';

const number = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const bytes = fc.uint8Array({ maxLength: 100 }).map((array) => Buffer.from(array));
const body = fc.jsonValue();
const frame: fc.Arbitrary<WorkerFrame> = fc.oneof(
  fc.record({ type: fc.constantFrom('hello', 'tell'), body }, { noNullPrototype: true }),
  fc.record(
    { type: fc.constantFrom('lent', 'ringing'), connection: number, body },
    { noNullPrototype: true },
  ),
  fc.record(
    { type: fc.constant('message'), connection: number, request: number, bytes },
    { noNullPrototype: true },
  ),
  fc.record(
    { type: fc.constant('send'), connection: number, answered: fc.array(number, { maxLength: 5 }), bytes },
    { noNullPrototype: true },
  ),
  fc.record({ type: fc.constantFrom('closed', 'end'), connection: number }, { noNullPrototype: true }),
  fc.record({ type: fc.constantFrom('ask', 'answer'), number, body }, { noNullPrototype: true }),
) as fc.Arbitrary<WorkerFrame>;

test('frames arrive as they left, however the stream is cut', () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 8 }), fc.integer({ min: 1, max: 64 }), (frames, step) => {
      const sent = Buffer.concat(frames.flatMap(encodeFrame));
      const stream = new FrameStream();
      const arrived: WorkerFrame[] = [];
      for (let at = 0; at < sent.length; at += step) {
        arrived.push(...(stream.push(sent.subarray(at, at + step)) ?? assert.fail('unreadable')));
      }
      // JSON knows no minus zero.
      assert.deepEqual(JSON.parse(JSON.stringify(arrived)), JSON.parse(JSON.stringify(frames)));
    }),
  );
});

test('what is no frame is not read on', () => {
  const nonsenses = [
    'ffffffff00',
    '00000000',
    // No such type; a greeting that is no JSON; a message without a number; numbers that are not there.
    '000000070a000000000000',
    '000000080000000000000078',
    '0000000802000000000001ff',
    '0000000b0400000000000100000001',
  ];
  for (const nonsense of nonsenses) {
    assert.equal(new FrameStream().push(Buffer.from(nonsense, 'hex')), undefined, nonsense);
  }
});

async function pair(t: TestContext, user: Partial<LinkUser> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'link-'));
  const server = createServer().listen(join(folder, 's'));
  await once(server, 'listening');
  const far = connect(join(folder, 's'));
  const [near] = (await once(server, 'connection')) as [Socket];
  const clock = new ManualClock();
  const ended = Promise.withResolvers<void>();
  const link = new SiblingLink(near, clock, {
    handleFrame: () => {},
    answer: () => Promise.resolve(null),
    handleEnd: () => ended.resolve(),
    ...user,
  });
  t.after(async () => {
    link.close();
    far.destroy();
    server.close();
    await rm(folder, { recursive: true });
  });
  return { link, far, clock, ended: ended.promise };
}

test('a question that nobody answers ends without an answer, by time or with the link', async (t) => {
  const { link, far, clock, ended } = await pair(t);
  const late = link.ask('a');
  clock.advance(2000);
  assert.equal(await late, undefined);
  const open = link.ask('b');
  far.destroy();
  assert.equal(await open, undefined);
  await ended;
  assert.equal(await link.ask('c'), undefined);
});

test('a worker that does not read is busy first, then given up', async (t) => {
  const { link, far, ended } = await pair(t);
  far.pause();
  const megabyte = { type: 'send', connection: 1, answered: [], bytes: Buffer.alloc(1 << 20) } as const;
  for (let sent = 0; sent < 20; sent++) link.send(megabyte);
  assert.ok(link.busy && link.open);
  for (let sent = 0; sent < 50; sent++) link.send(megabyte);
  await ended;
  assert.ok(!link.open);
});
