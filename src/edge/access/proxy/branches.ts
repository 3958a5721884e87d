import { type Random, randomToken } from '#kernel';

/** RFC 3261 §8.1.1.7. */
const COOKIE = 'z9hG4bK';
/** Behind the cookie, before the number of the worker and a full stop, which no random token has. */
const WORKER = 'w';
const MARKED = new RegExp(`^${COOKIE}${WORKER}(\\d{1,3})\\.`);

/** Branch parameters: unique by a count, and across processes by a random part drawn once. */
export class Branches {
  readonly #prefix: string;
  #count = 0;

  /** @param worker which of several worker processes this is, counted from 0; undefined: there is one */
  constructor(random: Random, worker?: number) {
    const mark = worker === undefined ? '' : `${WORKER}${worker}.`;
    this.#prefix = `${COOKIE}${mark}${randomToken(random, 12)}`;
  }
  /** A tag that says nothing, for an answer that nobody remembers. */
  tag(): string {
    return this.next().slice(COOKIE.length);
  }
  /** @param trail what a branch that goes outward ends in (`Trails`) */
  next(trail = ''): string {
    this.#count += 1;
    // In tens: any other base costs a call into the runtime.
    return `${this.#prefix}${this.#count}${trail}`;
  }
}

/** The worker process that made a branch; undefined when it is not marked. */
export function workerOfBranch(branch: string): number | undefined {
  const found = MARKED.exec(branch)?.[1];
  return found === undefined ? undefined : Number(found);
}
