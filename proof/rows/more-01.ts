import assert from 'node:assert/strict';
import { edgeNames } from '../network/addresses.ts';
import type { RowProof } from './row.ts';

/** Metrics and health are served to the edge's own host. */
export const row: RowProof = {
  id: 'more-01',
  async run(perimeter) {
    for (const edge of edgeNames) {
      const metrics = await perimeter.actor(edge).call('fetchText', { url: 'http://127.0.0.1:9180/metrics' });
      assert.match(metrics, /^sallyport_/m);
    }
    return {
      seen: 'each edge served its metrics on loopback',
      passage: { edges: edgeNames },
      connection: 'new',
    };
  },
};
