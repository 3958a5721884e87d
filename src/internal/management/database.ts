import { err, type Result } from '#kernel';
import { type Row, Store } from '#platform/store';
import type { Scope } from './scopes.ts';

const MIGRATIONS = [
  `
  CREATE TABLE revision (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    scope TEXT NOT NULL,
    text TEXT NOT NULL,
    author TEXT NOT NULL,
    at INTEGER NOT NULL,
    reason TEXT NOT NULL
  ) STRICT;
  CREATE INDEX revision_scope ON revision (scope, id);
  CREATE TABLE published (
    edge TEXT NOT NULL,
    version INTEGER NOT NULL,
    hash TEXT NOT NULL,
    link TEXT NOT NULL,
    signature TEXT NOT NULL,
    manifest TEXT NOT NULL,
    PRIMARY KEY (edge, version)
  ) STRICT;
  CREATE TABLE entry (sha256 TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
  CREATE TABLE box (
    secret TEXT NOT NULL,
    edge TEXT NOT NULL,
    recipient TEXT NOT NULL,
    sha256 TEXT NOT NULL REFERENCES entry (sha256),
    PRIMARY KEY (secret, edge, recipient)
  ) STRICT;
  CREATE TABLE secret (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('next', 'current', 'previous')),
    created INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE edge (
    name TEXT PRIMARY KEY,
    sealing_key TEXT,
    report TEXT,
    reported INTEGER,
    tried INTEGER,
    problem TEXT
  ) STRICT;
  CREATE TABLE fact (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  `,
];

export interface Revision {
  readonly id: number;
  readonly scope: Scope;
  readonly text: string;
  /** The operating system's user. */
  readonly author: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly reason: string;
}

export interface Published {
  readonly edge: string;
  readonly version: number;
  readonly hash: string;
  readonly link: string;
  readonly signature: string;
  readonly manifest: string;
}

export interface Secret {
  readonly name: string;
  readonly value: Uint8Array;
  /** `next`: known to the edges, and not used yet. */
  readonly state: 'next' | 'current' | 'previous';
  readonly created: number;
}

export interface EdgeRecord {
  readonly name: string;
  /** Pinned at the first contact. */
  readonly sealingKey: string | undefined;
  /** The last report, JSON. */
  readonly report: string | undefined;
  readonly reported: number | undefined;
  readonly tried: number | undefined;
  /** JSON of what went wrong last; absent when nothing did. */
  readonly problem: string | undefined;
}

/** Everything that the management store remembers, typed. */
export class Database {
  readonly store: Store;

  private constructor(store: Store) {
    this.store = store;
  }
  static readonly NEWEST_SCHEMA = MIGRATIONS.length;
  /** The schema that a file has, before anything is done to it. */
  static schemaOf(file: string): Result<number> {
    return Store.schemaOf(file);
  }
  static open(file: string): Result<Database> {
    // An edge may run a version a moment after it was published. A store that lost it with the power would give the
    // same number to another one, and the edge would rightly call that a fork.
    const store = Store.open({ file, migrations: MIGRATIONS, durability: 'commit' });
    return store.ok ? { ok: true, value: new Database(store.value) } : err(store.error);
  }
  close(): void {
    this.store.close();
  }

  revise(revision: Omit<Revision, 'id'>): void {
    const { scope, text, author, at, reason } = revision;
    this.store
      .command('INSERT INTO revision (scope, text, author, at, reason) VALUES (?, ?, ?, ?, ?)')
      .run(scope, text, author, at, reason);
  }
  /** The newest text of every scope. */
  latest(): Revision[] {
    return this.store
      .query('SELECT * FROM revision WHERE id IN (SELECT max(id) FROM revision GROUP BY scope)', toRevision)
      .all();
  }
  revision(id: number): Revision | undefined {
    return this.store.query('SELECT * FROM revision WHERE id = ?', toRevision).one(id);
  }
  history(scope: Scope | undefined, limit: number): Revision[] {
    return scope === undefined
      ? this.store.query('SELECT * FROM revision ORDER BY id DESC LIMIT ?', toRevision).all(limit)
      : this.store
          .query('SELECT * FROM revision WHERE scope = ? ORDER BY id DESC LIMIT ?', toRevision)
          .all(scope, limit);
  }

  publish(one: Published): void {
    const { edge, version, hash, link, signature, manifest } = one;
    this.store
      .command(
        'INSERT INTO published (edge, version, hash, link, signature, manifest) VALUES (?, ?, ?, ?, ?, ?)',
      )
      .run(edge, version, hash, link, signature, manifest);
  }
  newest(edge: string): Published | undefined {
    return this.store
      .query('SELECT * FROM published WHERE edge = ? ORDER BY version DESC LIMIT 1', toPublished)
      .one(edge);
  }
  byHash(edge: string, hash: string): Published | undefined {
    return this.store
      .query('SELECT * FROM published WHERE edge = ? AND hash = ?', toPublished)
      .one(edge, hash);
  }
  /** Newest first; the same version of several edges once. */
  versions(limit: number): { readonly version: number; readonly edges: string[]; readonly one: Published }[] {
    return this.store
      .query(
        "SELECT *, group_concat(edge, ' ') AS edges FROM published GROUP BY version ORDER BY version DESC LIMIT ?",
        (row) => ({
          version: Number(row.version),
          edges: String(row.edges).split(' ').sort(),
          one: toPublished(row),
        }),
      )
      .all(limit);
  }
  /** The first version of an edge whose manifest has two entries of these names. */
  firstListing(edge: string, names: readonly [string, string]): Published | undefined {
    // In a text that somebody wrote the quotes would be escaped.
    const [one, other] = names.map((name) => `"name":${JSON.stringify(name)}`);
    return this.store
      .query(
        'SELECT * FROM published WHERE edge = ? AND instr(manifest, ?) > 0 AND instr(manifest, ?) > 0 ORDER BY version LIMIT 1',
        toPublished,
      )
      .one(edge, one ?? '', other ?? '');
  }
  since(edge: string, version: number): Published[] {
    return this.store
      .query('SELECT * FROM published WHERE edge = ? AND version > ? ORDER BY version', toPublished)
      .all(edge, version);
  }

  keepEntry(sha256: string, bytes: Uint8Array): void {
    this.store.command('INSERT OR IGNORE INTO entry (sha256, bytes) VALUES (?, ?)').run(sha256, bytes);
  }
  entry(sha256: string): Uint8Array | undefined {
    return this.store
      .query('SELECT bytes FROM entry WHERE sha256 = ?', (row) => row.bytes as Uint8Array)
      .one(sha256);
  }
  box(secret: string, edge: string, recipient: string): string | undefined {
    return this.store
      .query('SELECT sha256 FROM box WHERE secret = ? AND edge = ? AND recipient = ?', (row) =>
        String(row.sha256),
      )
      .one(secret, edge, recipient);
  }
  keepBox(secret: string, edge: string, recipient: string, sha256: string): void {
    this.store
      .command('INSERT INTO box (secret, edge, recipient, sha256) VALUES (?, ?, ?, ?)')
      .run(secret, edge, recipient, sha256);
  }

  /** Newest first. */
  secrets(): Secret[] {
    return this.store.query('SELECT * FROM secret ORDER BY created DESC, name DESC', toSecret).all();
  }
  keepSecret({ name, value, state, created }: Secret): void {
    this.store
      .command('INSERT INTO secret (name, value, state, created) VALUES (?, ?, ?, ?)')
      .run(name, value, state, created);
  }
  setSecretState(name: string, state: Secret['state']): void {
    this.store.command('UPDATE secret SET state = ? WHERE name = ?').run(state, name);
  }
  forgetSecret(name: string): void {
    this.store.command('DELETE FROM box WHERE secret = ?').run(name);
    this.store.command('DELETE FROM secret WHERE name = ?').run(name);
  }

  edge(name: string): EdgeRecord | undefined {
    return this.store.query('SELECT * FROM edge WHERE name = ?', toEdge).one(name);
  }
  /** What is left out stays as it is; null removes it. */
  noteEdge(
    name: string,
    change: { [key in Exclude<keyof EdgeRecord, 'name'>]?: EdgeRecord[key] | null },
  ): void {
    this.store.command('INSERT OR IGNORE INTO edge (name) VALUES (?)').run(name);
    const columns = {
      sealingKey: 'sealing_key',
      report: 'report',
      reported: 'reported',
      tried: 'tried',
      problem: 'problem',
    };
    for (const [key, column] of Object.entries(columns)) {
      const value = change[key as keyof typeof columns];
      if (value !== undefined)
        this.store.command(`UPDATE edge SET ${column} = ? WHERE name = ?`).run(value, name);
    }
  }

  fact(key: string): string | undefined {
    return this.store.query('SELECT value FROM fact WHERE key = ?', (row) => String(row.value)).one(key);
  }
  dropFact(key: string): void {
    this.store.command('DELETE FROM fact WHERE key = ?').run(key);
  }
  setFact(key: string, value: string): void {
    this.store
      .command(
        'INSERT INTO fact (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
      )
      .run(key, value);
  }
}

function toRevision(row: Row): Revision {
  const { id, scope, text, author, at, reason } = row;
  return {
    id: Number(id),
    scope: String(scope) as Scope,
    text: String(text),
    author: String(author),
    at: Number(at),
    reason: String(reason),
  };
}
function toPublished(row: Row): Published {
  const { edge, version, hash, link, signature, manifest } = row;
  return {
    edge: String(edge),
    version: Number(version),
    hash: String(hash),
    link: String(link),
    signature: String(signature),
    manifest: String(manifest),
  };
}
function toSecret(row: Row): Secret {
  const { name, value, state, created } = row;
  return {
    name: String(name),
    value: value as Uint8Array,
    state: state as Secret['state'],
    created: Number(created),
  };
}
function toEdge(row: Row): EdgeRecord {
  const text = (value: unknown) => (typeof value === 'string' ? value : undefined);
  const number = (value: unknown) => (typeof value === 'number' ? value : undefined);
  return {
    name: String(row.name),
    sealingKey: text(row.sealing_key),
    report: text(row.report),
    reported: number(row.reported),
    tried: number(row.tried),
    problem: text(row.problem),
  };
}
