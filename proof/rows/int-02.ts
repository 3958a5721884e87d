import assert from 'node:assert/strict';
import { addresses } from '../network/addresses.ts';
import { connectedTo, requests } from '../observe/edge-state.ts';
import { sendMessage } from './messages.ts';
import type { RowProof } from './row.ts';

/** The next hop sends requests for users outside to the edge that each came by, by IPv4 and by IPv6. */
export const row: RowProof = {
  id: 'int-02',
  async run(perimeter) {
    for (const [edge, person, source] of [
      ['edge1', 'alice', addresses.frontEnd.v4],
      ['edge2', 'carol', addresses.frontEnd.v6],
    ] as const) {
      await perimeter.signedIn(person);
      const before = await requests(perimeter, edge);
      await sendMessage(perimeter, 'bob', person, `from inside, by ${edge}`);
      assert.equal((await requests(perimeter, edge)).outward, before.outward + 1);
      const sources = new Set(await connectedTo(perimeter, edge, addresses[edge].internal, 5061));
      assert.deepEqual([...sources], [source], `${edge} sees the next hop's own address`);
    }
    return {
      seen: `messages of bob, inside, reached alice by edge1 and carol by edge2; the edges saw ${addresses.frontEnd.v4} and ${addresses.frontEnd.v6}`,
      passage: { firewall: 'internalFirewall', edges: ['edge1', 'edge2'] },
      connection: 'kept',
    };
  },
};
