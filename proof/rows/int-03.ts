import assert from 'node:assert/strict';
import { addresses, type EdgeName } from '../network/addresses.ts';
import { octetsFrom } from '../observe/edge-state.ts';
import type { Perimeter, User } from '../programs/perimeter.ts';
import { sendMessage } from './messages.ts';
import type { RowProof } from './row.ts';

/** The edge chooses a member of the next hop for each client; the chance that this many get the same one is one in 2^23. */
const MOST_CLIENTS = 24;
/** Longer than all else that goes over a connection meanwhile. */
const LONG = 'x'.repeat(4000);

/** The edges pass requests of users outside on to the next hop, from their internal addresses, by IPv4 and by IPv6. */
export const row: RowProof = {
  id: 'int-03',
  async run(perimeter) {
    const seen: string[] = [];
    for (const [edge, person] of [
      ['edge1', 'grace'],
      ['edge2', 'heidi'],
    ] as const) {
      const { v4, v6 } = addresses[edge].internal;
      assert.deepEqual([...(await sourcesOf(perimeter, edge, person))].sort(), [v4, v6], edge);
      seen.push(v4, v6);
    }
    return {
      seen: `messages of grace by edge1 and heidi by edge2 reached bob; they came to the next hop from ${seen.join(', ')}`,
      passage: { firewall: 'internalFirewall', edges: ['edge1', 'edge2'] },
      connection: 'kept',
    };
  },
};

/**
 * Has a person outside come and write to bob until both members were used; gives the edge's addresses from which the next
 * hop, on its port, took the messages.
 */
async function sourcesOf(perimeter: Perimeter, edge: EdgeName, person: User): Promise<ReadonlySet<string>> {
  const { v4, v6 } = addresses[edge].internal;
  const octets = (at: string) => octetsFrom(perimeter, 'frontEnd', 5061, at);
  const used = new Set<string>();
  for (let clients = 0; clients < MOST_CLIENTS && used.size < 2; clients++) {
    await perimeter.signIn(person);
    const before = [await octets(v4), await octets(v6)] as const;
    await sendMessage(perimeter, person, 'bob', `from outside, by ${edge}, ${clients} ${LONG}`);
    const by4 = (await octets(v4)) - before[0] > LONG.length;
    const by6 = (await octets(v6)) - before[1] > LONG.length;
    assert.notEqual(by4, by6, `${edge} has passed it on once, by a connection of its own`);
    used.add(by4 ? v4 : v6);
  }
  return used;
}
