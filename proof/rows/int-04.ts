import assert from 'node:assert/strict';
import { addresses, edgeNames, ofFamily } from '../network/addresses.ts';
import { names } from '../programs/documents.ts';
import { openConferencing } from './conferencing-links.ts';
import type { RowProof } from './row.ts';

interface Status {
  readonly links: readonly {
    readonly node: string;
    readonly address: string;
    readonly state: string | null;
  }[];
}

/** The web conferencing service dials both edges by mutual TLS, by either family. */
export const row: RowProof = {
  id: 'int-04',
  async run(perimeter) {
    for (const family of [4, 6] as const) {
      await openConferencing(perimeter, family);
      const address = ofFamily(addresses.counterparts, family);
      for (const edge of edgeNames) {
        const { links } = (await perimeter.edge(edge).ask('web-conferencing', 'status')) as Status;
        const link = links.find((one) => one.address === address);
        assert.deepEqual([link?.node, link?.state], [names.frontEnd, 'ready'], `${edge} by IPv${family}`);
      }
    }
    const { v4, v6 } = addresses.counterparts;
    return {
      seen: `the service at ${v4} and ${v6} opened a link to each edge, mutual TLS, and said which node it is`,
      passage: { firewall: 'internalFirewall', edges: edgeNames },
      connection: 'new',
    };
  },
};
