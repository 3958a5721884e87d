import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { edgeNames } from '../network/addresses.ts';
import { names } from '../programs/documents.ts';
import { LogController } from '../programs/log-controller.ts';
import type { Perimeter } from '../programs/perimeter.ts';
import { controllerAt, mark, proven, withEdge } from './logging.ts';
import type { RowProof } from './row.ts';

const PATIENCE_MS = 60_000;

/** Collection: segments are listed and copied, and events come while they are stored. */
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
    await collected(perimeter);
    return proven(
      `openssl at ${controllerAt} saw events of both edges as they were stored; sallyport logs followed them, and copied all segments of both`,
    );
  },
};

/** As an operator does it: one follow of both edges, and a copy of what they have. */
async function collected(perimeter: Perimeter): Promise<void> {
  const controller = await LogController.start(perimeter);
  const followed = controller.follow('--provider', 'LoggingAgent');
  try {
    const seen = (round: number) =>
      edgeNames.every((edge) =>
        followed.lines.some((line) => line.includes(`proof-operator-${round}-${edge}`)),
      );
    // What was stored before the follow began is not in it; one of these comes after.
    const deadline = performance.now() + PATIENCE_MS;
    for (let round = 1; ; round++) {
      await mark(perimeter, `proof-operator-${round}`);
      if (seen(round)) break;
      assert.ok(followed.running, followed.said);
      assert.ok(performance.now() < deadline, `the follow showed nothing of both edges: ${followed.said}`);
    }
    const folder = perimeter.files.path('evidence');
    await controller.logs('export', folder);
    for (const edge of edgeNames) {
      const texts = readdirSync(folder)
        .filter((file) => file.startsWith(`${names[edge]}-`))
        .map((file) => readFileSync(`${folder}/${file}`, 'utf8'));
      assert.ok(
        texts.some((text) => text.includes(`proof-operator-1-${edge}`)),
        `the copy of ${edge} has its marker`,
      );
    }
  } finally {
    await followed.stop();
    await controller.stop();
  }
}
