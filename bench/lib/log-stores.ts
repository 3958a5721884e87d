import { rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { SystemClock, SystemRandom } from '#kernel';
import { silentLog } from '#platform/telemetry';
import type { LogEvent } from '#protocols/log-query';
import { LogStore } from '../../src/edge/logging-agent/store/log-store.ts';

/** So many events in one transaction, on both sides. */
const BATCH = 2000;

export function openLogStore(folder: string): LogStore {
  const store = LogStore.open({
    folder,
    settings: { segmentBytes: 256_000_000, segmentMs: 3_600_000, retentionMs: 1e15, diskPercent: 97 },
    clock: new SystemClock(),
    random: new SystemRandom(),
    log: silentLog(),
  });
  if (!store.ok) throw new Error(store.error.message);
  return store.value;
}

/** Takes events from `from` on. */
export function ingest(store: LogStore, events: readonly LogEvent[]): void {
  for (let at = 0; at < events.length; at += BATCH) {
    const stored = store.append(events.slice(at, at + BATCH));
    if (!stored.ok) throw new Error(stored.error.message);
    store.tend();
  }
}

/** The same texts into a bare full-text table as SQLite makes it when nothing is said about it. */
export function ingestBare(file: string, events: readonly LogEvent[]): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true });
  const database = new DatabaseSync(file);
  database.exec(
    'PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; CREATE VIRTUAL TABLE bare USING fts5(text)',
  );
  const insert = database.prepare('INSERT INTO bare (text) VALUES (?)');
  for (let at = 0; at < events.length; at += BATCH) {
    database.exec('BEGIN');
    for (const event of events.slice(at, at + BATCH)) insert.run(event.text);
    database.exec('COMMIT');
  }
  database.close();
}
