import type { Readable } from 'node:stream';
import { type Cancel, type Clock, err } from '#kernel';
import type { ContentAnswer } from '#platform/psom-link';

/** In all: fewer than a link has places for beside its participants. */
const MOST = 200;
/** An office behind one address has many pages, and each asks for the slide that is shown now. */
const MOST_OF_SOURCE = 64;
/** Those who wait for a place, in all and of one source, and for how long. */
const MOST_WAITING = 2000;
const MOST_WAITING_OF_SOURCE = 500;
const WAIT_MS = 10_000;

interface Waiting {
  readonly source: string;
  readonly begin: () => void;
  readonly cancel: Cancel;
}

/** Files that are on their way: whoever takes them slowly, or many, takes no participant's place on a link. Who finds no place waits a little. */
export class FilesUnderWay {
  readonly #clock: Clock;
  readonly #perSource = new Map<string, number>();
  readonly #waiting = new Set<Waiting>();
  #all = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A file by `fetch`, or busy; it is under way until its body is closed. */
  async take(source: string, fetch: () => Promise<ContentAnswer>): Promise<ContentAnswer> {
    if (this.#hasRoom(source)) this.#hold(source);
    else if (!(await this.#room(source))) return err('busy');
    let body: Readable | undefined;
    try {
      const answer = await fetch();
      if (answer.ok && !answer.value.body.closed) body = answer.value.body;
      return answer;
    } finally {
      if (body === undefined) this.#give(source);
      else body.once('close', () => this.#give(source));
    }
  }

  #hasRoom(source: string): boolean {
    return this.#all < MOST && (this.#perSource.get(source) ?? 0) < MOST_OF_SOURCE;
  }
  #hold(source: string): void {
    this.#all += 1;
    this.#perSource.set(source, (this.#perSource.get(source) ?? 0) + 1);
  }
  /** Whether a place became free in time; then it is held already. */
  #room(source: string): Promise<boolean> {
    let ofSource = 0;
    for (const one of this.#waiting) if (one.source === source) ofSource += 1;
    if (this.#waiting.size >= MOST_WAITING || ofSource >= MOST_WAITING_OF_SOURCE)
      return Promise.resolve(false);
    return new Promise((resolve) => {
      const waiting: Waiting = {
        source,
        begin: () => {
          this.#hold(source);
          resolve(true);
        },
        cancel: this.#clock.after(WAIT_MS, () => {
          this.#waiting.delete(waiting);
          resolve(false);
        }),
      };
      this.#waiting.add(waiting);
    });
  }
  #give(source: string): void {
    this.#all -= 1;
    const left = (this.#perSource.get(source) ?? 0) - 1;
    if (left > 0) this.#perSource.set(source, left);
    else this.#perSource.delete(source);
    this.#next();
  }
  #next(): void {
    for (const waiting of this.#waiting) {
      if (!this.#hasRoom(waiting.source)) continue;
      this.#waiting.delete(waiting);
      waiting.cancel();
      return waiting.begin();
    }
  }
}
