import { addresses, edgeNames } from '../network/addresses.ts';
import { providers } from '../programs/documents.ts';
import { writeInward } from './messages.ts';
import type { RowProof } from './row.ts';

/** SIP from public providers: users of each of their domains write to bob, by both edges and both families. */
export const row: RowProof = {
  id: 'pic-01',
  async run(perimeter) {
    const provider = await perimeter.elsewhere('provider');
    for (const { domains, family } of Object.values(providers))
      for (const domain of domains)
        for (const edge of edgeNames)
          await writeInward(perimeter, provider, { from: `dave@${domain}`, to: 'bob', edge, family });
    const { v4, v6 } = addresses.provider;
    const domains = Object.values(providers).flatMap((one) => one.domains);
    return {
      seen: `Kamailio at ${v4} and ${v6} sent by both edges for ${domains.join(', ')}, and bob inside has it`,
      passage: { firewall: 'externalFirewall', edges: edgeNames },
      connection: 'new',
    };
  },
};
