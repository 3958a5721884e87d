import type { Cancel, Clock } from '#kernel';
import { type EventRing, encodeFrames } from '#platform/telemetry';
import type { EventPipe } from './event-pipe.ts';

/** Octets that leave as one write. */
const BATCH_BYTES = 65_536;
/** Items that leave without waiting for more. */
const BATCH_ITEMS = 512;
/**
 * How long an event may wait for others to leave with it. Milliseconds. An idle process pays most for being woken: to write
 * a batch, and to hear that it was written.
 */
const WAIT_MS = 100;

/** Brings a service's events to the supervisor: one batch under way at a time, so that only the ring grows, and is full. */
export class EventSender {
  readonly #ring: EventRing;
  readonly #pipe: EventPipe;
  readonly #clock: Clock;
  #underWay = false;
  #waiting: Cancel | undefined;
  /** With so many items before each that have not left yet. */
  #marks: { readonly number: number; before: number }[] = [];

  constructor(ring: EventRing, pipe: EventPipe, clock: Clock) {
    this.#ring = ring;
    this.#pipe = pipe;
    this.#clock = clock;
    ring.onItem = () => this.#handleItem();
  }

  /** Says when everything that was emitted so far has left. */
  mark(number: number): void {
    this.#marks.push({ number, before: this.#ring.size });
    this.#send();
  }
  /** Sends what there is now. */
  flush(): void {
    this.#send();
  }

  #handleItem(): void {
    if (this.#underWay) return;
    if (this.#ring.waitingBytes >= BATCH_BYTES || this.#ring.size >= BATCH_ITEMS) this.#send();
    else this.#waiting ??= this.#clock.after(WAIT_MS, () => this.#send());
  }

  #send(): void {
    if (this.#underWay) return;
    this.#waiting?.();
    this.#waiting = undefined;
    const waited = this.#ring.size;
    const batch = this.#ring.drain(BATCH_BYTES);
    const marks = this.#reached(waited - this.#ring.size);
    if (batch === undefined && marks.length === 0) return;
    this.#underWay = true;
    const told = marks.map(({ number }) => ({ type: 'mark', number }) as const);
    const parts = [
      ...(batch === undefined ? [] : [batch]),
      ...(told.length === 0 ? [] : [encodeFrames(told)]),
    ];
    const bytes = parts.length === 1 ? parts[0] : Buffer.concat(parts);
    this.#pipe.write(bytes ?? Buffer.alloc(0), () => {
      this.#underWay = false;
      if (this.#ring.size > 0 || this.#marks.length > 0) this.#send();
    });
  }

  /** Marks before which nothing waits any more: what came after them does not hold them up. */
  #reached(sent: number): { readonly number: number }[] {
    for (const mark of this.#marks) mark.before -= sent;
    const open = this.#marks.findIndex(({ before }) => before > 0);
    return this.#marks.splice(0, open < 0 ? this.#marks.length : open);
  }
}
