import type { FuzzTarget } from '#tools/fuzz';
import { request } from './testing/play.ts';
import { Turmoil } from './testing/turmoil.ts';

/** From this octet on, what follows is a message as it stands rather than steps. */
const RAW = 0xff;
const MOST_STEPS = 64;

/**
 * Three octets a step; the first one says, besides what happens, over which kind of transport all of it does.
 */
function run(input: Uint8Array): void {
  const turmoil = new Turmoil(((input[0] ?? 0) & 0x80) === 0);
  for (let at = 0, steps = 0; at + 2 < input.length && steps < MOST_STEPS; at += 3, steps++) {
    if (input[at] === RAW) {
      turmoil.receives(Buffer.from(input.subarray(at + 1)));
      break;
    }
    turmoil.step(input[at] ?? 0, input[at + 1] ?? 0, input[at + 2] ?? 0);
  }
  turmoil.drains();
}

const raw = (bytes: Buffer): Uint8Array => Buffer.concat([Buffer.from([0, 0, 0, 2, 0, 1, RAW]), bytes]);

export const targets: readonly FuzzTarget[] = [
  {
    name: 'sip-transactions',
    seeds: [
      // INVITE in, 180, 200, ACK; INVITE out, 180, CANCEL, 486; time.
      Uint8Array.of(0, 0, 0, 2, 0, 1, 2, 0, 2, 0, 1, 0, 3, 0, 1, 4, 1, 1, 5, 0, 0, 4, 1, 6, 6, 7, 0),
      // The same over unreliable transport, with repeated messages and a flow that closes.
      Uint8Array.of(128, 0, 0, 128, 0, 0, 2, 0, 6, 6, 4, 0, 3, 0, 1, 6, 5, 0, 4, 1, 6, 4, 1, 6, 7, 1, 0),
      // MESSAGE both ways.
      Uint8Array.of(0, 3, 0, 2, 0, 2, 3, 1, 0, 4, 1, 2),
      raw(request('INVITE')),
      raw(request('CANCEL', { branch: null })),
      raw(request('ACK', { toTag: 'uas' })),
    ],
    run,
  },
];
