import { edgeNames } from '../network/addresses.ts';
import { publishedPartners } from '../programs/documents.ts';
import { writeOutward } from './messages.ts';
import type { RowProof } from './row.ts';

/** SIP to partners whose edges are found by what they publish: each edge asks for the record, and dials who is named there. */
export const row: RowProof = {
  id: 'fed-01',
  async run(perimeter) {
    const partner = await perimeter.elsewhere('partner');
    const seen: string[] = [];
    for (const { domain, family } of Object.values(publishedPartners)) {
      seen.push(...(await writeOutward(perimeter, partner, { from: 'bob', to: `frank@${domain}`, family })));
      await perimeter.nameServer.printed(new RegExp(`query\\[SRV\\] _sipfederationtls._tcp.${domain}`, 'i'));
    }
    return {
      seen: `bob's messages reached Kamailio, found by its SRV records, by mutual TLS from ${seen.join(', ')}`,
      passage: { firewall: 'externalFirewall', edges: edgeNames },
      connection: 'new',
    };
  },
};
