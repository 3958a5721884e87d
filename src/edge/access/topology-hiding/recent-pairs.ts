import { RecentMap } from '#kernel';

/** Entries of one generation, and the longest text that is worth an entry: together some megabytes. */
const MOST_ENTRIES = 2048;
const LONGEST = 1024;

/** Remembers what a costly function gave for the texts that were asked for last. */
export class RecentPairs {
  readonly #pairs = new RecentMap<string, string>(MOST_ENTRIES);

  get(text: string): string | undefined {
    return this.#pairs.get(text);
  }
  set(text: string, value: string): void {
    if (text.length <= LONGEST && value.length <= LONGEST) this.#pairs.set(text, value);
  }
}
