import type { Cancel, Clock } from '#kernel';
import type { EventRing } from '#platform/telemetry';
import type { EventPipe } from './event-pipe.ts';

/** Octets that leave without waiting for more: what a socket between processes takes at once. */
const BATCH_BYTES = 163_840;
/** Items that leave without waiting for more. */
const BATCH_ITEMS = 1024;
/**
 * How long an event may wait for others to leave with it, milliseconds: traffic, and what matters to whoever looks for a
 * fault. Keeping a message costs a fraction of a microsecond; what costs is each batch (100 to 250 µs of an idle process,
 * whatever its size: the runtime's stream, the system call, a reader woken on the same core).
 */
const WAIT_MS = 250;
const SOON_MS = 20;

/** Brings a service's events to the supervisor: one batch under way at a time, so that only the ring grows, and is full. */
export class EventSender {
  readonly #ring: EventRing;
  readonly #pipe: EventPipe;
  readonly #clock: Clock;
  #underWay = false;
  #waiting: { readonly cancel: Cancel; readonly ms: number } | undefined;

  constructor(ring: EventRing, pipe: EventPipe, clock: Clock) {
    this.#ring = ring;
    this.#pipe = pipe;
    this.#clock = clock;
    ring.enough = { items: BATCH_ITEMS, bytes: BATCH_BYTES };
    ring.onItem = (matters) => this.#handleItem(matters ? SOON_MS : WAIT_MS);
  }

  /** Says when everything that was emitted so far has left. */
  mark(number: number): void {
    this.#ring.mark(number);
    this.#send();
  }
  /** Sends what there is now. */
  flush(): void {
    this.#send();
  }

  #handleItem(ms: number): void {
    if (this.#underWay) return;
    if (this.#ring.waitingBytes >= BATCH_BYTES || this.#ring.size >= BATCH_ITEMS) this.#send();
    else if (this.#waiting === undefined || this.#waiting.ms > ms) {
      this.#waiting?.cancel();
      this.#waiting = { cancel: this.#clock.after(ms, () => this.#send()), ms };
    }
  }

  #send(): void {
    if (this.#underWay) return;
    this.#waiting?.cancel();
    this.#waiting = undefined;
    const batch = this.#ring.drain(BATCH_BYTES);
    if (batch === undefined) return;
    this.#underWay = true;
    this.#pipe.write(batch, () => {
      this.#underWay = false;
      this.#ring.handleLeft();
      if (!this.#ring.isEmpty) this.#send();
    });
  }
}
