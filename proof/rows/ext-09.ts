import assert from 'node:assert/strict';
import { addresses, type EdgeName, edgeNames, type Family, ofFamily } from '../network/addresses.ts';
import type { Perimeter } from '../programs/perimeter.ts';
import type { RowProof } from './row.ts';
import { openTcpRelay } from './tcp-relay.ts';

const TEXT = 'by TCP from the relay range';

/** Media leaves the relay range by TCP for partners: a stream through each edge in each family, echoed (RFC 6062). */
export const row: RowProof = {
  id: 'ext-09',
  async run(perimeter) {
    for (const edge of edgeNames) for (const family of [4, 6] as const) await play(perimeter, edge, family);
    return {
      seen: 'a partner took TCP connections from the A/V addresses and the relay range, and carol had her words back',
      passage: { firewall: 'externalFirewall', edges: edgeNames },
      connection: 'new',
    };
  },
};

async function play(perimeter: Perimeter, edge: EdgeName, family: Family): Promise<void> {
  const [carol, partner] = [perimeter.actor('carol'), perimeter.actor('partner')];
  const address = ofFamily(addresses.partner, family);
  const port = await partner.call('openTcpPeer', { address });
  const name = `ext-09 ${edge} ${family}`;
  const relayed = await openTcpRelay(perimeter, { name, person: 'carol', edge, family });
  assert.equal(await carol.call('askByTcpRelay', { name, address, port, text: TEXT }), TEXT);
  assert.deepEqual(await partner.call('callersOfTcpPeer', { address, port }), [relayed]);
  await carol.call('closeTcpRelay', { name });
  await partner.call('closeTcpPeer', { address, port });
}
