import assert from 'node:assert/strict';
import { addresses } from '../network/addresses.ts';
import { until } from '../network/command.ts';
import type { RowProof } from './row.ts';

/** A partner of the 2007 release sends first: to a port of the relay range, where an allocation permits it. */
export const row: RowProof = {
  id: 'ext-12',
  async run(perimeter) {
    const [alice, partner] = [perimeter.actor('alice'), perimeter.actor('partner')];
    const from = addresses.partner.v4;
    const port = await partner.call('openPeer', { address: from, echo: false });
    const { username, password } = perimeter.files.relayCredential('alice');
    const relayed = await alice.call('openRelay', {
      name: 'ext-12',
      server: { address: addresses.edge1.av.v4, port: 3478, username, password },
      localAddress: addresses.alice.v4,
    });
    assert.equal(relayed.address, addresses.edge1.av.v4);
    await alice.call('connectRelay', { name: 'ext-12', address: from, port });
    await partner.call('sendAsPeer', {
      from,
      port,
      to: relayed.address,
      toPort: relayed.port,
      text: 'first',
    });
    await until(
      'the partner was heard',
      async () => (await alice.call('receivedByRelay', { name: 'ext-12' })).includes('first') || undefined,
    );
    await alice.call('sendByRelay', { name: 'ext-12', text: 'second' });
    const heard = await until('the partner was answered', async () => {
      const all = await partner.call('heardAsPeer', { address: from, port });
      return all.length > 0 ? all : undefined;
    });
    assert.deepEqual(heard, [{ ...relayed, datagrams: 1 }]);
    await alice.call('closeRelay', { name: 'ext-12' });
    await partner.call('closePeer', { address: from, port });
    return {
      seen: `${from} sent first to ${relayed.address} port ${relayed.port}, alice received it, her answer came back`,
      passage: { firewall: 'externalFirewall', edges: ['edge1'] },
      connection: 'new',
    };
  },
};
