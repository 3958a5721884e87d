import assert from 'node:assert/strict';
import { edgeNames } from '../network/addresses.ts';
import { controllerAt, mark, proven, withEdge } from './logging.ts';
import type { RowProof } from './row.ts';

/** Search: what each edge stored is found by its key. */
export const row: RowProof = {
  id: 'int-10',
  async run(perimeter) {
    await mark(perimeter, 'proof-search');
    for (const edge of edgeNames) {
      await withEdge(perimeter, edge, 50_002, async (client) => {
        const query = { keys: { trace: [`proof-search-${edge}`] } };
        const [found, end] = await client.ask({ type: 'search', query });
        assert.match(JSON.stringify(found), new RegExp(`marker proof-search-${edge}`));
        assert.equal(end?.events, 1);
      });
    }
    return proven(`openssl at ${controllerAt} found in each edge what it had stored`);
  },
};
