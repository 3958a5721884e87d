import { isDeepStrictEqual } from 'node:util';
import { ManualClock } from '#kernel';
import type { Connection } from '#platform/net';
import { encodeOperation } from '#protocols/psom';
import type { FuzzTarget } from '#tools/fuzz';
import { type Join, type JoinFault, readJoin } from './join-reader.ts';

const join = encodeOperation({ kind: 'join', version: 1, show: 'conference', token: 'abc' });

/** What comes of these pieces. */
function outcome(pieces: readonly Uint8Array[]): [Join | undefined, JoinFault | undefined][] {
  const told: [Join | undefined, JoinFault | undefined][] = [];
  // What the reader uses of a connection.
  const connection = { onData: () => {}, onClose: () => {} } as unknown as Connection;
  readJoin(connection, new ManualClock(), 1000, (read, fault) => told.push([read, fault]));
  for (const piece of pieces) connection.onData(Buffer.from(piece));
  connection.onClose('peer-closed');
  return told;
}

export const targets: readonly FuzzTarget[] = [
  {
    name: 'psom-door/join',
    seeds: [join, Buffer.concat([join, join]), Buffer.from([0, 5, 4, 0, 0, 0, 1])],
    run(input) {
      const whole = outcome([input]);
      if (whole.length !== 1) throw new Error('told other than once');
      const [[read, fault] = []] = whole;
      if ((read === undefined) === (fault === undefined)) throw new Error('neither a join nor a fault');
      if (read === undefined) return;
      if (!isDeepStrictEqual(Buffer.from(read.frame), Buffer.from(input))) throw new Error('not what came');
      const pieces = outcome([...input].map((byte) => Uint8Array.of(byte)));
      if (!isDeepStrictEqual(pieces, whole)) throw new Error('pieces read otherwise than the whole');
    },
  },
];
