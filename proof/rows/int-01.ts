import assert from 'node:assert/strict';
import { addresses, edgeNames } from '../network/addresses.ts';
import { openLinks } from './gateway-links.ts';
import type { RowProof } from './row.ts';

interface Streams {
  readonly links: readonly { readonly ready: boolean }[];
}

/** The gateway's end dials both edges by mutual TLS. */
export const row: RowProof = {
  id: 'int-01',
  async run(perimeter) {
    await openLinks(perimeter);
    for (const edge of edgeNames) {
      const { links } = (await perimeter.edge(edge).ask('xmpp-proxy', 'streams')) as Streams;
      assert.ok(
        links.some(({ ready }) => ready),
        `${edge} has a link`,
      );
    }
    const { v4, v6 } = addresses.counterparts;
    return {
      seen: `the gateway at ${v4} and ${v6} opened a link to each edge, mutual TLS, acknowledged both ways`,
      passage: { firewall: 'internalFirewall', edges: edgeNames },
      connection: 'new',
    };
  },
};
