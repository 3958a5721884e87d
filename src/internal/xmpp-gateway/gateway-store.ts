import type { Result } from '#kernel';
import { type Row, Store } from '#platform/store';
import { Dialog, type DialogRecord } from '#protocols/sip';
import type { StanzaOrigin } from '#protocols/xmpp';

const MIGRATIONS = [
  `CREATE TABLE seen (
     stream TEXT NOT NULL,
     number INTEGER NOT NULL,
     at INTEGER NOT NULL,
     PRIMARY KEY (stream, number)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX seen_at ON seen (at);
   CREATE TABLE contact (
     local TEXT NOT NULL,
     remote TEXT NOT NULL,
     PRIMARY KEY (local, remote)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE watch (
     remote TEXT NOT NULL,
     local TEXT NOT NULL,
     state TEXT NOT NULL,
     expires INTEGER NOT NULL,
     dialog TEXT,
     PRIMARY KEY (remote, local)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE approval (
     local TEXT NOT NULL,
     remote TEXT NOT NULL,
     state TEXT NOT NULL,
     PRIMARY KEY (local, remote)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE watcher (
     id TEXT PRIMARY KEY,
     local TEXT NOT NULL,
     remote TEXT NOT NULL,
     event_id TEXT,
     expires INTEGER NOT NULL,
     dialog TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;`,
  `ALTER TABLE seen ADD COLUMN partner TEXT NOT NULL DEFAULT '';
   CREATE INDEX seen_partner ON seen (partner, at);`,
  `ALTER TABLE watch ADD COLUMN shown TEXT NOT NULL DEFAULT '[]';
   ALTER TABLE watch ADD COLUMN announced INTEGER NOT NULL DEFAULT 1;
   CREATE TABLE refusal (
     local TEXT NOT NULL,
     remote TEXT NOT NULL,
     PRIMARY KEY (local, remote)
   ) STRICT, WITHOUT ROWID;`,
  `ALTER TABLE seen ADD COLUMN done INTEGER NOT NULL DEFAULT 1;`,
];

/** A user of ours (`local`) and one of a partner (`remote`), both as bare addresses. */
export interface Pair {
  readonly local: string;
  readonly remote: string;
}

/** A subscription of somebody at a partner to the presence of a user of ours. */
export interface StoredWatch extends Pair {
  /** `dormant`: authorised, and not renewed until the other side shows up again. */
  readonly state: 'pending' | 'active' | 'dormant';
  /** Wall time. */
  readonly expires: number;
  readonly dialog: Dialog | undefined;
  /** Resources of ours that the other side may take to be there; '' for none. */
  readonly shown: ReadonlySet<string>;
  /** The other side has been told that it may watch, as far as is known. */
  readonly announced: boolean;
}

export type Approval = 'asked' | 'approved';

/** `begun`: a device may have it, and no answer was heard yet. `done`: answered, or told to its sender. */
export type StanzaFate = 'begun' | 'done';

/** A subscription of a user's device to the presence of somebody at a partner. */
export interface StoredWatcher extends Pair {
  readonly eventId: string | undefined;
  readonly expires: number;
  readonly dialog: Dialog;
}

/** What the gateway must know after a restart, in one SQLite file. */
export class GatewayStore {
  readonly #store: Store;

  private constructor(store: Store) {
    this.#store = store;
  }
  static open(file: string): Result<GatewayStore> {
    const opened = Store.open({ file, migrations: MIGRATIONS });
    return opened.ok ? { ok: true, value: new GatewayStore(opened.value) } : opened;
  }
  close(): void {
    this.#store.close();
  }

  /** What is written down of this stanza of this stream; undefined: nothing. */
  fateOf(stream: string, number: number): StanzaFate | undefined {
    const find = this.#store.query('SELECT done FROM seen WHERE stream = ? AND number = ?', ({ done }) =>
      done === 0 ? ('begun' as const) : ('done' as const),
    );
    return find.one(stream, number);
  }
  /** When it returns, the line outlives the end of this process, by whatever signal: the kernel has it. */
  noteFate({ stream, number, partner }: StanzaOrigin, at: number, fate: StanzaFate): void {
    this.#store
      .command(
        'INSERT INTO seen (stream, number, at, partner, done) VALUES (?, ?, ?, ?, ?) ' +
          'ON CONFLICT DO UPDATE SET done = excluded.done',
      )
      .run(stream, number, at, partner, fate === 'done' ? 1 : 0);
  }
  /** Forgets what is older, and beyond that the oldest of whoever has most, until there are no more than `most`. */
  forgetSeen(before: number, most: number): void {
    this.#store.command('DELETE FROM seen WHERE at < ?').run(before);
    const counts = this.#store
      .query('SELECT partner, count(*) AS n FROM seen GROUP BY partner', (row) => ({
        partner: String(row.partner),
        count: Number(row.n),
      }))
      .all();
    const share = levelOf(
      counts.map(({ count }) => count),
      most,
    );
    const oldest = 'SELECT stream, number FROM seen WHERE partner = ? ORDER BY at, number LIMIT ?';
    const forget = this.#store.command(`DELETE FROM seen WHERE (stream, number) IN (${oldest})`);
    for (const { partner, count } of counts) if (count > share) forget.run(partner, count - share);
  }

  hasContact({ local, remote }: Pair): boolean {
    const find = this.#store.query('SELECT 1 FROM contact WHERE local = ? AND remote = ?', () => true);
    return find.one(local, remote) ?? false;
  }
  /** False when the user has as many contacts as one may have. */
  addContact({ local, remote }: Pair, most: number): boolean {
    if (this.hasContact({ local, remote })) return true;
    const count = this.#store.query('SELECT count(*) AS n FROM contact WHERE local = ?', (row) =>
      Number(row.n),
    );
    if ((count.one(local) ?? 0) >= most) return false;
    this.#store.command('INSERT OR IGNORE INTO contact VALUES (?, ?)').run(local, remote);
    return true;
  }
  contactsOf(local: string): string[] {
    const find = this.#store.query('SELECT remote FROM contact WHERE local = ? ORDER BY remote', (row) =>
      String(row.remote),
    );
    return find.all(local);
  }
  /** The user of ours has not invited this contact any more. */
  removeContact({ local, remote }: Pair): boolean {
    return this.#store.command('DELETE FROM contact WHERE local = ? AND remote = ?').run(local, remote) > 0;
  }

  watches(): StoredWatch[] {
    return this.#store.query('SELECT * FROM watch', readWatch).all();
  }
  saveWatch({ local, remote, state, expires, dialog, shown, announced }: StoredWatch): void {
    const record = dialog === undefined ? null : JSON.stringify(dialog.record);
    this.#store
      .command(
        'INSERT OR REPLACE INTO watch (remote, local, state, expires, dialog, shown, announced) ' +
          'VALUES (?, ?, ?, ?, ?, ?, ?)',
      )
      .run(remote, local, state, Math.round(expires), record, JSON.stringify([...shown]), announced ? 1 : 0);
  }
  deleteWatch({ local, remote }: Pair): void {
    this.#store.command('DELETE FROM watch WHERE remote = ? AND local = ?').run(remote, local);
  }

  /** Users of ours who show somebody nothing any more, of which that somebody may not have heard. */
  refusals(): Pair[] {
    return this.#store.query('SELECT * FROM refusal', readPair).all();
  }
  saveRefusal({ local, remote }: Pair): void {
    this.#store.command('INSERT OR IGNORE INTO refusal VALUES (?, ?)').run(local, remote);
  }
  deleteRefusal({ local, remote }: Pair): void {
    this.#store.command('DELETE FROM refusal WHERE local = ? AND remote = ?').run(local, remote);
  }

  approvals(): (Pair & { readonly state: Approval })[] {
    return this.#store
      .query('SELECT * FROM approval', (row) => ({
        ...readPair(row),
        state: row.state === 'approved' ? ('approved' as const) : ('asked' as const),
      }))
      .all();
  }
  saveApproval({ local, remote }: Pair, state: Approval): void {
    this.#store.command('INSERT OR REPLACE INTO approval VALUES (?, ?, ?)').run(local, remote, state);
  }
  deleteApproval({ local, remote }: Pair): void {
    this.#store.command('DELETE FROM approval WHERE local = ? AND remote = ?').run(local, remote);
  }

  watchers(): StoredWatcher[] {
    const rows = this.#store.query('SELECT * FROM watcher', readWatcher).all();
    return rows.flatMap((row) => (row === undefined ? [] : [row]));
  }
  saveWatcher({ local, remote, eventId, expires, dialog }: StoredWatcher): void {
    this.#store
      .command(
        'INSERT OR REPLACE INTO watcher (id, local, remote, event_id, expires, dialog) VALUES (?, ?, ?, ?, ?, ?)',
      )
      .run(dialog.id, local, remote, eventId ?? null, Math.round(expires), JSON.stringify(dialog.record));
  }
  deleteWatcher(id: string): void {
    this.#store.command('DELETE FROM watcher WHERE id = ?').run(id);
  }
}

/** What each may keep so that all together keep no more than `most`, and nobody gives who has less than that. */
function levelOf(counts: readonly number[], most: number): number {
  let left = most;
  for (const [index, count] of counts.toSorted((a, b) => a - b).entries()) {
    const each = Math.floor(left / (counts.length - index));
    if (count > each) return each;
    left -= count;
  }
  return Number.POSITIVE_INFINITY;
}

function readPair(row: Row): Pair {
  return { local: String(row.local), remote: String(row.remote) };
}

function readWatch(row: Row): StoredWatch {
  const state = row.state === 'active' || row.state === 'dormant' ? row.state : 'pending';
  return {
    ...readPair(row),
    state,
    expires: Number(row.expires),
    dialog: readDialog(row.dialog),
    shown: new Set(JSON.parse(String(row.shown)) as string[]),
    announced: row.announced !== 0,
  };
}

function readWatcher(row: Row): StoredWatcher | undefined {
  const dialog = readDialog(row.dialog);
  const eventId = typeof row.event_id === 'string' ? row.event_id : undefined;
  return dialog === undefined
    ? undefined
    : { ...readPair(row), eventId, expires: Number(row.expires), dialog };
}

/** What this very class has written; a row that cannot be read is a dialog that has ended. */
function readDialog(text: unknown): Dialog | undefined {
  if (typeof text !== 'string') return undefined;
  return Dialog.restore(JSON.parse(text) as DialogRecord);
}
