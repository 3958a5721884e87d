import assert from 'node:assert/strict';
import { addresses } from '../network/addresses.ts';
import { connectedTo, issued } from '../observe/edge-state.ts';
import { names } from '../programs/documents.ts';
import type { RowProof } from './row.ts';

/** The next hop fetches relay credentials for a user inside; they open the relay. */
export const row: RowProof = {
  id: 'int-05',
  async run(perimeter) {
    const bob = perimeter.actor('bob');
    const before = await issued(perimeter, 'edge1');
    const server = await bob.call('relayCredentials', { user: await perimeter.signedIn('bob') });
    assert.equal(server.host, names.edge1);
    assert.ok((await issued(perimeter, 'edge1')) > before, 'edge1 counts what it issued');
    const sources = new Set(await connectedTo(perimeter, 'edge1', addresses.edge1.internal, 5062));
    assert.deepEqual([...sources], [addresses.frontEnd.v4]);
    const relayed = await bob.call('openRelay', { name: 'int-05', server, localAddress: addresses.bob.v4 });
    assert.equal(relayed.address, addresses.edge1.av.v4);
    await bob.call('closeRelay', { name: 'int-05' });
    return {
      seen: `SERVICE of bob answered by way of ${addresses.frontEnd.v4}; the credentials opened an allocation at ${server.host}`,
      passage: { firewall: 'internalFirewall', edges: ['edge1'] },
      connection: 'kept',
    };
  },
};
