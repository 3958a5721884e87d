import type { WallTime } from '#kernel';
import type { EventField, LogNote, LogRecord } from '#protocols/log-query';

export interface JournalRecord {
  /** Counts from 1 and never repeats while the supervisor runs. */
  readonly sequence: number;
  readonly service: string;
  readonly at: WallTime;
  readonly name: string;
  readonly fields: Readonly<Record<string, EventField>>;
}

/** The latest notable events of all services, in the order in which they reached the supervisor; the oldest make room. */
export class EventJournal {
  readonly capacity: number;
  readonly #records: JournalRecord[] = [];
  #sequence = 0;
  #dropped = 0;

  /** @param capacity records kept, at least 1 */
  constructor(capacity: number) {
    this.capacity = capacity;
  }
  add(service: string, { time, name, fields = {} }: LogRecord | LogNote): void {
    this.#sequence += 1;
    this.#records.push({ sequence: this.#sequence, service, at: time, name, fields });
    if (this.#records.length > 2 * this.capacity)
      this.#records.splice(0, this.#records.length - this.capacity);
  }
  /** So many events did not fit into a service's ring. */
  lose(count: number): void {
    this.#dropped += count;
  }
  /** Records after a sequence number, oldest first, at most `limit`. */
  after(sequence: number, limit: number): JournalRecord[] {
    const kept = this.#records.slice(-this.capacity);
    const start = kept.findIndex((record) => record.sequence > sequence);
    return start < 0 ? [] : kept.slice(start, start + limit);
  }
  get latest(): number {
    return this.#sequence;
  }
  get dropped(): number {
    return this.#dropped;
  }
}
