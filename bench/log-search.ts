import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { searchQuery } from '#protocols/log-query';
import { search } from '../src/edge/logging-agent/store/search.ts';
import { callId, callOf, logEvent } from './lib/log-events.ts';
import { ingest, openLogStore } from './lib/log-stores.ts';
import { whole } from './lib/report.ts';

/*
 * One Call-ID among many events, ten million when no number is given: node bench/log-search.ts [EVENTS]. Needs about 1.2 kB
 * of disk an event in the folder for temporary files.
 */
const events = Number(process.argv[2] ?? 10_000_000);
const CHUNK = 20_000;

const folder = mkdtempSync(join(tmpdir(), 'sallyport-log-search-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
process.once('SIGINT', () => process.exit(1));

const store = openLogStore(folder);
const begun = performance.now();
for (let first = 1; first <= events; first += CHUNK) {
  const count = Math.min(CHUNK, events + 1 - first);
  ingest(
    store,
    Array.from({ length: count }, (_, at) => logEvent(first + at)),
  );
  if ((first - 1) % 1_000_000 === 0) process.stdout.write(`${whole(first - 1)} events\n`);
}
const seconds = (performance.now() - begun) / 1000;
process.stdout.write(
  `${whole(events)} events in ${store.segments.length} segments, ${whole(events / seconds)} a second\n`,
);

function find(what: string, query: Parameters<typeof searchQuery.parse>[0]): void {
  const from = performance.now();
  const hits = search(store, searchQuery.parse(query));
  let step = hits.next();
  while (step.done !== true) step = hits.next();
  const { events: found, segments } = step.value;
  const took = (performance.now() - from).toFixed(0);
  process.stdout.write(
    `${what}: ${found} events, ${segments.opened} of ${segments.all} segments opened, ${took} ms\n`,
  );
}
for (const share of [0.1, 0.5, 0.99]) {
  const wanted = callId(callOf(Math.floor(events * share)));
  find(`the Call-ID at ${share * 100} %`, { keys: { callId: [wanted] } });
}
find('a Call-ID that is nowhere', { keys: { callId: ['nowhere@192.0.2.1'] } });
find('a piece of text with whole words', { text: [`Call-ID: ${callId(callOf(events >> 1))}`] });
store.close();
