import { isDeepStrictEqual } from 'node:util';
import type { FuzzTarget } from '#tools/fuzz';
import { FrameReader } from './framing/frame-reader.ts';
import { decodeOperation, encodeCall, encodeOperation } from './framing/operations.ts';
import { annotationContainer } from './meeting/annotations.ts';
import { contentManager } from './meeting/content.ts';
import { meeting } from './meeting/meeting.ts';
import { poll } from './meeting/poll.ts';
import { PsomPeer } from './objects/peer.ts';
import { decodeObserved, encodeObserved } from './observer/observed.ts';
import { INTEREST, OBSERVED_BYTES, OperationFollower } from './observer/operation-follower.ts';

const LIMITS = { frameBytes: 2048, frameMs: 1000, objects: 6, depth: 2, nameLength: 16 };
const { name, version, serverHash, clientHash } = poll;
const connect = encodeOperation({
  kind: 'connect',
  parent: 0,
  proxy: 3,
  name: 'poll',
  interface: name,
  version,
  serverHash,
  clientHash,
});
const seeds = [
  connect,
  encodeCall(1, 4, (writer) => writer.list([1, 2], (one) => writer.int32(one))),
  encodeCall(0, 0, (writer) => writer.boolean(true)),
  encodeOperation({ kind: 'disconnect', proxy: 1, reason: 'closed' }),
  encodeOperation({ kind: 'ping', cookie: 9 }),
  encodeOperation({ kind: 'join', version: 1, show: 'resume', token: 'abc' }),
  Buffer.concat([connect, encodeOperation({ kind: 'disconnect', proxy: 3, reason: 'closed' })]),
];

/** A server to which a client has connected a poll (1) and annotations (below it, 5), one of which it disconnected if `leaving`. */
function server(leaving: boolean): PsomPeer {
  const interfaces = [poll, annotationContainer, contentManager];
  const client = new PsomPeer({ side: 'client', root: meeting, interfaces, limits: LIMITS });
  const peer = new PsomPeer({ side: 'server', root: meeting, interfaces, limits: LIMITS });
  const top = client.connect(client.root, 'poll', poll);
  if (top !== undefined) client.connect(top, 'drawn', annotationContainer);
  for (const frame of client.takeOutput()) {
    for (const event of peer.handleBytes(frame, 0)) {
      if (leaving && event.kind === 'connected' && event.object.name === 'poll')
        peer.disconnect(event.object);
    }
  }
  peer.takeOutput();
  return peer;
}

function hostile(leaving: boolean): (input: Uint8Array) => void {
  return (input) => {
    const peer = server(leaving);
    const middle = input.length >> 1;
    for (const piece of [input.subarray(0, middle), input.subarray(middle)]) {
      for (const event of peer.handleBytes(piece, 0)) {
        if (event.kind === 'called' && !event.object.open) throw new Error('a closed object was called');
        if (peer.objectCount > LIMITS.objects) throw new Error('more objects than the bound');
      }
    }
    const said = peer.takeOutput().reduce((sum, frame) => sum + frame.length, 0);
    // The largest answer, to the smallest question: a DISCONNECT of 8 bytes to a CONNECT of more.
    if (said > input.length + 64) throw new Error(`${said} bytes for ${input.length}`);
  };
}

/** What a follower tells, when the first half of the input is the client's and the rest the server's, in such pieces. */
function followed(input: Uint8Array, pieceBytes: number): string[] {
  const told: string[] = [];
  const objects = { left: 5 };
  const follower = new OperationFollower({
    objects,
    interest: () => INTEREST.everything,
    tell: ({ frame, ...about }) => {
      if (follower.lost) throw new Error('told after the end');
      if (frame.length > OBSERVED_BYTES || frame.length > about.bytes) throw new Error('too much is kept');
      told.push(JSON.stringify({ ...about, frame: Buffer.from(frame).toString('hex') }));
    },
    lost: (fault, from) => told.push(`${from} ${fault}`),
  });
  const middle = input.length >> 1;
  for (const [from, half] of [
    ['client', input.subarray(0, middle)],
    ['server', input.subarray(middle)],
  ] as const) {
    for (let at = 0; at < half.length; at += pieceBytes)
      follower.push(from, half.subarray(at, at + pieceBytes));
  }
  if (follower.objectCount !== 1 + 5 - objects.left) throw new Error('objects are counted wrong');
  follower.close();
  if (objects.left !== 5) throw new Error('objects are kept');
  return told;
}

export const targets: readonly FuzzTarget[] = [
  {
    name: 'psom/operation',
    seeds: seeds.map((frame) => frame.subarray(2)),
    run(input) {
      const operation = decodeOperation(input);
      if (operation === undefined || operation.kind === 'call') return;
      const again = encodeOperation(operation).subarray(2);
      if (!isDeepStrictEqual(Buffer.from(again), Buffer.from(input)))
        throw new Error('two spellings of one operation');
    },
  },
  {
    name: 'psom/frames',
    seeds,
    run(input) {
      const whole = new FrameReader(LIMITS);
      const pieces = new FrameReader(LIMITS);
      const one = [...whole.push(input, 0)].map((body) => Buffer.from(body).toString('hex'));
      const other: string[] = [];
      for (const byte of input) {
        for (const body of pieces.push(Uint8Array.of(byte), 0)) other.push(Buffer.from(body).toString('hex'));
      }
      if (
        !isDeepStrictEqual(one, other) ||
        whole.fault !== pieces.fault ||
        whole.buffered !== pieces.buffered
      ) {
        throw new Error('pieces read otherwise than the whole');
      }
    },
  },
  {
    name: 'psom/follower',
    seeds: [...seeds, Buffer.concat([...seeds, ...seeds])],
    run(input) {
      if (!isDeepStrictEqual(followed(input, input.length + 1), followed(input, 1)))
        throw new Error('pieces tell otherwise than the whole');
    },
  },
  {
    name: 'psom/observed',
    seeds: seeds.map((frame) => {
      const place = {
        conference: 'abcdefghijklmno2',
        participant: 7,
        object: 'content.1',
        interface: 'Content',
      };
      return encodeObserved({ ...place, method: 'sPresent', frame });
    }),
    run(input) {
      const observed = decodeObserved(input);
      if (observed === undefined) return;
      if (!isDeepStrictEqual(Buffer.from(encodeObserved(observed)), Buffer.from(input)))
        throw new Error('two spellings of one operation');
    },
  },
  { name: 'psom/peer', seeds, run: hostile(false) },
  { name: 'psom/peer-leaving', seeds, run: hostile(true) },
];
