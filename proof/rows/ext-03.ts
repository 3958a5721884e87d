import assert from 'node:assert/strict';
import { addresses, edgeNames } from '../network/addresses.ts';
import { LARGE_SERVICE, nameFamily } from '../programs/documents.ts';
import type { RowProof } from './row.ts';

/** Both edges ask dnsmasq for more records than fit a datagram: the truncated answer is fetched by TCP, whole. */
export const row: RowProof = {
  id: 'ext-03',
  async run(perimeter) {
    const sources: string[] = [];
    for (const edge of edgeNames) {
      const { name, servers } = LARGE_SERVICE;
      const told = await perimeter.edge(edge).ask('access', 'resolve', { name, type: 'SRV' });
      const { values, transport } = told as { values: unknown[]; transport: string };
      assert.deepEqual([values.length, transport], [servers, 'tcp'], `${edge} has all of ${name}`);
      const source = addresses[edge].access[nameFamily[edge]];
      const lines = new RegExp(`query\\[SRV\\] ${name} from ${source}`, 'gi');
      await perimeter.nameServer.until(`was asked by ${source} twice`, () =>
        (perimeter.nameServer.output.match(lines) ?? []).length >= 2 ? true : undefined,
      );
      sources.push(source);
    }
    return {
      seen: `dnsmasq cut its answer, was asked again by TCP from ${sources.join(' and ')}, and gave all of it`,
      passage: { firewall: 'externalFirewall', edges: edgeNames },
      connection: 'new',
    };
  },
};
