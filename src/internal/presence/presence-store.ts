import type { WallTime } from '#kernel';
import type { Row, Store } from '#platform/store';
import { type Approval, type Decision, decisions } from './settings.ts';
import type { SubscriptionRecord } from './subscription.ts';

/** The tables of this room, for the migrations of whoever owns the database. */
export const presenceTables = `
  CREATE TABLE presence_rule (
    presentity TEXT NOT NULL,
    watcher TEXT NOT NULL,
    decision TEXT NOT NULL,
    changed INTEGER NOT NULL,
    PRIMARY KEY (presentity, watcher)
  ) STRICT;
  CREATE TABLE presence_approval (
    presentity TEXT PRIMARY KEY,
    colleagues TEXT NOT NULL,
    outsiders TEXT NOT NULL
  ) STRICT;
  CREATE TABLE presence_subscription (
    id TEXT PRIMARY KEY,
    presentity TEXT NOT NULL,
    record TEXT NOT NULL
  ) STRICT;
  CREATE TABLE presence_publication (
    presentity TEXT NOT NULL,
    etag TEXT NOT NULL,
    document BLOB NOT NULL,
    changed INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    PRIMARY KEY (presentity, etag)
  ) STRICT;`;

/** What was decided about one watcher, or that he has asked and nothing was. */
export interface Rule {
  readonly watcher: string;
  readonly decision: Decision | 'asked';
  readonly changed: WallTime;
}

/** One publication (RFC 3903 §6): what one device said last. */
export interface Publication {
  readonly etag: string;
  /** PIDF, written by us. */
  readonly document: Uint8Array;
  readonly changed: WallTime;
  readonly expires: WallTime;
}

/** Rules, subscriptions and publications in the database of the front end. */
export class PresenceStore {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }
  atomically<T>(change: () => T): T {
    return this.#store.transaction(change);
  }

  rule(presentity: string, watcher: string): Rule | undefined {
    return this.#store
      .query('SELECT * FROM presence_rule WHERE presentity = ? AND watcher = ?', readRule)
      .one(presentity, watcher);
  }
  /** Oldest first. */
  rules(presentity: string): Rule[] {
    return this.#store
      .query('SELECT * FROM presence_rule WHERE presentity = ? ORDER BY changed, rowid', readRule)
      .all(presentity);
  }
  saveRule(presentity: string, { watcher, decision, changed }: Rule): void {
    this.#store
      .command(
        'INSERT OR REPLACE INTO presence_rule (presentity, watcher, decision, changed) VALUES (?, ?, ?, ?)',
      )
      .run(presentity, watcher, decision, Math.round(changed));
  }
  deleteRule(presentity: string, watcher: string): void {
    this.#store
      .command('DELETE FROM presence_rule WHERE presentity = ? AND watcher = ?')
      .run(presentity, watcher);
  }

  approval(presentity: string): Approval | undefined {
    return this.#store
      .query('SELECT * FROM presence_approval WHERE presentity = ?', (row) => ({
        colleagues: readDecision(row.colleagues),
        outsiders: readDecision(row.outsiders),
      }))
      .one(presentity);
  }
  saveApproval(presentity: string, { colleagues, outsiders }: Approval): void {
    this.#store
      .command(
        'INSERT OR REPLACE INTO presence_approval (presentity, colleagues, outsiders) VALUES (?, ?, ?)',
      )
      .run(presentity, colleagues, outsiders);
  }

  subscriptions(): SubscriptionRecord[] {
    return this.#store
      .query('SELECT record FROM presence_subscription ORDER BY rowid', (row) => readRecord(row))
      .all();
  }
  saveSubscription(record: SubscriptionRecord): void {
    this.#store
      .command('INSERT OR REPLACE INTO presence_subscription (id, presentity, record) VALUES (?, ?, ?)')
      .run(record.id, record.presentity, JSON.stringify(record));
  }
  deleteSubscription(id: string): void {
    this.#store.command('DELETE FROM presence_subscription WHERE id = ?').run(id);
  }

  /** Newest first, those that have expired included. */
  publications(presentity: string): Publication[] {
    return this.#store
      .query(
        'SELECT * FROM presence_publication WHERE presentity = ? ORDER BY changed DESC, rowid DESC',
        readPublication,
      )
      .all(presentity);
  }
  savePublication(presentity: string, { etag, document, changed, expires }: Publication): void {
    this.#store
      .command(
        'INSERT INTO presence_publication (presentity, etag, document, changed, expires) VALUES (?, ?, ?, ?, ?)',
      )
      .run(presentity, etag, document, Math.round(changed), Math.round(expires));
  }
  deletePublication(presentity: string, etag: string): void {
    this.#store
      .command('DELETE FROM presence_publication WHERE presentity = ? AND etag = ?')
      .run(presentity, etag);
  }
  forgetExpiredPublications(wall: WallTime): void {
    this.#store.command('DELETE FROM presence_publication WHERE expires <= ?').run(Math.round(wall));
  }
}

/** Everything about a user who is no more; the caller has opened a transaction. */
export function forgetPresentity(store: Store, presentity: string): void {
  for (const table of ['rule', 'approval', 'subscription', 'publication'] as const) {
    store.command(`DELETE FROM presence_${table} WHERE presentity = ?`).run(presentity);
  }
}

function readDecision(text: unknown): Decision {
  const found = decisions.find((decision) => decision === text);
  if (found === undefined) throw new TypeError(`unknown decision in the directory: ${text}`);
  return found;
}
function readRule(row: Row): Rule {
  return {
    watcher: String(row.watcher),
    decision: row.decision === 'asked' ? 'asked' : readDecision(row.decision),
    changed: Number(row.changed),
  };
}
function readRecord(row: Row): SubscriptionRecord {
  return JSON.parse(String(row.record)) as SubscriptionRecord;
}
function readPublication(row: Row): Publication {
  if (!(row.document instanceof Uint8Array)) throw new TypeError('a publication is no blob');
  return {
    etag: String(row.etag),
    document: row.document,
    changed: Number(row.changed),
    expires: Number(row.expires),
  };
}
