import { playRelayToRelay } from './relay-to-relay.ts';
import type { RowProof } from './row.ts';

/** Media from the relay of edge1 to the relay of edge2, on the wire that both are on: edge1 has to let it out. */
export const row: RowProof = {
  id: 'more-05',
  async run(perimeter) {
    for (const family of [4, 6] as const) await playRelayToRelay(perimeter, family, 'from edge1');
    return {
      seen: 'two clients outside, each with the relay of another edge, heard one another by IPv4 and IPv6',
      passage: { edges: ['edge1'] },
      connection: 'new',
    };
  },
};
