import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import { err, FailureError, failure, ok, type Result } from '#kernel';

export type { SQLInputValue as StoreValue } from 'node:sqlite';

/** One row as the database gave it: untrusted until decoded. */
export type Row = Readonly<Record<string, SQLOutputValue>>;

export interface StoreOptions {
  /** Absolute path, or `:memory:`. Created with its folder when absent; only its owner may read it. */
  readonly file: string;
  /**
   * SQL of every schema step since the first version, oldest first; never change one that was released. The
   * database remembers how many it has seen (`PRAGMA user_version`).
   */
  readonly migrations: readonly string[];
  /**
   * What survives when power fails: with `commit` every transaction that has ended, with `restart` (the default) all but the
   * last few. Nothing is ever torn, and the end of the process loses nothing either way.
   */
  readonly durability?: 'commit' | 'restart';
  /** Distinct statements kept prepared; default 200. */
  readonly statements?: number;
}

/** A SELECT whose rows are decoded one by one. */
export interface Query<T> {
  one(...values: SQLInputValue[]): T | undefined;
  all(...values: SQLInputValue[]): T[];
}

/** A statement that changes something. */
export interface Command {
  /** @returns the number of rows changed */
  run(...values: SQLInputValue[]): number;
}

const BUSY_MS = 5000;
const STATEMENTS = 200;

/**
 * An SQLite database of one service: WAL, foreign keys on, checked when it is opened, brought to the newest schema.
 * Calls are synchronous and throw only for bugs (wrong SQL, violated constraints) and failed I/O.
 */
export class Store {
  readonly file: string;
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #capacity: number;
  #inTransaction = false;

  private constructor(file: string, database: DatabaseSync, capacity: number) {
    this.file = file;
    this.#database = database;
    this.#capacity = capacity;
  }

  /** Opens, checks and migrates; a failure names the file and the cause and leaves the database unchanged. */
  static open(options: StoreOptions): Result<Store> {
    let database: DatabaseSync;
    try {
      if (options.file !== ':memory:') prepareFile(options.file);
      database = new DatabaseSync(options.file, { timeout: BUSY_MS, enableForeignKeyConstraints: true });
    } catch (problem) {
      return err(failure('SLP-NET-0020', `${options.file}: ${reasonOf(problem)}`, problem));
    }
    try {
      configure(database, options.durability ?? 'restart');
      checkIntegrity(database, options.file);
      migrate(database, options);
      return ok(new Store(options.file, database, options.statements ?? STATEMENTS));
    } catch (problem) {
      database.close();
      if (problem instanceof FailureError) return err(problem.failure);
      const code = isCorruption(problem) ? 'SLP-NET-0021' : 'SLP-NET-0020';
      return err(failure(code, `${options.file}: ${reasonOf(problem)}`, problem));
    }
  }

  /** How many migrations a database has seen; the file stays as it is. */
  static schemaOf(file: string): Result<number> {
    try {
      const database = new DatabaseSync(file, { timeout: BUSY_MS, readOnly: true });
      try {
        return ok(Number(database.prepare('PRAGMA user_version').get()?.user_version));
      } finally {
        database.close();
      }
    } catch (problem) {
      return err(failure('SLP-NET-0020', `${file}: ${reasonOf(problem)}`, problem));
    }
  }

  /** @param decode turns a row into a value; it throws if the row is not what the schema promises */
  query<T>(sql: string, decode: (row: Row) => T): Query<T> {
    return {
      one: (...values) => {
        const row = this.#prepare(sql).get(...values);
        return row === undefined ? undefined : decode(row);
      },
      all: (...values) =>
        this.#prepare(sql)
          .all(...values)
          .map(decode),
    };
  }

  command(sql: string): Command {
    return { run: (...values) => Number(this.#prepare(sql).run(...values).changes) };
  }

  /** All or nothing; a throw rolls back and goes on. Not for nesting, and `work` must not be asynchronous. */
  transaction<T>(work: () => T): T {
    if (this.#inTransaction) throw new Error('a transaction is open already');
    this.#database.exec('BEGIN IMMEDIATE');
    this.#inTransaction = true;
    try {
      const result = work();
      if (result instanceof Promise) throw new TypeError('a transaction cannot wait');
      this.#database.exec('COMMIT');
      return result;
    } catch (problem) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw problem;
    } finally {
      this.#inTransaction = false;
    }
  }

  close(): void {
    this.#statements.clear();
    if (this.#database.isOpen) this.#database.close();
  }

  /** The least recently prepared statement makes room; the runtime frees it when nobody uses it any more. */
  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    if (this.#statements.size >= this.#capacity) {
      const [oldest] = this.#statements.keys();
      if (oldest !== undefined) this.#statements.delete(oldest);
    }
    this.#statements.set(sql, statement);
    return statement;
  }
}

/**
 * A copy of a database as it is at one moment, in one file; whoever has it open goes on. The copy is checked.
 * @param target must not be there yet
 */
export function copyDatabase(file: string, target: string): Result<void> {
  try {
    const source = new DatabaseSync(file, { timeout: BUSY_MS, readOnly: true });
    try {
      source.prepare('VACUUM INTO ?').run(target);
    } finally {
      source.close();
    }
    chmodSync(target, 0o600);
    const copy = new DatabaseSync(target, { readOnly: true });
    try {
      checkIntegrity(copy, target);
    } finally {
      copy.close();
    }
    return ok(undefined);
  } catch (problem) {
    if (problem instanceof FailureError) return err(problem.failure);
    const code = isCorruption(problem) ? 'SLP-NET-0021' : 'SLP-NET-0020';
    return err(failure(code, `${file}: ${reasonOf(problem)}`, problem));
  }
}

/** Made before SQLite opens it, so that it never has another mode; SQLite gives `-wal` and `-shm` the same one. */
function prepareFile(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  closeSync(openSync(file, 'a', 0o600));
  chmodSync(file, 0o600);
}

function configure(database: DatabaseSync, durability: 'commit' | 'restart'): void {
  const synchronous = durability === 'commit' ? 'FULL' : 'NORMAL';
  database.exec(
    `PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;`,
  );
}

function checkIntegrity(database: DatabaseSync, file: string): void {
  const found = database.prepare('PRAGMA quick_check(1)').get();
  const verdict = String(Object.values(found ?? {})[0]);
  if (verdict !== 'ok') throw new FailureError(failure('SLP-NET-0021', `${file}: ${verdict}`));
}

function migrate(database: DatabaseSync, options: StoreOptions): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    const version = Number(database.prepare('PRAGMA user_version').get()?.user_version);
    const newest = options.migrations.length;
    if (version > newest) {
      const detail = `${options.file}: schema ${version}, this version knows ${newest}`;
      throw new FailureError(failure('SLP-NET-0022', detail));
    }
    for (const sql of options.migrations.slice(version)) database.exec(sql);
    if (version < newest) database.exec(`PRAGMA user_version = ${newest}`);
    database.exec('COMMIT');
  } catch (problem) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw problem;
  }
}

/** SQLITE_CORRUPT and SQLITE_NOTADB. */
function isCorruption(problem: unknown): boolean {
  const { errcode } = problem as { errcode?: number };
  return errcode !== undefined && [11, 26].includes(errcode & 0xff);
}

function reasonOf(problem: unknown): string {
  const { code, errstr, message } = problem as { code?: string; errstr?: string; message?: string };
  return errstr ?? (code?.startsWith('E') && !code.startsWith('ERR_') ? code : message) ?? 'unknown';
}
