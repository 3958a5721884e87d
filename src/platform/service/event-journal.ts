import type { WallTime } from '#kernel';
import { readNoteText } from '#platform/telemetry';
import type { EventField, LogNote, LogRecord } from '#protocols/log-query';

export interface JournalRecord {
  /** Counts from 1 and never repeats while the supervisor runs. */
  readonly sequence: number;
  readonly service: string;
  readonly at: WallTime;
  readonly name: string;
  readonly fields: Readonly<Record<string, EventField>>;
}

interface Kept {
  readonly sequence: number;
  readonly service: string;
  /** A text: a note that nobody has read yet. */
  readonly said: LogRecord | LogNote | string;
}

/**
 * The latest notable events of all services, in the order in which they reached the supervisor; the oldest make room.
 * Most are never asked for. A note therefore stays the text that it came as: to read each took half of the
 * supervisor's part in an allocation, and its text takes less room than what it says.
 */
export class EventJournal {
  readonly capacity: number;
  readonly #kept: Kept[] = [];
  #sequence = 0;
  #dropped = 0;

  /** @param capacity records kept, at least 1 */
  constructor(capacity: number) {
    this.capacity = capacity;
  }
  add(service: string, said: LogRecord | LogNote | string): void {
    this.#sequence += 1;
    this.#kept.push({ sequence: this.#sequence, service, said });
    if (this.#kept.length > 2 * this.capacity) this.#kept.splice(0, this.#kept.length - this.capacity);
  }
  /** So many events did not fit into a service's ring. */
  lose(count: number): void {
    this.#dropped += count;
  }
  /** Records after a sequence number, oldest first, at most `limit`. A note that makes no sense leaves its number behind. */
  after(sequence: number, limit: number): JournalRecord[] {
    const records: JournalRecord[] = [];
    for (const kept of this.#kept.slice(-this.capacity)) {
      if (records.length >= limit) break;
      const record = kept.sequence > sequence ? recordOf(kept) : undefined;
      if (record !== undefined) records.push(record);
    }
    return records;
  }
  /** The latest records, oldest first, at most `limit`. */
  last(limit: number): JournalRecord[] {
    const records: JournalRecord[] = [];
    const kept = this.#kept.slice(-this.capacity);
    for (let place = kept.length - 1; place >= 0 && records.length < limit; place -= 1) {
      const record = recordOf(kept[place] as Kept);
      if (record !== undefined) records.push(record);
    }
    return records.reverse();
  }
  /** What an operator is shown: what follows a number already seen, or the latest. */
  page({ after, limit }: { readonly after?: number | undefined; readonly limit: number }) {
    const events = after === undefined ? this.last(limit) : this.after(after, limit);
    return { events, latest: this.latest, dropped: this.dropped };
  }
  get latest(): number {
    return this.#sequence;
  }
  get dropped(): number {
    return this.#dropped;
  }
}

function recordOf({ sequence, service, said }: Kept): JournalRecord | undefined {
  const read = typeof said === 'string' ? readNoteText(said) : said;
  return read && { sequence, service, at: read.time, name: read.name, fields: read.fields ?? {} };
}
