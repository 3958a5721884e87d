import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeCall, encodeOperation } from '../framing/operations.ts';
import { annotationContainer, whiteboard } from '../meeting/annotations.ts';
import { content, contentManager } from '../meeting/content.ts';
import { meetingInterfaces } from '../meeting/interfaces.ts';
import { meeting } from '../meeting/meeting.ts';
import { uploadStream } from '../meeting/upload.ts';
import { LIMITS, Pair } from '../testing/pair.ts';
import { INTEREST, OBSERVED_BYTES, type ObservedOperation, OperationFollower } from './operation-follower.ts';
import type { Side } from './weight.ts';
import { weightOf } from './weight.ts';

/** What was told, as a line each; frames are copied, since they are borrowed. */
class Watch {
  interest: number = INTEREST.everything;
  readonly lines: string[] = [];
  readonly told: ObservedOperation[] = [];
  readonly lost: string[] = [];
  readonly objects = { left: 100_000 };
  readonly follower = new OperationFollower({
    objects: this.objects,
    interest: () => this.interest,
    tell: (operation) => {
      const { from, operation: kind, object, interface: declared, method } = operation;
      this.told.push({ ...operation, frame: Uint8Array.from(operation.frame) });
      this.lines.push([from, kind, object, declared, method].filter((word) => word !== '').join(' '));
    },
    lost: (fault, from) => this.lost.push(`${from} ${fault}`),
  });
  push(from: Side, ...frames: readonly Uint8Array[]): void {
    for (const frame of frames) this.follower.push(from, frame);
  }
}

/** Two real ends, with a watch in the middle that hears what each says before the other does. */
class Between {
  readonly watch = new Watch();
  readonly pair = new Pair(meeting, meetingInterfaces, { ...LIMITS, objects: 64, depth: 5 });
  settle(): void {
    const { pair, watch } = this;
    for (let round = 0; round < 8; round++) {
      for (const [from, to] of [
        [pair.client, pair.server],
        [pair.server, pair.client],
      ] as const) {
        for (const frame of from.takeOutput()) {
          watch.push(from === pair.client ? 'client' : 'server', frame);
          for (const event of to.handleBytes(frame, 0)) assert.notEqual(event.kind, 'failed');
        }
      }
    }
  }
}

test('operations of two real ends are told by operation, place, interface and method', () => {
  const { watch, pair, ...between } = new Between();
  const settle = () => Between.prototype.settle.call({ watch, pair, ...between });
  const { client, server } = pair;
  const manager = client.connect(client.root, 'ContentManager', contentManager)!;
  const board = client.connect(manager, 'content.12', content)!;
  const extended = client.connect(board, 'extendedContent', whiteboard)!;
  const drawings = client.connect(extended, 'annotationContainer', annotationContainer)!;
  client.stub(manager, contentManager.server).sReserveTitle('a secret title', 7);
  client.stub(drawings, annotationContainer.server).sPoint(1, 500, 500);
  client.ping(9);
  settle();
  server.call(server.root, 'cEnded', []);
  client.disconnect(board);
  settle();
  const path = 'ContentManager/content.12/extendedContent';
  assert.deepEqual(watch.lines, [
    'client CONNECT ContentManager ContentManager',
    'client CONNECT ContentManager/content.12 Content',
    `client CONNECT ${path} Whiteboard`,
    `client CONNECT ${path}/annotationContainer AnnotationContainer`,
    'client CALL ContentManager ContentManager sReserveTitle',
    `client CALL ${path}/annotationContainer AnnotationContainer sPoint`,
    'client PING',
    'server PONG',
    'client DISCONNECT ContentManager/content.12 Content',
    'server CALL Meeting Meeting cEnded',
    'server DISCONNECT ContentManager/content.12 Content',
  ]);
  assert.equal(watch.follower.objectCount, client.objectCount);
  assert.equal(watch.follower.objectCount, 2);
  assert.doesNotMatch(JSON.stringify(watch.lines), /secret/);
});

test('who wants signalling only hears no strokes, pointers, pings and pieces of files, and nothing that all are told', () => {
  const watch = new Watch();
  const { name, version, serverHash, clientHash } = annotationContainer;
  const hashes = { version, serverHash, clientHash };
  const connect = (proxy: number, declared: string) =>
    encodeOperation({ kind: 'connect', parent: 0, proxy, name: 'x', interface: declared, ...hashes });
  const call = (proxy: number, method: number) => encodeCall(proxy, method, (writer) => writer.uint32(1));
  watch.interest = INTEREST.signalling;
  watch.push(
    'client',
    connect(1, name),
    call(1, 0),
    call(1, 4),
    encodeOperation({ kind: 'ping', cookie: 1 }),
  );
  watch.push('server', connect(2, uploadStream.name), call(1, 0), call(0, 1));
  watch.push('client', call(2, 0), call(77, 0));
  assert.deepEqual(watch.lines, [
    'client CONNECT [1 characters] AnnotationContainer',
    'client CALL [1 characters] AnnotationContainer sClear',
    'server CONNECT [1 characters] UploadStream',
  ]);
  watch.interest = INTEREST.everything;
  watch.push('client', call(1, 0), call(2, 0), call(77, 0), call(1, 99));
  watch.push('server', call(0, 1));
  assert.deepEqual(watch.lines.slice(3), [
    'client CALL [1 characters] AnnotationContainer sAdd',
    'client CALL [1 characters] UploadStream sWrite',
    'client CALL #77 #0',
    'client CALL [1 characters] AnnotationContainer #99',
    'server CALL Meeting Meeting cUserJoined',
  ]);
  assert.deepEqual(
    watch.told.slice(3).map(({ weight }) => weight),
    ['flow', 'flow', 'flow', 'signalling', 'flow'],
  );
});

test('objects are known to somebody who asks later', () => {
  const watch = new Watch();
  watch.interest = INTEREST.nothing;
  const { version, serverHash, clientHash } = contentManager;
  watch.push(
    'client',
    encodeOperation({
      kind: 'connect',
      parent: 0,
      proxy: 1,
      name: 'ContentManager',
      ...{ interface: 'ContentManager', version, serverHash, clientHash },
    }),
    encodeCall(1, 0, () => {}),
  );
  assert.deepEqual(watch.lines, []);
  watch.interest = INTEREST.signalling;
  watch.push(
    'client',
    encodeCall(1, 4, () => {}),
  );
  assert.deepEqual(watch.lines, ['client CALL ContentManager ContentManager sStopPresenting']);
});

test('pieces of any size tell the same as the whole, and of a long frame its beginning', () => {
  const { version, serverHash, clientHash } = uploadStream;
  const about = { interface: uploadStream.name, version, serverHash, clientHash };
  const stream = Buffer.concat([
    encodeOperation({ kind: 'connect', parent: 0, proxy: 2, name: 'stream.3', ...about }),
    encodeCall(2, 0, (writer) => writer.bytes(new Uint8Array(60_000).fill(7))),
    encodeCall(0, 3, () => {}),
    encodeOperation({ kind: 'disconnect', proxy: 2, reason: 'closed' }),
  ]);
  const whole = new Watch();
  whole.push('client', stream);
  assert.deepEqual(
    whole.told.map(({ bytes, frame }) => [bytes, frame.length]),
    [
      [53, 53],
      [60_011, OBSERVED_BYTES],
      [9, 9],
      [7 + 1, 7 + 1],
    ],
  );
  for (const size of [1, 2, 3, 8, 9, 10, 1000, 1023, 1024, 1025, 16_384]) {
    const pieces = new Watch();
    for (let at = 0; at < stream.length; at += size) pieces.push('client', stream.subarray(at, at + size));
    assert.deepEqual(pieces.told, whole.told, `pieces of ${size}`);
  }
});

test('the first answer of the service is passed over; the token in it is told nobody', () => {
  const watch = new Watch();
  const joined = encodeOperation({ kind: 'joined', resumeToken: 'r'.repeat(400) });
  for (const byte of joined) watch.push('server', Uint8Array.of(byte));
  watch.push('server', encodeOperation({ kind: 'ping', cookie: 1 }));
  assert.deepEqual(watch.lines, ['server PING']);
  assert.deepEqual(watch.lost, []);
});

for (const [what, from, frames, fault] of [
  ['a frame of nothing', 'client', [Uint8Array.of(0, 0, 3)], 'client empty-frame'],
  ['a code that is not listed', 'server', [Uint8Array.of(0, 1, 99)], 'server unexpected-operation'],
  [
    'a second JOIN',
    'client',
    [encodeOperation({ kind: 'join', version: 1, show: 'resume', token: 't' })],
    'client unexpected-operation',
  ],
  [
    'JOINED later on',
    'server',
    [encodeOperation({ kind: 'ping', cookie: 1 }), encodeOperation({ kind: 'joined', resumeToken: 't' })],
    'server unexpected-operation',
  ],
  [
    'JOINED from a client',
    'client',
    [encodeOperation({ kind: 'joined', resumeToken: 't' })],
    'client unexpected-operation',
  ],
  ['a CALL without its method', 'client', [Uint8Array.of(0, 6, 3, 0, 0, 0, 0, 0)], 'client malformed'],
  ['a CONNECT whose name is longer than any may be', 'client', [Uint8Array.of(4, 0, 1)], 'client malformed'],
  [
    'a DISCONNECT with a reason that is none',
    'client',
    [Uint8Array.of(0, 6, 2, 0, 0, 0, 1, 99)],
    'client malformed',
  ],
] as const) {
  test(`${what}: it is followed no more, told once, and nothing afterwards`, () => {
    const watch = new Watch();
    watch.push(from, ...frames);
    watch.lines.length = 0;
    watch.push(from, ...frames);
    watch.push('client', encodeOperation({ kind: 'ping', cookie: 1 }));
    assert.deepEqual(watch.lost, [fault]);
    assert.deepEqual(watch.lines, []);
    assert.equal(watch.follower.lost, true);
  });
}

test('objects beyond the bound stay unknown, and a number that is connected anew is another object', () => {
  const watch = new Watch();
  const { version, serverHash, clientHash } = content;
  const connect = (proxy: number, parent: number, declared = 'Content') =>
    encodeOperation({
      kind: 'connect',
      parent,
      proxy,
      name: `content.${proxy}`,
      ...{ interface: declared, version, serverHash, clientHash },
    });
  watch.interest = INTEREST.nothing;
  for (let proxy = 1; proxy < 12_000; proxy += 2)
    watch.push('client', connect(proxy, Math.max(proxy - 2, 0)));
  assert.equal(watch.follower.objectCount, 4096);
  watch.push('client', connect(1, 0, 'Poll'));
  assert.equal(watch.follower.objectCount, 2, 'what hung below it went with it');
  watch.interest = INTEREST.everything;
  watch.push(
    'client',
    encodeCall(1, 4, () => {}),
  );
  assert.deepEqual(watch.lines, ['client CALL content.1 Poll sVote']);
});

test('every method that is named in the weights exists', () => {
  const all = meetingInterfaces.flatMap(({ name, server, client }) => [
    ...Object.keys(server).map((method) => ['client', name, method] as const),
    ...Object.keys(client).map((method) => ['server', name, method] as const),
  ]);
  const flowIn = all.filter(([from, ...of]) => from === 'client' && weightOf(from, ...of) === 'flow');
  const answers = all.filter(([from, ...of]) => from === 'server' && weightOf(from, ...of) === 'signalling');
  assert.equal(flowIn.length, 6);
  assert.equal(answers.length, 7);
});

test('all connections share one budget of objects, and give back what they had when they end or are lost', () => {
  const [watch, other] = [new Watch(), new Watch()];
  watch.objects.left = 3;
  const { version, serverHash, clientHash } = content;
  const about = { interface: 'Content', version, serverHash, clientHash };
  const connect = (proxy: number, parent: number) =>
    encodeOperation({ kind: 'connect', parent, proxy, name: `content.${proxy}`, ...about });
  watch.push('client', connect(1, 0), connect(3, 1), connect(5, 3), connect(7, 5));
  assert.deepEqual([watch.follower.objectCount, watch.objects.left], [4, 0]);
  assert.equal(watch.lines.at(-1), 'client CONNECT #7');
  watch.push('client', encodeOperation({ kind: 'disconnect', proxy: 3, reason: 'closed' }));
  watch.push('server', encodeOperation({ kind: 'disconnect', proxy: 3, reason: 'confirmed' }));
  assert.equal(watch.objects.left, 2);
  watch.follower.close();
  assert.equal(watch.objects.left, 3);
  const told = watch.lines.length;
  watch.push('client', connect(9, 0));
  assert.deepEqual([watch.lines.length, watch.lost], [told, []]);
  other.push('client', connect(1, 0), Uint8Array.of(0, 0));
  assert.deepEqual([other.lost.length, other.objects.left], [0, 99_999]);
  other.push('client', Uint8Array.of(3));
  assert.deepEqual([other.lost, other.objects.left], [['client empty-frame'], 100_000]);
});
