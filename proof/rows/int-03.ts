import assert from 'node:assert/strict';
import { addresses } from '../network/addresses.ts';
import { connectedTo, requests } from '../observe/edge-state.ts';
import { sendMessage } from './messages.ts';
import type { RowProof } from './row.ts';

/** The edges pass requests of users outside on to the next hop, from their internal addresses. */
export const row: RowProof = {
  id: 'int-03',
  async run(perimeter) {
    for (const [edge, person] of [
      ['edge1', 'alice'],
      ['edge2', 'carol'],
    ] as const) {
      await perimeter.signedIn(person);
      const before = await requests(perimeter, edge);
      await sendMessage(perimeter, person, 'bob', `from outside, by ${edge}`);
      assert.ok((await requests(perimeter, edge)).inward > before.inward, `${edge} passed it on`);
    }
    const edges = [addresses.edge1.internal.v4, addresses.edge2.internal.v4];
    const people: string[] = [addresses.bob.v4];
    const sources = new Set(await connectedTo(perimeter, 'frontEnd', addresses.frontEnd, 5061));
    assert.deepEqual([...sources].filter((source) => !people.includes(source)).sort(), edges.sort());
    return {
      seen: `messages of alice by edge1 and carol by edge2 reached bob; the next hop saw ${edges.join(' and ')}`,
      passage: { firewall: 'internalFirewall', edges: ['edge1', 'edge2'] },
      connection: 'kept',
    };
  },
};
