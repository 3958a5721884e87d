import { type Cancel, type Clock, FailureError, failure, type Random, randomToken } from '#kernel';
import type { LogEvent } from '#protocols/log-query';
import type { Reading } from './call-search.ts';
import { CopyRun } from './copy-run.ts';
import type { EdgeOutcome } from './search-run.ts';
import { Task } from './task.ts';

/** Searches and follows that are open at a time. */
const MOST_OPEN = 16;
/** One that nobody reads ends by itself. Milliseconds. */
const ABANDONED_MS = 60_000;
/** What one read gives at most: events, and characters of their texts. */
const MOST_EVENTS = 1000;
const MOST_CHARACTERS = 400_000;
const ID_LENGTH = 16;

type Readable = Reading | CopyRun | Task;

interface Open {
  readonly reading: Readable;
  abandoned: Cancel;
}

/** Searches, follows and copies of those who ask over the administration socket, a part at a time. */
export class Readings {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #open = new Map<string, Open>();

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }
  get open(): number {
    return this.#open.size;
  }

  add(reading: Readable): string {
    if (this.#open.size >= MOST_OPEN) {
      reading.close();
      throw new FailureError(failure('SLP-LOG-0111', `${MOST_OPEN} are open`));
    }
    const id = randomToken(this.#random, ID_LENGTH);
    this.#open.set(id, { reading, abandoned: this.#abandon(id) });
    return id;
  }
  find(id: string): Reading {
    const reading = this.#touch(id);
    if (reading instanceof CopyRun || reading instanceof Task) throw unknown(id);
    return reading;
  }
  findTask(id: string): Task {
    const reading = this.#touch(id);
    if (!(reading instanceof Task)) throw unknown(id);
    return reading;
  }
  findCopy(id: string): CopyRun {
    const reading = this.#touch(id);
    if (!(reading instanceof CopyRun)) throw unknown(id);
    return reading;
  }
  #touch(id: string): Readable {
    const open = this.#open.get(id);
    if (open === undefined) throw unknown(id);
    open.abandoned();
    open.abandoned = this.#abandon(id);
    return open.reading;
  }
  close(id: string): void {
    const open = this.#open.get(id);
    open?.abandoned();
    open?.reading.close();
    this.#open.delete(id);
  }
  closeAll(): void {
    for (const id of [...this.#open.keys()]) this.close(id);
  }

  /** The next events, at once or as soon as there are some; none when the time is over. */
  async read(
    reading: Reading,
    waitMs: number,
  ): Promise<{
    readonly events: LogEvent[];
    readonly over: boolean;
    readonly edges: readonly EdgeOutcome[];
  }> {
    let events = takeSome(reading);
    if (events.length === 0 && !reading.over && waitMs > 0) {
      await this.#wait(reading, waitMs);
      events = takeSome(reading);
    }
    return { events, over: reading.over, edges: reading.outcomes };
  }
  #wait(reading: Reading, waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(waitMs, resolve);
      reading.onChange = () => {
        cancel();
        resolve();
      };
    });
  }
  #abandon(id: string): Cancel {
    return this.#clock.after(ABANDONED_MS, () => this.close(id));
  }
}

function unknown(id: string): FailureError {
  return new FailureError(failure('SLP-LOG-0112', id.slice(0, 32)));
}

function takeSome(reading: Reading): LogEvent[] {
  const events: LogEvent[] = [];
  for (let characters = 0; events.length < MOST_EVENTS && characters < MOST_CHARACTERS; ) {
    const [event] = reading.take(1);
    if (event === undefined) break;
    events.push(event);
    characters += event.text.length + (event.body?.length ?? 0);
  }
  return events;
}
