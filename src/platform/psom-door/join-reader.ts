import type { Clock } from '#kernel';
import type { Connection } from '#platform/net';
import { decodeOperation, FrameReader, type JoinKind } from '#protocols/psom';

/** What a participant shows to be let in. */
export interface Join {
  readonly version: number;
  readonly show: JoinKind;
  readonly token: string;
  /** The whole frame, as it came. */
  readonly frame: Uint8Array;
}

/** Why a connection that should have said JOIN did not. */
export const joinFaults = ['join-late', 'join-malformed', 'join-not-first', 'join-gone'] as const;
export type JoinFault = (typeof joinFaults)[number];

/** A JOIN with the longest token, and a little. */
const MOST_JOIN = 600;
const LENGTH_BYTES = 2;

/**
 * Reads the JOIN with which a connection begins, and no more: nobody says anything behind it before the answer. `done` is called
 * once; whoever gets a join assigns `onData` and `onClose` of the connection.
 */
export function readJoin(
  connection: Connection,
  clock: Clock,
  joinMs: number,
  done: (join: Join | undefined, fault: JoinFault | undefined) => void,
): void {
  const reader = new FrameReader({ frameBytes: MOST_JOIN, frameMs: joinMs });
  let over = false;
  let received = 0;
  const finish = (join: Join | undefined, fault?: JoinFault) => {
    if (over) return;
    over = true;
    late();
    connection.onData = ignore;
    connection.onClose = ignore;
    done(join, fault);
  };
  const late = clock.after(joinMs, () => finish(undefined, 'join-late'));
  connection.onClose = () => finish(undefined, 'join-gone');
  connection.onData = (chunk) => {
    received += chunk.length;
    for (const body of reader.push(chunk, clock.now())) {
      if (over) return;
      const operation = decodeOperation(body);
      if (operation === undefined) finish(undefined, 'join-malformed');
      else if (operation.kind !== 'join' || received !== LENGTH_BYTES + body.length)
        finish(undefined, 'join-not-first');
      else finish({ ...operation, frame: framed(body) });
    }
    if (reader.fault !== undefined) finish(undefined, 'join-malformed');
  };
}

function framed(body: Uint8Array): Uint8Array {
  const frame = new Uint8Array(LENGTH_BYTES + body.length);
  frame.set([body.length >> 8, body.length & 0xff]);
  frame.set(body, LENGTH_BYTES);
  return frame;
}

function ignore(): void {}
