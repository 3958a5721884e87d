import assert from 'node:assert/strict';
import { addresses, type EdgeName, edgeNames, type Family, ofFamily } from '../network/addresses.ts';
import { until } from '../network/command.ts';
import type { Perimeter } from '../programs/perimeter.ts';
import type { RowProof } from './row.ts';

/** A partner of the 2007 release sends first: to a port of the relay range, where an allocation permits it. */
export const row: RowProof = {
  id: 'ext-12',
  async run(perimeter) {
    for (const edge of edgeNames) for (const family of [4, 6] as const) await play(perimeter, edge, family);
    return {
      seen: 'a partner sent first to relayed addresses of both edges, alice received it, her answers came back',
      passage: { firewall: 'externalFirewall', edges: edgeNames },
      connection: 'new',
    };
  },
};

async function play(perimeter: Perimeter, edge: EdgeName, family: Family): Promise<void> {
  const [alice, partner] = [perimeter.actor('alice'), perimeter.actor('partner')];
  const from = ofFamily(addresses.partner, family);
  const av = ofFamily(addresses[edge].av, family);
  const name = `ext-12 ${edge} ${family}`;
  const port = await partner.call('openPeer', { address: from, echo: false });
  const { username, password } = perimeter.files.relayCredential('alice');
  const relayed = await alice.call('openRelay', {
    name,
    server: { address: av, port: 3478, username, password },
    localAddress: ofFamily(addresses.alice, family),
  });
  assert.equal(relayed.address, av);
  await alice.call('connectRelay', { name, address: from, port });
  await partner.call('sendAsPeer', {
    from,
    port,
    to: relayed.address,
    toPort: relayed.port,
    text: 'first',
  });
  await until(
    'the partner was heard',
    async () => (await alice.call('receivedByRelay', { name })).includes('first') || undefined,
  );
  await alice.call('sendByRelay', { name, text: 'second' });
  const heard = await until('the partner was answered', async () => {
    const all = await partner.call('heardAsPeer', { address: from, port });
    return all.length > 0 ? all : undefined;
  });
  assert.deepEqual(heard, [{ ...relayed, datagrams: 1 }]);
  await alice.call('closeRelay', { name });
  await partner.call('closePeer', { address: from, port });
}
