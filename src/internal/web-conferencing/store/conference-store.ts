import type { Result, WallTime } from '#kernel';
import { type Row, Store } from '#platform/store';
import type { ParticipantKind } from '../conferences.ts';
import type {
  Change,
  ConferenceRecord,
  MeetingRecord,
  ParticipantRecord,
  StandingRecord,
} from '../meeting/records.ts';
import { contentChange, loadContents } from './content-rows.ts';
import { MIGRATIONS } from './migrations.ts';

/** A change of one meeting. */
export interface Noted {
  readonly conference: string;
  readonly change: Change;
}

/** Meetings in one SQLite file. */
export class ConferenceStore {
  readonly #store: Store;

  private constructor(store: Store) {
    this.#store = store;
  }
  static open(file: string): Result<ConferenceStore> {
    // Of each commit somebody is told: the disk has it before, also when power fails.
    const opened = Store.open({ file, migrations: MIGRATIONS, durability: 'commit' });
    return opened.ok ? { ok: true, value: new ConferenceStore(opened.value) } : opened;
  }
  close(): void {
    this.#store.close();
  }

  create(conference: ConferenceRecord, presenters: readonly string[]): void {
    this.#store.transaction(() => {
      this.#store
        .command('INSERT INTO conference VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
        .run(...conferenceValues(conference));
      for (const address of presenters)
        this.#putStanding(conference.id, { address, presenter: true, admitted: false, removed: false });
    });
  }
  /** All or nothing. @throws when the disk does not take it */
  commit(changes: readonly Noted[]): void {
    this.#store.transaction(() => {
      for (const { conference, change } of changes) this.#apply(conference, change);
    });
  }
  /** With everything that was shown in it. */
  delete(id: string): void {
    this.#store.command('DELETE FROM conference WHERE id = ?').run(id);
  }

  count(): number {
    return this.#store.query('SELECT count(*) AS n FROM conference', (row) => Number(row.n)).one() ?? 0;
  }
  find(id: string): ConferenceRecord | undefined {
    return this.#store.query('SELECT * FROM conference WHERE id = ?', readConference).one(id);
  }
  list(): ConferenceRecord[] {
    return this.#store.query('SELECT * FROM conference ORDER BY created, id', readConference).all();
  }
  /** Those that nobody can come into any more since before `at`. */
  overSince(at: WallTime): string[] {
    const sql = 'SELECT id FROM conference WHERE coalesce(ended, expires) < ?';
    return this.#store.query(sql, (row) => String(row.id)).all(at);
  }
  /** Those in which there were participants. */
  inhabited(): string[] {
    const sql = 'SELECT DISTINCT conference FROM participant WHERE removed = 0';
    return this.#store.query(sql, (row) => String(row.conference)).all();
  }
  standings(id: string): StandingRecord[] {
    return this.#store.query('SELECT * FROM standing WHERE conference = ?', readStanding).all(id);
  }
  load(id: string): MeetingRecord | undefined {
    const conference = this.find(id);
    if (conference === undefined) return undefined;
    const participants = 'SELECT * FROM participant WHERE conference = ? ORDER BY number';
    return {
      conference,
      standings: this.standings(id),
      participants: this.#store.query(participants, readParticipant).all(id),
      ...loadContents(this.#store, id),
    };
  }

  /** Whether a meeting has this file. */
  namesFile(hash: string): boolean {
    const sql = `SELECT 1 FROM content WHERE file_hash = ? UNION SELECT 1 FROM slide WHERE hash = ? LIMIT 1`;
    return this.#store.query(sql, () => true).one(hash, hash) ?? false;
  }
  /** Whether a token was shown before. */
  wasUsed(serial: string): boolean {
    return this.#store.query('SELECT 1 FROM used_token WHERE serial = ?', () => true).one(serial) ?? false;
  }
  forgetUsed(before: WallTime): void {
    this.#store.command('DELETE FROM used_token WHERE expires < ?').run(before);
  }

  #apply(id: string, change: Change): void {
    switch (change.kind) {
      case 'conference':
        return this.#putConference(change.record);
      case 'standing':
        return this.#putStanding(id, change.record);
      case 'participant':
        return this.#putParticipant(id, change.record);
      case 'left': {
        const leave = this.#store.command('DELETE FROM participant WHERE conference = ? AND number = ?');
        return void leave.run(id, change.number);
      }
      case 'token': {
        const use = this.#store.command('INSERT OR IGNORE INTO used_token VALUES (?, ?)');
        return void use.run(change.serial, change.expires);
      }
      default:
        contentChange(this.#store, id, change);
    }
  }
  #putConference(record: ConferenceRecord): void {
    const sql = `UPDATE conference SET title = ?, guests = ?, federated = ?, locked = ?, expires = ?, ended = ?,
      next_participant = ?, next_content = ?, next_order = ?, active_content = ?, active_presenter = ? WHERE id = ?`;
    const { title, guests, federated, locked, expires, ended, id } = record;
    const { nextParticipant, nextContent, nextOrder, activeContent, activePresenter } = record;
    this.#store
      .command(sql)
      .run(
        ...[title, Number(guests), Number(federated), Number(locked), expires, ended ?? null],
        ...[nextParticipant, nextContent, nextOrder, activeContent, activePresenter, id],
      );
  }
  #putStanding(id: string, { address, presenter, admitted, removed }: StandingRecord): void {
    this.#store
      .command('INSERT OR REPLACE INTO standing VALUES (?, ?, ?, ?, ?)')
      .run(id, address, Number(presenter), Number(admitted), Number(removed));
  }
  #putParticipant(id: string, record: ParticipantRecord): void {
    const { number, address, displayName, kind, outside, device, presenter, joined } = record;
    this.#store
      .command('INSERT OR REPLACE INTO participant VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
      .run(
        ...[id, number, address, displayName, kind, Number(outside), device, Number(presenter), joined],
        ...[record.generation, Number(record.removed)],
      );
  }
}

function conferenceValues(record: ConferenceRecord): (string | number | null)[] {
  const { id, key, title, organizer, guests, federated, locked, created, expires, ended } = record;
  const { nextParticipant, nextContent, nextOrder, activeContent, activePresenter } = record;
  return [
    ...[id, key, title, organizer, Number(guests), Number(federated), Number(locked), created, expires],
    ...[ended ?? null, nextParticipant, nextContent, nextOrder, activeContent, activePresenter],
  ];
}

function readConference(row: Row): ConferenceRecord {
  return {
    id: String(row.id),
    key: String(row.key),
    title: String(row.title),
    organizer: String(row.organizer),
    guests: row.guests === 1,
    federated: row.federated === 1,
    locked: row.locked === 1,
    created: Number(row.created),
    expires: Number(row.expires),
    ended: row.ended === null ? undefined : Number(row.ended),
    nextParticipant: Number(row.next_participant),
    nextContent: Number(row.next_content),
    nextOrder: Number(row.next_order),
    activeContent: Number(row.active_content),
    activePresenter: Number(row.active_presenter),
  };
}
function readStanding(row: Row): StandingRecord {
  const { presenter, admitted, removed } = row;
  return {
    address: String(row.address),
    presenter: presenter === 1,
    admitted: admitted === 1,
    removed: removed === 1,
  };
}
function readParticipant(row: Row): ParticipantRecord {
  return {
    number: Number(row.number),
    address: String(row.address),
    displayName: String(row.display_name),
    kind: String(row.kind) as ParticipantKind,
    outside: row.outside === 1,
    device: String(row.device),
    presenter: row.presenter === 1,
    joined: Number(row.joined),
    generation: Number(row.generation),
    removed: row.removed === 1,
  };
}
