import type { Readable } from 'node:stream';
import { err } from '#kernel';
import type { ContentAnswer } from '#platform/psom-link';

/** In all: fewer than a link has places for beside its participants. */
const MOST = 200;
/** A page asks for a few at once, and an office behind one address has many pages. */
const MOST_OF_SOURCE = 64;

/** Files that are on their way: whoever takes them slowly, or many, takes no participant's place on a link. */
export class FilesUnderWay {
  readonly #perSource = new Map<string, number>();
  #all = 0;

  /** A file by `fetch`, or busy; it is under way until its body is closed. */
  async take(source: string, fetch: () => Promise<ContentAnswer>): Promise<ContentAnswer> {
    const held = this.#perSource.get(source) ?? 0;
    if (this.#all >= MOST || held >= MOST_OF_SOURCE) return err('busy');
    this.#all += 1;
    this.#perSource.set(source, held + 1);
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
  #give(source: string): void {
    this.#all -= 1;
    const left = (this.#perSource.get(source) ?? 0) - 1;
    if (left > 0) this.#perSource.set(source, left);
    else this.#perSource.delete(source);
  }
}
