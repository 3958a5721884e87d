import { randomBytes } from 'node:crypto';
import { forgetPresentity, PresenceStore, presenceTables } from '#internal/presence';
import type { Result } from '#kernel';
import { type Row, Store } from '#platform/store';
import { type DigestAlgorithm, digestAlgorithm } from '#protocols/sip';
import type { Account, AccountDirectory } from './account.ts';
import type { Binding, BindingReach, BindingStore } from './binding.ts';

const MIGRATIONS = [
  `CREATE TABLE account (
     aor TEXT PRIMARY KEY,
     algorithm TEXT NOT NULL,
     ha1 TEXT NOT NULL
   ) STRICT;
   CREATE TABLE binding (
     aor TEXT NOT NULL,
     key TEXT NOT NULL,
     contact TEXT NOT NULL,
     path TEXT,
     flow INTEGER,
     call_id TEXT NOT NULL,
     cseq INTEGER NOT NULL,
     q REAL NOT NULL,
     expires INTEGER NOT NULL,
     PRIMARY KEY (aor, key)
   ) STRICT;
   CREATE TABLE secret (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;`,
  presenceTables,
];

/** Accounts, bindings and the front end's own secrets in one SQLite file. */
export class Directory implements AccountDirectory, BindingStore {
  readonly #store: Store;
  /** What the presence agent keeps. */
  readonly presence: PresenceStore;
  #algorithms: ReadonlyMap<DigestAlgorithm, number> | undefined;

  private constructor(store: Store) {
    this.#store = store;
    this.presence = new PresenceStore(store);
  }
  static open(file: string): Result<Directory> {
    const opened = Store.open({ file, migrations: MIGRATIONS });
    return opened.ok ? { ok: true, value: new Directory(opened.value) } : opened;
  }
  close(): void {
    this.#store.close();
  }

  find(aor: string): Account | undefined {
    return this.#store.query('SELECT * FROM account WHERE aor = ?', readAccount).one(aor);
  }
  list(): Account[] {
    return this.#store.query('SELECT * FROM account ORDER BY aor', readAccount).all();
  }
  /** Counted once and after each change: anybody may ask, once for each address that does not exist. */
  algorithms(): ReadonlyMap<DigestAlgorithm, number> {
    this.#algorithms ??= this.#countAlgorithms();
    return this.#algorithms;
  }
  #countAlgorithms(): ReadonlyMap<DigestAlgorithm, number> {
    const rows = this.#store
      .query('SELECT algorithm, count(*) AS count FROM account GROUP BY algorithm', (row) => row)
      .all();
    return new Map(rows.map((row) => [readAlgorithm(row), Number(row.count)]));
  }
  /** Adds an account or replaces its password and algorithm. */
  save(account: Account): void {
    this.#algorithms = undefined;
    this.#store
      .command('INSERT OR REPLACE INTO account (aor, algorithm, ha1) VALUES (?, ?, ?)')
      .run(account.aor, account.algorithm, account.ha1);
  }
  /** Removes an account, whatever is registered for it and its presence; false when there is none. */
  delete(aor: string): boolean {
    this.#algorithms = undefined;
    return this.#store.transaction(() => {
      this.#store.command('DELETE FROM binding WHERE aor = ?').run(aor);
      forgetPresentity(this.#store, aor);
      return this.#store.command('DELETE FROM account WHERE aor = ?').run(aor) > 0;
    });
  }

  of(aor: string): Binding[] {
    return this.#store.query('SELECT * FROM binding WHERE aor = ? ORDER BY rowid', readBinding).all(aor);
  }
  put(binding: Binding): void {
    const { reach } = binding;
    this.#store
      .command(
        `INSERT OR REPLACE INTO binding (aor, key, contact, path, flow, call_id, cseq, q, expires)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        binding.aor,
        binding.key,
        binding.contact,
        reach.kind === 'path' ? JSON.stringify(reach.path) : null,
        reach.kind === 'flow' ? reach.flow : null,
        binding.callId,
        binding.cseq,
        binding.q,
        Math.round(binding.expires),
      );
  }
  remove(aor: string, key: string): void {
    this.#store.command('DELETE FROM binding WHERE aor = ? AND key = ?').run(aor, key);
  }
  atomically<T>(change: () => T): T {
    return this.#store.transaction(change);
  }
  /** Connections of an earlier process are gone, and with them what was reached over them. */
  forgetFlows(): void {
    this.#store.command('DELETE FROM binding WHERE flow IS NOT NULL').run();
  }
  /** Live bindings of everyone. */
  registered(wall: number): number {
    const count = this.#store.query('SELECT count(*) AS count FROM binding WHERE expires > ?', (row) =>
      Number(row.count),
    );
    return count.one(Math.round(wall)) ?? 0;
  }

  /** 32 random bytes under a name, made at first use and kept. */
  secret(name: string): Uint8Array {
    this.#store
      .command('INSERT OR IGNORE INTO secret (name, value) VALUES (?, ?)')
      .run(name, randomBytes(32));
    const secret = this.#store.query('SELECT value FROM secret WHERE name = ?', (row) => row.value).one(name);
    if (!(secret instanceof Uint8Array)) throw new TypeError(`the secret ${name} is no blob`);
    return secret;
  }
}

function readAlgorithm(row: Row): DigestAlgorithm {
  const algorithm = digestAlgorithm(String(row.algorithm));
  if (algorithm === undefined) throw new TypeError(`unknown algorithm in the directory: ${row.algorithm}`);
  return algorithm;
}

function readAccount(row: Row): Account {
  return { aor: String(row.aor), algorithm: readAlgorithm(row), ha1: String(row.ha1) };
}

function readBinding(row: Row): Binding {
  const reach: BindingReach =
    row.path === null
      ? { kind: 'flow', flow: Number(row.flow) }
      : { kind: 'path', path: JSON.parse(String(row.path)) as string[] };
  return {
    aor: String(row.aor),
    key: String(row.key),
    contact: String(row.contact),
    reach,
    callId: String(row.call_id),
    cseq: Number(row.cseq),
    q: Number(row.q),
    expires: Number(row.expires),
  };
}
