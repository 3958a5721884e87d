import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock, Failure } from '#kernel';
import type { Log } from '#platform/telemetry';
import type { Intake } from '../intake/intake.ts';
import type { LogStore } from '../store/log-store.ts';
import { search } from '../store/search.ts';
import { EventBatch } from './batch.ts';
import type { PortRequest, Reply } from './session.ts';

/** So long a search may keep the process from everything else. Milliseconds. */
const SLICE_MS = 15;

export interface SearchParts {
  readonly store: LogStore;
  readonly intake: Intake;
  readonly clock: Clock;
  readonly log: Log;
}

/** Port row int-10: one query in, its events out in the order of their time, and what the search did. */
export async function answerSearch(
  request: PortRequest & { type: 'search' },
  reply: Reply,
  { store, intake, clock, log }: SearchParts,
): Promise<Failure | undefined> {
  const { id, query } = request;
  intake.flush();
  const batch = new EventBatch();
  const hits = search(store, query, (first, problem) =>
    log.error('segment cannot be searched', { code: 'SLP-LOG-0005', first, problem }),
  );
  let found = 0;
  let begun = clock.now();
  try {
    for (let step = hits.next(); ; step = hits.next()) {
      if (step.done === true) {
        if (batch.size > 0) await reply.events(batch.take());
        await reply.send({ type: 'found', id, ...step.value });
        return undefined;
      }
      if (reply.signal.aborted) break;
      if (step.value !== undefined) {
        const json = JSON.stringify(step.value);
        found += 1;
        if (batch.full(json)) await reply.events(batch.take());
        batch.add(json);
      }
      if (clock.now() - begun < SLICE_MS) continue;
      if (batch.size > 0) await reply.events(batch.take());
      await nextTurn();
      begun = clock.now();
    }
  } finally {
    hits.return({ events: found, more: true, segments: { all: 0, opened: 0 } });
  }
  const all = store.segments.length;
  await reply.send({ type: 'found', id, events: found, more: true, segments: { all, opened: 0 } });
  return undefined;
}
