import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  compareEvents,
  keyNames,
  type LogEvent,
  matches,
  type SearchQueryInput,
  searchQuery,
} from '#protocols/log-query';
import { anyEvent, sampleEvent } from '../../../protocols/log-query/testing/events.ts';
import { openStore, searchAll, temporaryFolder } from '../testing/store-bench.ts';
import { KeyFilter, keyToken } from './key-filter.ts';
import { IDS_WITH_WORDS, Segment } from './segment.ts';
import { databaseFile } from './segment-files.ts';

const WRITER = join(import.meta.dirname, '..', 'testing', 'writer.ts');

/** Events as the agent numbers them. */
function numbered(next: number, events: readonly LogEvent[]): LogEvent[] {
  return events.map((event, at) => ({ ...event, sequence: next + at }));
}
function numbersOf(events: readonly LogEvent[]): number[] {
  return events.map((event) => event.sequence);
}

const anyQuery: fc.Arbitrary<SearchQueryInput> = fc.record(
  {
    from: fc.integer({ min: 995, max: 1045 }),
    to: fc.integer({ min: 995, max: 1045 }),
    level: fc.constantFrom('error' as const, 'info' as const),
    services: fc.constantFrom(['access'], []),
    match: fc.constantFrom('any' as const, 'all' as const),
    keys: fc.record(
      Object.fromEntries(
        keyNames
          .slice(0, 3)
          .map((name) => [name, fc.array(fc.constantFrom('a', 'b', 'z'), { maxLength: 2 })]),
      ),
      { requiredKeys: [] },
    ),
    text: fc.subarray(
      [
        'alice',
        'LICE c',
        ' hangs',
        'b hang',
        'bob HANGS up',
        'ice calls',
        'ünï',
        'zzz',
        'İ  x',
        '%a_',
        'v=0',
        'hel',
      ],
      { maxLength: 2 },
    ),
  },
  { requiredKeys: [] },
);

test('whatever the index does, a search finds what the definition says, in time order, over all segments', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.array(anyEvent, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 4 }),
      fc.array(anyQuery, { minLength: 1, maxLength: 4 }),
      (batches, queries) => {
        const { store } = openStore(t, { segmentBytes: 1 });
        const stored: LogEvent[] = [];
        for (const batch of batches) {
          const events = numbered(store.next, batch).map((event) => ({ ...event, node: 'edge1' }));
          assert.equal(store.append(events).ok, true);
          stored.push(...events);
          store.tend();
        }
        assert.equal(store.segments.length, batches.length + 1);
        for (const query of queries) {
          const wanted = stored
            .filter((event) => matches(searchQuery.parse(query), event))
            .sort(compareEvents);
          assert.deepEqual(
            numbersOf(searchAll(store, query).events),
            numbersOf(wanted),
            JSON.stringify(query),
          );
        }
      },
    ),
    { numRuns: 40 },
  );
});

test('a search opens the segments that its keys point to, and no others', (t) => {
  const { store } = openStore(t, { segmentBytes: 1 });
  for (let call = 0; call < 12; call++) {
    const keys = { callId: [`call-${call}`], uri: ['alice@example.com'] };
    store.append(numbered(store.next, [sampleEvent({ time: 1000 + call, keys })]));
    store.tend();
  }
  const found = searchAll(store, { keys: { callId: ['call-3'] } });
  assert.deepEqual(found.summary, { events: 1, more: false, segments: { all: 12, opened: 1 } });
  assert.equal(searchAll(store, { from: 1004, to: 1006 }).summary.segments.opened, 2);
  assert.equal(searchAll(store, { keys: { callId: ['nowhere'] } }).summary.segments.opened, 0);
  const all = searchAll(store, { match: 'all', keys: { callId: ['call-3'], uri: ['alice@example.com'] } });
  assert.deepEqual(all.summary.segments, { all: 12, opened: 1 });
});

test('events that share a row of the word index are found apart, in the files of a version before as well', (t) => {
  for (const version of [undefined, 0]) {
    const { store: made, folder } = openStore(t);
    made.close();
    if (version !== undefined) {
      const database = new DatabaseSync(databaseFile(folder, 1));
      database.exec(`PRAGMA user_version=${version}`);
      database.close();
    }
    const { store } = openStore(t, {}, folder);
    let number = 0;
    for (const size of [1, 15, 16, 17, 50]) {
      const events = Array.from({ length: size }, (_, at) =>
        sampleEvent({ time: 5000 - number - at, text: `said n${number + at}n to all`, keys: {} }),
      );
      // Numbers may have gaps.
      store.append(
        numbered(store.next, events).map((event, at) => ({ ...event, sequence: event.sequence + at * 3 })),
      );
      number += size;
    }
    assert.equal(number, 99);
    for (let at = 0; at < number; at++) {
      const { events } = searchAll(store, { text: [` n${at}n `] });
      assert.deepEqual(
        events.map(({ time }) => time),
        [5000 - at],
      );
    }
    assert.equal(searchAll(store, { text: [' to a'] }).events.length, number);
  }
});

test('a search for words begins with the index of words, and goes from there to events by their number', (t) => {
  const folder = temporaryFolder(t);
  const segment = Segment.open(folder, 1);
  t.after(() => segment.close());
  segment.append(
    numbered(
      1,
      Array.from({ length: 200 }, (_, at) => sampleEvent({ time: 1_000 + at })),
    ),
  );
  const database = new DatabaseSync(databaseFile(folder, 1), { readOnly: true });
  t.after(() => database.close());
  const plan = (statement: string) =>
    database
      .prepare(`EXPLAIN QUERY PLAN ${statement}`)
      .all(15, '"alice"', 0, 2_000)
      .map((row) => String(row.detail))
      .filter((step) => /\b(?:words|event)\b/.test(step));
  const [first, second, ...more] = plan(IDS_WITH_WORDS);
  assert.match(first ?? '', /^SCAN words VIRTUAL TABLE/);
  assert.match(second ?? '', /^SEARCH event USING INTEGER PRIMARY KEY \(rowid>\? AND rowid<\?\)$/);
  assert.deepEqual(more, []);
});

test('of more than the limit the oldest are given, and it is said that there are more', (t) => {
  const { store } = openStore(t);
  const events = Array.from({ length: 10 }, (_, at) => sampleEvent({ time: 1000 - at }));
  store.append(numbered(1, events));
  const { events: found, summary } = searchAll(store, { limit: 4 });
  assert.deepEqual(numbersOf(found), [10, 9, 8, 7]);
  assert.equal(summary.more, true);
  assert.equal(searchAll(store, { limit: 10 }).summary.more, false);
});

test('a key filter never denies what is there, and rarely claims what is not', () => {
  const tokens = Array.from({ length: 5000 }, (_, at) => keyToken('callId', `there-${at}`));
  const filter = KeyFilter.of(tokens);
  assert.ok(tokens.every((token) => filter.mayHave(token)));
  const wrong = tokens.filter((_, at) => filter.mayHave(keyToken('callId', `not-there-${at}`)));
  assert.ok(wrong.length < 100, `${wrong.length} of 5000`);
});

test('only its owner reads what is stored', (t) => {
  const { store, folder } = openStore(t, { segmentBytes: 1 });
  store.append(numbered(1, [sampleEvent()]));
  store.tend();
  for (const name of readdirSync(folder)) {
    assert.equal(statSync(join(folder, name)).mode & 0o077, 0, name);
  }
});

test('a segment is sealed when it is large or old; numbers go on, also after a restart', (t) => {
  const { store, folder, clock } = openStore(t, { segmentMs: 60_000, segmentBytes: 1_000_000 });
  store.append(numbered(1, [sampleEvent()]));
  clock.advance(59_999);
  store.tend();
  assert.equal(store.segments.length, 1);
  clock.advance(1);
  store.tend();
  assert.equal(store.segments.length, 2);
  store.append(
    numbered(
      store.next,
      Array.from({ length: 3000 }, () => sampleEvent()),
    ),
  );
  store.tend();
  assert.equal(store.segments.length, 3);
  assert.equal(store.next, 3002);
  store.close();
  const { store: again } = openStore(t, {}, folder);
  assert.equal(again.id, store.id);
  assert.equal(again.next, 3002);
  assert.equal(searchAll(again, { limit: 10_000 }).events.length, 3001);
});

test('segments that are too old are deleted, and the oldest while the disk is too full', (t) => {
  const bench = openStore(t, { segmentBytes: 1, retentionMs: 86_400_000, diskPercent: 80 });
  const { store, clock } = bench;
  const day = (number: number) => clock.wall() - number * 86_400_000;
  for (const time of [day(3), day(2), day(0.5), day(0.4), day(0.3)]) {
    store.append(numbered(store.next, [sampleEvent({ time })]));
    store.tend();
  }
  clock.advance(10_000);
  store.tend();
  assert.deepEqual(numbersOf(searchAll(store, {}).events), [3, 4, 5]);
  bench.used = 81;
  clock.advance(10_000);
  store.tend();
  assert.deepEqual(numbersOf(searchAll(store, {}).events), []);
  const refused = store.append(numbered(store.next, [sampleEvent()]));
  assert.equal(refused.ok ? '' : refused.error.code, 'SLP-LOG-0004');
  bench.used = 79;
  clock.advance(10_000);
  store.tend();
  assert.equal(store.append(numbered(store.next, [sampleEvent()])).ok, true);
});

test('a search goes on when its segments are deleted meanwhile', (t) => {
  const { store, clock } = openStore(t, { segmentBytes: 1, retentionMs: 15_000 });
  const time = clock.wall();
  store.append(numbered(1, [sampleEvent({ time }), sampleEvent({ time })]));
  store.tend();
  // Searches of the adapter are driven step by step in the same way.
  const { events } = searchAll(store, {}, undefined, () => {
    clock.advance(20_000);
    store.tend();
  });
  assert.equal(events.length, 2);
  assert.equal(store.segments.length, 1);
});

test('a process that is killed in the middle of writing leaves segments that can be read', async (t) => {
  const folder = temporaryFolder(t);
  for (let round = 0; round < 5; round++) {
    const writer = spawn(process.execPath, [WRITER, folder, '300000'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    writer.stdout.on('data', (bytes: Buffer) => {
      said += bytes.toString();
      // It writes without end; somewhere in the middle of it.
      if (said.split('\n').length > 5 + 3 * round) writer.kill('SIGKILL');
    });
    await once(writer, 'close');
    const confirmed = Number(said.split('\n').at(-2));
    const { store } = openStore(t, {}, folder);
    const found = searchAll(store, { limit: 1_000_000 }, (first, problem) =>
      assert.fail(`${first}: ${problem}`),
    );
    assert.ok(store.next > confirmed, `${store.next - 1} are there, ${confirmed} were confirmed`);
    assert.deepEqual(
      numbersOf(found.events),
      Array.from({ length: store.next - 1 }, (_, at) => at + 1),
    );
    store.close();
  }
});

test('a disk that is full refuses a batch as a whole, and what was there stays', async (t) => {
  const folder = temporaryFolder(t);
  // No file may grow beyond 400 KiB: the same answers to writes as a full disk.
  const script = `trap '' XFSZ; ulimit -f 400; exec "$0" "$@"`;
  const writer = spawn('bash', ['-c', script, process.execPath, WRITER, folder, '1000000000'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  for await (const bytes of writer.stdout) said += String(bytes);
  const lines = said.trim().split('\n');
  assert.match(lines.at(-1) ?? '', /^SLP-LOG-0003 .*logging-agent-/);
  const { store } = openStore(t, {}, folder);
  assert.equal(store.next - 1, Number(lines.at(-2)));
  assert.equal(searchAll(store, { limit: 1_000_000 }).events.length, store.next - 1);
  assert.equal(store.append(numbered(store.next, [sampleEvent()])).ok, true);
});

test('a damaged segment costs what it held and nothing else', (t) => {
  const { store, folder } = openStore(t, { segmentBytes: 1 });
  for (let at = 0; at < 3; at++) {
    store.append(
      numbered(
        store.next,
        Array.from({ length: 50 }, () => sampleEvent()),
      ),
    );
    store.tend();
  }
  const [one, two, , open] = store.segments.map((segment) => segment.first);
  truncateSync(databaseFile(folder, one!), 5000);
  writeFileSync(databaseFile(folder, two!), 'no database, no database, no database'.repeat(400));
  const damaged: number[] = [];
  const found = searchAll(store, {}, (first) => damaged.push(first));
  assert.deepEqual(damaged, [one, two]);
  assert.equal(found.events.length, 50);
  store.close();
  writeFileSync(databaseFile(folder, open!), 'no database');
  const { store: again, log } = openStore(t, {}, folder);
  assert.ok(again.next > open!, 'a number is never given twice');
  assert.ok(readFileSync(`${databaseFile(folder, open!)}.damaged`, 'utf8').startsWith('no database'));
  assert.deepEqual(
    log.lines.map((line) => line.code),
    ['SLP-LOG-0005'],
  );
});

test('a segment that cannot be sealed stays readable, and the next one takes what comes', (t) => {
  const { store, folder, log } = openStore(t, { segmentBytes: 1 });
  // The place of the seal is taken.
  const taken = `${databaseFile(folder, 1).replace(/db$/, 'seal')}.new`;
  mkdirSync(taken);
  for (let at = 0; at < 3; at++) {
    assert.equal(store.append(numbered(store.next, [sampleEvent()])).ok, true);
    store.tend();
  }
  assert.equal(log.lines.filter((line) => line.event === 'segment cannot be sealed').length, 1);
  assert.deepEqual(numbersOf(searchAll(store, {}).events), [1, 2, 3]);
  store.close();
  rmdirSync(taken);
  const again = openStore(t, {}, folder);
  assert.deepEqual(numbersOf(searchAll(again.store, {}).events), [1, 2, 3]);
  assert.ok(readdirSync(folder).includes('segment-0000000000000001.seal'));
});

test('a volume that went away is told of, and ends nothing; when it is back its ceiling counts again', (t) => {
  const bench = openStore(t, { diskPercent: 80 });
  const { store, clock, log } = bench;
  store.tend();
  bench.used = 'gone';
  clock.advance(60_000);
  store.tend();
  const told = log.lines.filter(({ event }) => event === 'old segments cannot be deleted');
  assert.equal(told[0]?.problem, 'EIO: i/o error, statfs');
  assert.equal(store.diskPercent, 20);
  assert.ok(store.append(numbered(store.next, [sampleEvent()])).ok);
  bench.used = 90;
  clock.advance(60_000);
  store.tend();
  bench.used = 'gone';
  const refused = store.append(numbered(store.next, [sampleEvent()]));
  assert.match(refused.ok ? '' : refused.error.message, /90 % of the volume in use/);
});
