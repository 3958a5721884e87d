import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { type Gathered, TurnWriter, writeGathered } from './turn-writer.ts';

const SLAB = 65_536;

class Receiver implements Gathered {
  readonly pieces: Buffer[] = [];
  readonly sent: (() => void)[] = [];
  take(bytes: Buffer, sent: () => void): void {
    this.pieces.push(bytes);
    this.sent.push(sent);
  }
  get text(): string {
    return Buffer.concat(this.pieces).toString('latin1');
  }
}

test('what one turn has for one receiver comes as one piece, in order, before the next turn', async () => {
  const writer = new TurnWriter();
  const receiver = new Receiver();
  for (const text of ['a stroke, ', 'another, ', 'and a third']) writer.write(receiver, Buffer.from(text));
  assert.equal(receiver.pieces.length, 0);
  await turn();
  assert.deepEqual(
    receiver.pieces.map((piece) => piece.toString()),
    ['a stroke, another, and a third'],
  );
  writer.write(receiver, Buffer.from('!'));
  await turn();
  assert.equal(receiver.text, 'a stroke, another, and a third!');
});

test('the memory of the sender may change at once, and nobody gets what was for another', async () => {
  const writer = new TurnWriter();
  const [one, other] = [new Receiver(), new Receiver()];
  const lent = Buffer.alloc(4);
  for (const [receiver, text] of [
    [one, 'ab01'],
    [one, 'ab02'],
    [other, 'cd01'],
    [one, 'ab03'],
    [other, 'cd02'],
  ] as const) {
    lent.write(text);
    writer.write(receiver, lent);
    lent.fill(0);
  }
  await turn();
  assert.deepEqual([one.text, other.text], ['ab01ab02ab03', 'cd01cd02']);
  assert.deepEqual([one.pieces.length, other.pieces.length], [2, 2]);
});

test('what waits is handed on when asked, once', async () => {
  const writer = new TurnWriter();
  const receiver = new Receiver();
  writer.write(receiver, Buffer.from('the last words'));
  writer.flush();
  assert.equal(receiver.text, 'the last words');
  writer.flush();
  await turn();
  assert.equal(receiver.pieces.length, 1);
});

test('more than fits is handed on in pieces at once', () => {
  const writer = new TurnWriter();
  const receiver = new Receiver();
  const bytes = Buffer.alloc(2 * SLAB + 10, 'x');
  bytes.write('end', bytes.length - 3);
  writer.write(receiver, Buffer.from('begin'));
  writer.write(receiver, bytes);
  assert.deepEqual(
    receiver.pieces.map(({ length }) => length),
    [SLAB, SLAB],
  );
  writer.flush();
  assert.equal(receiver.text, `begin${bytes.toString('latin1')}`);
});

test('memory is used again when all of its pieces were sent, and not while one is under way', () => {
  const writer = new TurnWriter();
  const [one, other] = [new Receiver(), new Receiver()];
  const fill = (receiver: Receiver, letter: string) => writer.write(receiver, Buffer.alloc(SLAB / 2, letter));
  fill(one, 'a');
  fill(other, 'b');
  const first = one.pieces[0]?.buffer;
  one.sent[0]?.();
  fill(one, 'c');
  fill(one, 'd');
  assert.notEqual(one.pieces.at(-1)?.buffer, first, 'half of it is still needed');
  assert.equal(other.text, 'b'.repeat(SLAB / 2));
  other.sent[0]?.();
  one.sent[1]?.();
  fill(other, 'e');
  fill(other, 'f');
  assert.ok(
    [...one.pieces, ...other.pieces].slice(2).some(({ buffer }) => buffer === first),
    'the first memory is there again',
  );
});

test('memory of which nobody says that it was sent is never overwritten', () => {
  const writer = new TurnWriter();
  const receiver = new Receiver();
  for (let round = 0; round < 200; round++) writer.write(receiver, Buffer.alloc(SLAB, `${round % 10}`));
  assert.ok(receiver.pieces.every((piece, round) => piece.every((byte) => byte === 48 + (round % 10))));
});

test('a receiver may write to others while it takes', async () => {
  const writer = new TurnWriter();
  const other = new Receiver();
  const echoing: Gathered = { take: (bytes) => writer.write(other, bytes) };
  writer.write(echoing, Buffer.from('heard'));
  await turn();
  await turn();
  assert.equal(other.text, 'heard');
});

test('a receiver that flushes, or writes to others, while it takes a part of what is written gets the rest, and nobody else', () => {
  for (const meanwhile of ['flush', 'write'] as const) {
    const writer = new TurnWriter();
    const [receiver, other, next] = [new Receiver(), new Receiver(), new Receiver()];
    const restless: Gathered = {
      take: (bytes, sent) => {
        receiver.take(bytes, sent);
        if (meanwhile === 'flush') writer.flush();
        else writer.write(other, Buffer.from('o'));
      },
    };
    writer.write(restless, Buffer.alloc(SLAB + 10, 'r'));
    writer.write(next, Buffer.from('n'));
    writer.flush();
    assert.deepEqual([receiver.text.length, next.text], [SLAB + 10, 'n'], meanwhile);
    assert.match(receiver.text, /^r+$/);
    assert.match(other.text, /^o*$/);
  }
});

test('whoever reads slowly keeps no memory that others share: a small piece that has to wait is copied', () => {
  const writer = new TurnWriter();
  const kept: Uint8Array[] = [];
  const slow = { queued: 1, write: (bytes: Uint8Array) => kept.push(bytes) > 0 };
  const quick = new Receiver();
  const memory = new Set<ArrayBufferLike>();
  for (let turn = 0; turn < 400; turn++) {
    writer.write({ take: (bytes, sent) => void writeGathered(slow, bytes, sent) }, Buffer.from(`${turn}`));
    writer.write(quick, Buffer.alloc(SLAB / 2, 'x'));
    writer.flush();
    for (const piece of quick.pieces.splice(0)) memory.add(piece.buffer);
    for (const sent of quick.sent.splice(0)) sent();
  }
  assert.ok(memory.size <= 2, `${memory.size} pieces of memory for one at a time`);
  assert.equal(Buffer.concat(kept).toString(), Array.from({ length: 400 }, (_, turn) => turn).join(''));
  assert.ok(kept.every(({ buffer, length }) => buffer.byteLength === length));
});

test('a piece that need not wait is written as it is, and so is one that is large', () => {
  const written: Uint8Array[] = [];
  let sent = 0;
  const count = () => {
    sent += 1;
  };
  const [small, large] = [Buffer.from('small'), Buffer.alloc(SLAB / 4)];
  const to = (queued: number) => ({ queued, write: (bytes: Uint8Array) => written.push(bytes) > 0 });
  writeGathered(to(0), small, count);
  writeGathered(to(1), large, count);
  assert.deepEqual([written[0] === small, written[1] === large, sent], [true, true, 0]);
});
