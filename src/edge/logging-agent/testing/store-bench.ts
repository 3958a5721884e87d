import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { ManualClock, SeededRandom } from '#kernel';
import { type MemoryLog, memoryLog } from '#platform/telemetry';
import type { LogEvent, SearchQueryInput } from '#protocols/log-query';
import { searchQuery } from '#protocols/log-query';
import { LogStore, type StoreSettings } from '../store/log-store.ts';
import { type SearchSummary, search } from '../store/search.ts';

export const SETTINGS: StoreSettings = {
  segmentBytes: 1 << 30,
  segmentMs: 3_600_000,
  retentionMs: 1e15,
  diskPercent: 100,
};

export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'logging-agent-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface StoreBench {
  readonly store: LogStore;
  readonly folder: string;
  readonly clock: ManualClock;
  readonly log: MemoryLog;
  /** Percent of the volume in use; 'gone': nobody can say. */
  used: number | 'gone';
}

/** A store on a clock that stands still, in a folder of its own or in one that was used before. */
export function openStore(
  t: TestContext,
  settings: Partial<StoreSettings> = {},
  folder = temporaryFolder(t),
): StoreBench {
  const clock = new ManualClock();
  const log = memoryLog();
  const parts = { folder, clock, log, used: 20 as StoreBench['used'] };
  const store = LogStore.open({
    folder,
    settings: { ...SETTINGS, ...settings },
    clock,
    random: new SeededRandom(1),
    log,
    usedPercent: () => {
      if (bench.used === 'gone') throw new Error('EIO: i/o error, statfs');
      return bench.used;
    },
  });
  if (!store.ok) throw new Error(store.error.message);
  const bench: StoreBench = { ...parts, store: store.value };
  t.after(() => store.value.close());
  return bench;
}

/** Everything that a query finds, and what the search did. */
export function searchAll(
  store: LogStore,
  query: SearchQueryInput,
  onDamaged?: (first: number, problem: string) => void,
  between: () => void = () => {},
): { readonly events: LogEvent[]; readonly summary: SearchSummary } {
  const events: LogEvent[] = [];
  const hits = search(store, searchQuery.parse(query), onDamaged);
  for (;;) {
    const step = hits.next();
    if (step.done === true) return { events, summary: step.value };
    if (step.value === undefined) continue;
    events.push(step.value);
    between();
  }
}
