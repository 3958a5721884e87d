import { once } from 'node:events';
import type { TestContext } from 'node:test';
import type { TLSSocket } from 'node:tls';
import type { EdgeTarget } from '#platform/edge-dial';
import { DATA, END_HEADERS, frame, GOAWAY, HEADERS, SETTINGS } from './frames.ts';
import { SERVICE } from './link-bench.ts';
import { startStranger } from './stranger.ts';

/** `:status: 200`, as header compression has it. */
const STATUS_200 = 0x88;
/** The first stream of a client, on which the edge asks for the hello. */
const HELLO = 1;
/** Octets that an edge has said when its preface and settings are not all. */
const WITH_A_REQUEST = 130;

/** Everything is in order, and no more streams are taken. */
export const going = frame(GOAWAY, 0, 0, Buffer.alloc(8));
/** Longer than any frame may be. */
export const garbage = Buffer.alloc(64, 0xff);

/** A service with a good certificate that says hello, in frames of its own making. */
export async function startHostileService(t: TestContext, edge: EdgeTarget): Promise<TLSSocket> {
  const socket = await startStranger(t, edge);
  const keys = [Buffer.alloc(32, 1).toString('base64')];
  const said = JSON.stringify({ node: SERVICE, keys, clock: Date.now(), state: 'ready' });
  socket.write(frame(SETTINGS, 0, 0));
  let heard = 0;
  while (heard < WITH_A_REQUEST) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    heard += chunk.length;
  }
  socket.write(
    Buffer.concat([
      frame(SETTINGS, 1, 0),
      frame(HEADERS, END_HEADERS, HELLO, Buffer.from([STATUS_200])),
      frame(DATA, 0, HELLO, Buffer.from(`${said}\n`)),
    ]),
  );
  return socket;
}
