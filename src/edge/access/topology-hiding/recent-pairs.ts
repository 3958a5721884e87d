/** Entries of one generation, and the longest text that is worth an entry: together some megabytes. */
const MOST_ENTRIES = 2048;
const LONGEST = 1024;

/**
 * Remembers what a costly function gave for the texts that were asked for last: of two generations, the older one goes when
 * the younger one is full, so nothing is counted or sorted.
 */
export class RecentPairs {
  #young = new Map<string, string>();
  #old = new Map<string, string>();

  get(text: string): string | undefined {
    const found = this.#young.get(text);
    if (found !== undefined) return found;
    const older = this.#old.get(text);
    if (older !== undefined) this.set(text, older);
    return older;
  }
  set(text: string, value: string): void {
    if (text.length > LONGEST || value.length > LONGEST) return;
    if (this.#young.size >= MOST_ENTRIES) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(text, value);
  }
}
