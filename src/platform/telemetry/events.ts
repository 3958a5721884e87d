import type { WallTime } from '#kernel';

export type EventField = string | number | boolean;

/** One thing that happened which an operator may ask about later. Small: no bodies, no secrets. */
export interface ServiceEvent {
  readonly at: WallTime;
  /** A stable kebab-case name, for example `client-signed-in`. */
  readonly name: string;
  readonly fields: Readonly<Record<string, EventField>>;
}

export interface EventSink {
  /** Never blocks and never throws; a full ring drops the event and counts it. */
  emit(event: ServiceEvent): void;
}

/** What waits to go to the supervisor: at most `capacity` events; whatever comes while it is full is counted. */
export class EventRing implements EventSink {
  readonly capacity: number;
  readonly #slots: (ServiceEvent | undefined)[];
  #first = 0;
  #count = 0;
  #dropped = 0;
  #onEvent: () => void = () => {};

  /** @param capacity at least 1 */
  constructor(capacity: number) {
    if (!(capacity >= 1)) throw new RangeError(`capacity ${capacity} is below 1`);
    this.capacity = capacity;
    this.#slots = new Array<ServiceEvent | undefined>(capacity).fill(undefined);
  }
  get size(): number {
    return this.#count;
  }
  /** Events refused since the start because the ring was full. */
  get dropped(): number {
    return this.#dropped;
  }
  /** Called after each event that was stored. */
  set onEvent(listener: () => void) {
    this.#onEvent = listener;
  }
  emit(event: ServiceEvent): void {
    if (this.#count === this.capacity) {
      this.#dropped += 1;
      return;
    }
    this.#slots[(this.#first + this.#count) % this.capacity] = event;
    this.#count += 1;
    this.#onEvent();
  }
  /** Removes and returns the oldest events, at most `limit`. */
  take(limit: number): ServiceEvent[] {
    const taken: ServiceEvent[] = [];
    while (this.#count > 0 && taken.length < limit) {
      const event = this.#slots[this.#first];
      this.#slots[this.#first] = undefined;
      this.#first = (this.#first + 1) % this.capacity;
      this.#count -= 1;
      if (event !== undefined) taken.push(event);
    }
    return taken;
  }
}
