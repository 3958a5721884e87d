import assert from 'node:assert/strict';
import { addresses, edgeNames } from '../network/addresses.ts';
import { nameFamily, partners } from '../programs/documents.ts';
import type { RowProof } from './row.ts';

/** Both edges ask dnsmasq for the edge of a partner by UDP, and for a name that it does not have. */
export const row: RowProof = {
  id: 'ext-04',
  async run(perimeter) {
    const sources: string[] = [];
    for (const edge of edgeNames) {
      // A name of this row's own, so that no edge knows the answer already.
      const name = `nobody.${edge}.${partners.four.domain}`;
      const ask = (type: string, asked: string) =>
        perimeter.edge(edge).ask('access', 'resolve', { name: asked, type });
      const absent = (await ask('A', name)) as { reason?: string };
      assert.equal(absent.reason, 'nxdomain', `${edge} learned that ${name} does not exist`);
      const found = (await ask('A', partners.four.proxy)) as { values: string[] };
      assert.deepEqual(found.values, [addresses.partner.v4]);
      const source = addresses[edge].access[nameFamily[edge]];
      await perimeter.nameServer.printed(new RegExp(`query\\[A\\] ${name} from ${source}`, 'i'));
      sources.push(source);
    }
    return {
      seen: `dnsmasq answered ${sources.join(' and ')}, the Access addresses, by UDP`,
      passage: { firewall: 'externalFirewall', edges: edgeNames },
      connection: 'new',
    };
  },
};
