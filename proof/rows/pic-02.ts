import { edgeNames } from '../network/addresses.ts';
import { providers } from '../programs/documents.ts';
import { writeOutward } from './messages.ts';
import type { RowProof } from './row.ts';

/** SIP to public providers: bob writes to users of each of their domains, and both edges dial the provider's one proxy. */
export const row: RowProof = {
  id: 'pic-02',
  async run(perimeter) {
    const provider = await perimeter.elsewhere('provider');
    const seen = new Set<string>();
    for (const { domains, family } of Object.values(providers))
      for (const domain of domains) {
        const sources = await writeOutward(perimeter, provider, {
          from: 'bob',
          to: `dave@${domain}`,
          family,
        });
        for (const source of sources) seen.add(source);
      }
    return {
      seen: `bob's messages to four domains of providers reached Kamailio by mutual TLS from ${[...seen].join(', ')}`,
      passage: { firewall: 'externalFirewall', edges: edgeNames },
      connection: 'new',
    };
  },
};
