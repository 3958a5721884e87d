import assert from 'node:assert/strict';
import { edgeNames } from '../network/addresses.ts';
import { controllerAt, mark, proven, withEdge } from './logging.ts';
import type { RowProof } from './row.ts';

/** Collection: segments are listed, and events come while they are stored. */
export const row: RowProof = {
  id: 'int-11',
  async run(perimeter) {
    for (const edge of edgeNames) {
      await withEdge(perimeter, edge, 50_003, async (client) => {
        const [list] = await client.ask({ type: 'list' });
        assert.match(JSON.stringify(list), /"open":true/);
        const marker = `proof-follow-${edge}`;
        const query = { keys: { trace: [marker] } };
        const followed = client.follow({ type: 'follow', query }, (events) =>
          events.some(({ text }) => text.includes(marker)),
        );
        await Promise.all([followed, mark(perimeter, 'proof-follow')]);
      });
    }
    return proven(`openssl at ${controllerAt} saw events of both edges as they were stored`);
  },
};
