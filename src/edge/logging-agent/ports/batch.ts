/** Octets of events in one message, and their number: a message with the longest event still fits into a frame. */
const BATCH = { bytes: 65_536, events: 500 };

/** Events on their way, a message at a time. */
export class EventBatch {
  #events: string[] = [];
  #bytes = 0;

  get size(): number {
    return this.#events.length;
  }
  /** Whether this one would have to wait for the next message. */
  full(json: string): boolean {
    const bytes = this.#bytes + Buffer.byteLength(json);
    return this.#events.length > 0 && (bytes > BATCH.bytes || this.#events.length >= BATCH.events);
  }
  add(json: string): void {
    this.#events.push(json);
    this.#bytes += Buffer.byteLength(json) + 1;
  }
  take(): string[] {
    const events = this.#events;
    this.#events = [];
    this.#bytes = 0;
    return events;
  }
}
