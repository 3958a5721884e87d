import assert from 'node:assert/strict';
import { addresses, type EdgeName, edgeNames, type Family, ofFamily } from '../network/addresses.ts';
import type { Perimeter } from '../programs/perimeter.ts';
import type { RowProof } from './row.ts';
import { openTcpRelay } from './tcp-relay.ts';

const TEXT = 'first, by TCP';

/** A partner of the 2007 release connects to a port of the relay range, where an allocation permits it. */
export const row: RowProof = {
  id: 'ext-11',
  async run(perimeter) {
    for (const edge of edgeNames) for (const family of [4, 6] as const) await play(perimeter, edge, family);
    return {
      seen: 'a partner connected to relayed addresses of both edges, alice took the streams and answered',
      passage: { firewall: 'externalFirewall', edges: edgeNames },
      connection: 'new',
    };
  },
};

async function play(perimeter: Perimeter, edge: EdgeName, family: Family): Promise<void> {
  const [alice, partner] = [perimeter.actor('alice'), perimeter.actor('partner')];
  const from = ofFamily(addresses.partner, family);
  const name = `ext-11 ${edge} ${family}`;
  const relayed = await openTcpRelay(perimeter, { name, person: 'alice', edge, family });
  await alice.call('permitByTcpRelay', { name, address: from, port: 0 });
  const dialled = partner.call('dialAsTcpPeer', {
    from,
    to: relayed.address,
    toPort: relayed.port,
    text: TEXT,
  });
  assert.equal(await alice.call('answerByTcpRelay', { name }), TEXT);
  assert.equal(await dialled, TEXT);
  await alice.call('closeTcpRelay', { name });
}
