import { addresses, edgeNames } from '../network/addresses.ts';
import { partners } from '../programs/documents.ts';
import { writeInward } from './messages.ts';
import type { RowProof } from './row.ts';

/** Kamailio as a partner dials both edges by mutual TLS, one by IPv4 and one by IPv6, and its messages reach bob inside. */
export const row: RowProof = {
  id: 'ext-06',
  async run(perimeter) {
    const partner = await perimeter.elsewhere('partner');
    for (const [edge, { domain, family }] of [
      ['edge1', partners.four],
      ['edge2', partners.six],
    ] as const)
      await writeInward(perimeter, partner, { from: `erin@${domain}`, to: 'bob', edge, family });
    const { v4, v6 } = addresses.partner;
    return {
      seen: `Kamailio at ${v4} and ${v6} sent messages by both edges, mutual TLS, and bob inside has them`,
      passage: { firewall: 'externalFirewall', edges: edgeNames },
      connection: 'new',
    };
  },
};
