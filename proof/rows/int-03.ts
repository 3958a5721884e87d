import assert from 'node:assert/strict';
import { addresses, type EdgeName } from '../network/addresses.ts';
import { octetsFrom } from '../observe/edge-state.ts';
import type { Perimeter, User } from '../programs/perimeter.ts';
import { sendMessage } from './messages.ts';
import type { RowProof } from './row.ts';

/**
 * The edge chooses a member of the next hop for each client, and sends by the connections that either side has opened in
 * turn. Messages are sent, and the client comes anew now and then, until one went by each connection of the edge's own; the
 * chance that this many do not is below one in ten million.
 */
const MOST_MESSAGES = 128;
const MESSAGES_OF_ONE_CLIENT = 2;
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

/** Has a person outside write to bob; gives the edge's addresses from which the next hop, on its port, took a message. */
async function sourcesOf(perimeter: Perimeter, edge: EdgeName, person: User): Promise<ReadonlySet<string>> {
  const { v4, v6 } = addresses[edge].internal;
  const octets = () =>
    Promise.all([v4, v6].map(async (at) => [at, await octetsFrom(perimeter, 'frontEnd', 5061, at)] as const));
  const used = new Set<string>();
  let before = new Map(await octets());
  for (let sent = 0; sent < MOST_MESSAGES && used.size < before.size; sent++) {
    if (sent % MESSAGES_OF_ONE_CLIENT === 0) await perimeter.signIn(person);
    await sendMessage(perimeter, person, 'bob', `from outside, by ${edge}, ${sent} ${LONG}`);
    const after = new Map(await octets());
    for (const [at, count] of after) if (count - (before.get(at) ?? 0) > LONG.length) used.add(at);
    before = after;
  }
  return used;
}
