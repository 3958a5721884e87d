import assert from 'node:assert/strict';
import { addresses } from '../network/addresses.ts';
import { bindings, signedInFrom } from '../observe/edge-state.ts';
import { DOMAIN } from '../programs/documents.ts';
import { visitWithBaresip } from '../programs/visitor.ts';
import type { RowProof } from './row.ts';

/** Clients outside sign in over TLS: baresip by IPv4 to one edge, our softphone by IPv6 to the other. */
export const row: RowProof = {
  id: 'ext-05',
  async run(perimeter) {
    const visitor = `visitor@${DOMAIN}`;
    const baresip = await visitWithBaresip(perimeter);
    try {
      assert.equal(await bindings(perimeter, visitor), 1, 'the next hop knows the visitor');
      assert.deepEqual(await signedInFrom(perimeter, 'edge1', visitor), [addresses.alice.v4]);
    } finally {
      await baresip.stop();
    }
    const carol = await perimeter.signedIn('carol');
    assert.equal(await bindings(perimeter, carol), 1, 'the next hop knows carol');
    assert.deepEqual(await signedInFrom(perimeter, 'edge2', carol), [addresses.carol.v6]);
    return {
      seen: `baresip at ${addresses.alice.v4} and carol at ${addresses.carol.v6} signed in, and the next hop knows both`,
      passage: { firewall: 'externalFirewall', edges: ['edge1', 'edge2'] },
      connection: 'new',
    };
  },
};
