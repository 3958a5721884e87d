import { MOST_LINE } from './hello.ts';

/** Takes a stream apart into lines, each bounded. */
export class Lines {
  #text = '';
  #broken = false;

  /** A line was longer than any may be: nothing more is given. */
  get broken(): boolean {
    return this.#broken;
  }
  push(chunk: Buffer): string[] {
    if (this.#broken) return [];
    const parts = (this.#text + chunk.toString('latin1')).split('\n');
    this.#text = parts.pop() ?? '';
    this.#broken = this.#text.length > MOST_LINE || parts.some((line) => line.length > MOST_LINE);
    return this.#broken ? [] : parts;
  }
}
