import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { addresses, edgeNames } from '../network/addresses.ts';
import { until } from '../network/command.ts';
import { LIST_FILE, revocationNames } from '../programs/documents.ts';
import { ASKED_LOG } from '../programs/outside.ts';
import type { RowProof } from './row.ts';

/** Both edges fetch the revocation list of the partners' authority from nginx, by either family. */
export const row: RowProof = {
  id: 'ext-02',
  async run(perimeter) {
    const sources: string[] = [];
    for (const edge of edgeNames) {
      for (const [host, family] of [
        [revocationNames.four, 'v4'],
        [revocationNames.six, 'v6'],
      ] as const) {
        const url = `http://${host}/${LIST_FILE}`;
        const told = await perimeter.edge(edge).ask('access', 'revocationList', { url });
        const { bytes = 0, problem } = told as { bytes?: number; problem?: string };
        assert.equal(problem, undefined, `${edge} fetched ${url}`);
        assert.ok(bytes > 100);
        const source = addresses[edge].access[family];
        await until(`nginx had logged ${source}`, async () => {
          const lines = readFileSync(perimeter.files.path(`web/${ASKED_LOG}`), 'utf8').split('\n');
          return lines.includes(`ASKED ${source} ${host} /${LIST_FILE} 200`) || undefined;
        });
        sources.push(source);
      }
    }
    return {
      seen: `nginx gave the revocation list to ${sources.join(', ')}, the Access addresses`,
      passage: { firewall: 'externalFirewall', edges: edgeNames },
      connection: 'new',
    };
  },
};
