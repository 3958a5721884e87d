import { chmodSync, closeSync, openSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { keyNames, type LogEvent, readEvent } from '#protocols/log-query';
import { KEY_TOKEN, keyToken } from './key-filter.ts';
import { databaseFile, type SegmentFacts, segmentBytes } from './segment-files.ts';

/**
 * Events by their number; an index of their time; and an index of the words of their texts and of their keys (as
 * `keyToken`), which holds neither texts nor places, since every hit is read and looked at anyway. For the same reason one
 * row of it is for a few events that follow one another: they are mostly of one call, whose words are then taken in once. The row has the
 * number of the first of them; how many a row may be for stands in the file as `user_version`.
 */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS event (id INTEGER PRIMARY KEY, time INTEGER NOT NULL, json TEXT NOT NULL) STRICT;
  CREATE INDEX IF NOT EXISTS event_time ON event (time);
  CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(
    text, content='', detail=none, columnsize=0, tokenize='unicode61 remove_diacritics 0');`;

/** Events of a row of words: with 16 it costs 0.65 of what a row for each does, with 32 hardly less. */
const ROW_EVENTS = 16;
const BUSY_MS = 5000;
const CACHE_KIB = 32_768;
/** A batch of events is a few hundred KiB in a row: with SQLite's usual 4096 a commit took half as long again. */
const PAGE_BYTES = 16_384;

/** Words first: left to itself SQLite walks through all events, and searches the words for each (seconds). */
export const IDS_WITH_WORDS = `
  SELECT DISTINCT id, time FROM words CROSS JOIN event ON id BETWEEN words.rowid AND words.rowid + ?
  WHERE words MATCH ? AND +time >= ? AND +time < ? ORDER BY time, id`;

/** Milliseconds since 1970; `to` is not in it. */
export interface TimeWindow {
  readonly from: number;
  readonly to: number;
}

export interface StoredEvent {
  readonly id: number;
  readonly json: string;
}

/** One database file of events. Throws what the disk or a damaged file makes SQLite throw. */
export class Segment {
  readonly first: number;
  readonly #folder: string;
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #rowEvents: number;
  #facts: SegmentFacts;

  private constructor(folder: string, first: number, database: DatabaseSync, facts?: SegmentFacts) {
    this.#folder = folder;
    this.first = first;
    this.#database = database;
    // One of a version before had a row for each.
    this.#rowEvents = Math.max(1, Number(database.prepare('PRAGMA user_version').get()?.user_version ?? 0));
    this.#facts = facts ?? this.#count();
  }

  /** For writing, made when it is absent. What a crash left half-written is rolled back by SQLite itself. */
  static open(folder: string, first: number): Segment {
    const file = databaseFile(folder, first);
    closeSync(openSync(file, 'a', 0o600));
    chmodSync(file, 0o600);
    const database = new DatabaseSync(file, { timeout: BUSY_MS });
    try {
      // A process that is killed loses nothing that was committed; a host that loses power, the last moments.
      database.exec(
        `PRAGMA page_size=${PAGE_BYTES}; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-${CACHE_KIB};`,
      );
      const isNew = database.prepare('SELECT 1 FROM sqlite_schema').get() === undefined;
      if (isNew) database.exec(`PRAGMA user_version=${ROW_EVENTS}`);
      database.exec(SCHEMA);
      return new Segment(folder, first, database);
    } catch (error) {
      database.close();
      throw error;
    }
  }
  /** For reading, beside the one that writes it or when none does. */
  static read(folder: string, facts: SegmentFacts): Segment {
    const database = new DatabaseSync(databaseFile(folder, facts.first), {
      timeout: BUSY_MS,
      readOnly: true,
    });
    return new Segment(folder, facts.first, database, facts);
  }

  get facts(): SegmentFacts {
    return this.#facts;
  }

  /** All of them or none; `id` is the sequence of each, above all that are there. */
  append(events: readonly LogEvent[]): void {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const store = this.#prepare('INSERT INTO event (id, time, json) VALUES (?, ?, ?)');
      for (const event of events) store.run(event.sequence, event.time, JSON.stringify(event));
      this.#index(events);
      this.#database.exec('COMMIT');
    } catch (error) {
      // The disk may refuse this too; the transaction is gone then already.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
    this.#facts = this.#grown(events);
  }

  /**
   * Ids of the events of a window in the order of their time; with words, of all that share a row with one that has them, or
   * stand right behind it.
   */
  ids(window: TimeWindow, words: string | undefined): number[] {
    const rows =
      words === undefined
        ? this.#prepare('SELECT id FROM event WHERE time >= ? AND time < ? ORDER BY time, id').all(
            window.from,
            window.to,
          )
        : this.#prepare(IDS_WITH_WORDS).all(this.#rowEvents - 1, words, window.from, window.to);
    return rows.map((row) => Number(row.id));
  }
  /** For what no word leads to: of so many events behind a number those whose JSON has the pattern of LIKE. */
  idsLike(window: TimeWindow, pattern: string, after: number, most: number): number[] {
    const rows = this.#prepare(
      'SELECT id FROM event WHERE id > ? AND id <= ? AND time >= ? AND time < ? AND json LIKE ?',
    ).all(after, after + most, window.from, window.to, pattern);
    return rows.map((row) => Number(row.id));
  }
  /** In the order of their time. */
  sorted(ids: readonly number[]): number[] {
    const time = this.#prepare('SELECT time FROM event WHERE id = ?');
    const timed = ids.map((id) => ({ id, time: Number(time.get(id)?.time ?? 0) }));
    return timed.sort((one, other) => one.time - other.time || one.id - other.id).map(({ id }) => id);
  }
  json(id: number): string | undefined {
    const row = this.#prepare('SELECT json FROM event WHERE id = ?').get(id);
    return row === undefined ? undefined : String(row.json);
  }
  /** In the order in which they were taken, behind a number. */
  after(id: number, most: number): StoredEvent[] {
    const rows = this.#prepare('SELECT id, json FROM event WHERE id > ? ORDER BY id LIMIT ?').all(id, most);
    return rows.map((row) => ({ id: Number(row.id), json: String(row.json) }));
  }

  /** Every key in it, as tokens, out of the index. */
  keyTokens(): string[] {
    this.#database.exec('CREATE VIRTUAL TABLE IF NOT EXISTS temp.terms USING fts5vocab(main, words, row)');
    const rows = this.#prepare('SELECT term FROM temp.terms WHERE term >= ? AND term < ?').all('zk', 'zl');
    return rows.map((row) => String(row.term)).filter((term) => KEY_TOKEN.test(term));
  }

  /** Everything committed is in the file itself, on the disk. */
  sync(): void {
    this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    this.#facts = { ...this.#facts, bytes: segmentBytes(this.#folder, this.first) };
  }
  close(): void {
    this.#statements.clear();
    if (this.#database.isOpen) this.#database.close();
  }

  #index(events: readonly LogEvent[]): void {
    const index = this.#prepare('INSERT INTO words (rowid, text) VALUES (?, ?)');
    let words = '';
    let first: number | undefined;
    for (const event of events) {
      if (first !== undefined && event.sequence >= first + this.#rowEvents) {
        index.run(first, words);
        words = '';
        first = undefined;
      }
      first ??= event.sequence;
      words += `${indexedText(event)}\n`;
    }
    if (first !== undefined) index.run(first, words);
  }

  #count(): SegmentFacts {
    const row = this.#database
      .prepare(
        'SELECT count(*) AS events, max(id) AS last, min(time) AS oldest, max(time) AS newest FROM event',
      )
      .get();
    return {
      first: this.first,
      last: Number(row?.last ?? this.first - 1),
      from: Number(row?.oldest ?? 0),
      to: Number(row?.newest ?? 0),
      events: Number(row?.events ?? 0),
      bytes: segmentBytes(this.#folder, this.first),
    };
  }
  #grown(events: readonly LogEvent[]): SegmentFacts {
    let { from, to, last } = this.#facts;
    const empty = this.#facts.events === 0;
    for (const [at, event] of events.entries()) {
      from = empty && at === 0 ? event.time : Math.min(from, event.time);
      to = empty && at === 0 ? event.time : Math.max(to, event.time);
      last = event.sequence;
    }
    const bytes = segmentBytes(this.#folder, this.first);
    return { first: this.first, last, from, to, events: this.#facts.events + events.length, bytes };
  }
  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}

/** One that this program stored; undefined when the file was changed by somebody else. */
export function eventIn(json: string): LogEvent | undefined {
  try {
    return readEvent(JSON.parse(json));
  } catch {
    return undefined;
  }
}

/** Tokens made lately: keys come again with every message of a call. */
const MOST_TOKENS = 20_000;
const made = new Map<string, Map<string, string>>();

function tokenOf(name: string, value: string): string {
  let tokens = made.get(name);
  if (tokens === undefined) {
    tokens = new Map();
    made.set(name, tokens);
  }
  const known = tokens.get(value);
  if (known !== undefined) return known;
  if (tokens.size >= MOST_TOKENS) tokens.clear();
  const token = keyToken(name, value);
  tokens.set(value, token);
  return token;
}

function indexedText({ text, body, keys }: LogEvent): string {
  let indexed = body === undefined ? text : `${text}\n${body}`;
  for (const name of keyNames) {
    const values = keys[name];
    if (values !== undefined) for (const value of values) indexed += ` ${tokenOf(name, value)}`;
  }
  return indexed;
}
