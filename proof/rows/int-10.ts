import assert from 'node:assert/strict';
import { edgeNames } from '../network/addresses.ts';
import { names } from '../programs/documents.ts';
import { LogController } from '../programs/log-controller.ts';
import type { Perimeter } from '../programs/perimeter.ts';
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
    await searched(perimeter);
    return proven(
      `openssl at ${controllerAt} found in each edge what it had stored; sallyport logs found both in one search`,
    );
  },
};

/** As an operator asks: a scenario that both edges show to trace, and one search over both. */
async function searched(perimeter: Perimeter): Promise<void> {
  const controller = await LogController.start(perimeter);
  try {
    const started = await controller.logs('start', 'Federation', '--for', '1m');
    assert.equal(started.match(/an event was traced and found/g)?.length, edgeNames.length, started);
    const traces = edgeNames.map((edge) => `proof-search-${edge}`);
    const found = await controller.logs('search', '--json', '--last', '1h', '--trace', ...traces);
    const nodes = found
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { node: string }).node);
    assert.deepEqual(nodes.toSorted(), edgeNames.map((edge) => names[edge]).toSorted());
    await controller.logs('stop', 'Federation');
  } finally {
    await controller.stop();
  }
}
