import type { ServiceEvent } from '#platform/telemetry';

export interface JournalRecord extends ServiceEvent {
  /** Counts from 1 and never repeats while the supervisor runs. */
  readonly sequence: number;
  readonly service: string;
}

/** The latest events of all services, in the order in which they reached the supervisor; the oldest make room. */
export class EventJournal {
  readonly capacity: number;
  readonly #records: JournalRecord[] = [];
  readonly #dropped = new Map<string, number>();
  #sequence = 0;

  /** @param capacity records kept, at least 1 */
  constructor(capacity: number) {
    this.capacity = capacity;
  }
  /** `dropped`: what the service's ring has lost since the service started. */
  add(service: string, events: readonly ServiceEvent[], dropped: number): void {
    for (const event of events) {
      this.#sequence += 1;
      this.#records.push({ ...event, sequence: this.#sequence, service });
    }
    if (this.#records.length > 2 * this.capacity)
      this.#records.splice(0, this.#records.length - this.capacity);
    this.#dropped.set(service, dropped);
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
    let total = 0;
    for (const count of this.#dropped.values()) total += count;
    return total;
  }
}
