import assert from 'node:assert/strict';
import { addresses, type EdgeName, edgeNames, type Family, ofFamily } from '../network/addresses.ts';
import { relayPorts } from '../programs/documents.ts';
import type { Perimeter } from '../programs/perimeter.ts';
import type { RowProof } from './row.ts';

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
  const av = ofFamily(addresses[edge].av, family);
  const port = await partner.call('openTcpPeer', { address });
  const name = `ext-09 ${edge} ${family}`;
  const { username, password } = perimeter.files.relayCredential('carol');
  const relayed = await carol.call('openTcpRelay', {
    name,
    server: { address: av, port: 443, username, password },
    localAddress: ofFamily(addresses.carol, family),
  });
  assert.equal(await carol.call('askByTcpRelay', { name, address, port, text: TEXT }), TEXT);
  assert.equal(relayed.address, av);
  assert.ok(relayed.port >= relayPorts.first && relayed.port <= relayPorts.last, `from port ${relayed.port}`);
  assert.deepEqual(await partner.call('callersOfTcpPeer', { address, port }), [relayed]);
  await carol.call('closeTcpRelay', { name });
  await partner.call('closeTcpPeer', { address, port });
}
