import { isDeepStrictEqual } from 'node:util';
import { ManualClock } from '#kernel';
import type { Connection } from '#platform/net';
import type { FuzzTarget } from '#tools/fuzz';
import { refusedAnswer, textAnswer } from './answers.ts';
import { HttpSession } from './http-session.ts';

const HOST = 'Host: conf.example.test\r\n';
const HEAD_BYTES = 1024;

/** What a session makes of the first request of these pieces. */
function outcome(pieces: readonly Uint8Array[]): string | undefined {
  let told: string | undefined;
  const note = (what: string) => {
    told ??= what;
  };
  // What the session uses of a connection.
  const connection = {
    closed: false,
    idleMs: 0,
    onData: () => {},
    onDrain: () => {},
    onClose: () => {},
    write: () => true,
    pause: () => {},
    resume: () => {},
    end: () => {},
    destroy: () => {},
  } as unknown as Connection;
  new HttpSession({
    connection,
    clock: new ManualClock(),
    headBytes: HEAD_BYTES,
    headMs: 1000,
    answer: async ({ method, target, headers }) => {
      if (headers['transfer-encoding'] !== undefined) throw new Error('a request with a body');
      note(`${method} ${target}`);
      return textAnswer('404 Not Found');
    },
    isUpgrade: ({ headers }) => headers.upgrade !== undefined,
    failed: (problem) => {
      throw problem;
    },
    takeOver: () => note('upgrade'),
    refuse: (reason) => {
      note(`refused ${reason}`);
      return refusedAnswer(reason);
    },
  });
  for (const piece of pieces) if (told === undefined) connection.onData(Buffer.from(piece));
  return told;
}

export const targets: readonly FuzzTarget[] = [
  {
    name: 'psom-door/http',
    seeds: [
      `GET / HTTP/1.1\r\n${HOST}\r\n`,
      `GET /content/abc/${'0f'.repeat(32)} HTTP/1.1\r\n${HOST}Connection: close\r\n\r\nGET / HTTP/1.1\r\n\r\n`,
      `GET /psom HTTP/1.1\r\n${HOST}Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n`,
      `POST / HTTP/1.1\r\n${HOST}Content-Length: 3\r\n\r\nabc`,
      `GET / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ].map((text) => Buffer.from(text)),
    run(input) {
      // A head that is too long may be seen to be so earlier or later.
      if (input.length > HEAD_BYTES) return;
      const whole = outcome([input]);
      const pieces = outcome([...input].map((byte) => Uint8Array.of(byte)));
      if (!isDeepStrictEqual(whole, pieces)) throw new Error(`${whole} as a whole, ${pieces} in pieces`);
    },
  },
];
