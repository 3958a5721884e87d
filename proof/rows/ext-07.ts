import { edgeNames } from '../network/addresses.ts';
import { partners } from '../programs/documents.ts';
import { writeOutward } from './messages.ts';
import type { RowProof } from './row.ts';

/** Bob inside writes to partners: both edges dial Kamailio from their Access addresses, by either family. */
export const row: RowProof = {
  id: 'ext-07',
  async run(perimeter) {
    const partner = await perimeter.elsewhere('partner');
    const seen: string[] = [];
    for (const { domain, family } of Object.values(partners))
      seen.push(...(await writeOutward(perimeter, partner, { from: 'bob', to: `erin@${domain}`, family })));
    return {
      seen: `bob's messages reached Kamailio by mutual TLS from ${seen.join(', ')}`,
      passage: { firewall: 'externalFirewall', edges: edgeNames },
      connection: 'new',
    };
  },
};
