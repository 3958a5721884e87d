import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { ManualClock } from '#kernel';
import type { Connection } from '#platform/net';
import { refusedAnswer } from './answers.ts';
import { HttpSession } from './http-session.ts';

const FILE_BYTES = 100 * 1024 * 1024;
const PIECE_BYTES = 64 * 1024;

/** A client that asks for a file of 100 MiB, and takes a piece of it each time that it is told to. */
class Downloader {
  readonly clock = new ManualClock();
  ended: string | undefined;
  taken = 0;
  readonly #connection;

  constructor() {
    const downloader = this;
    let queued = 0;
    // What the session uses of a connection.
    this.#connection = {
      closed: false,
      idleMs: 0,
      onData: (_chunk: Buffer) => {},
      onDrain: () => {},
      onClose: () => {},
      get bytesSent() {
        return downloader.taken;
      },
      write(bytes: Uint8Array) {
        queued = bytes.length;
        return false;
      },
      drain() {
        downloader.taken += queued;
        this.onDrain();
      },
      pause: () => {},
      resume: () => {},
      end: () => {
        downloader.ended = 'whole';
      },
      destroy(reason: string) {
        downloader.ended = reason;
        this.closed = true;
        this.onClose();
      },
    };
    const pieces = function* () {
      for (let at = 0; at < FILE_BYTES; at += PIECE_BYTES) yield Buffer.alloc(PIECE_BYTES);
    };
    new HttpSession({
      connection: this.#connection as unknown as Connection,
      clock: this.clock,
      headBytes: 1024,
      headMs: 1000,
      answer: async () => ({
        status: '200 OK',
        headers: {},
        body: Readable.from(pieces()),
        length: FILE_BYTES,
        close: true,
      }),
      isUpgrade: () => false,
      failed: (problem) => {
        throw problem;
      },
      takeOver: () => {},
      refuse: refusedAnswer,
    });
    this.#connection.onData(Buffer.from('GET /content HTTP/1.1\r\nHost: conf.example.test\r\n\r\n'));
  }
  /** Waits so long for each piece; gives the seconds that it was served for. */
  async take(secondsForPiece: number): Promise<number> {
    const began = this.clock.now();
    while (this.ended === undefined) {
      await new Promise(setImmediate);
      this.clock.advance(secondsForPiece * 1000);
      this.#connection.drain();
    }
    return (this.clock.now() - began) / 1000;
  }
}

test('a file comes to its end over a line of 40 kbit/s, however long that takes', async () => {
  const slow = new Downloader();
  const seconds = await slow.take(PIECE_BYTES / 5120);
  assert.equal(slow.ended, 'whole');
  assert.ok(slow.taken >= FILE_BYTES);
  assert.ok(seconds > 5 * 3600, String(seconds));
});

test('who takes less than the lowest rate loses its place soon, though it never takes nothing for long', async () => {
  const holder = new Downloader();
  const seconds = await holder.take(25);
  assert.equal(holder.ended, 'timeout');
  assert.ok(seconds <= 125, String(seconds));
});

test('who takes nothing is let go after half a minute', async () => {
  const silent = new Downloader();
  await new Promise(setImmediate);
  silent.clock.advance(29_999);
  assert.equal(silent.ended, undefined);
  silent.clock.advance(2);
  assert.equal(silent.ended, 'timeout');
});
