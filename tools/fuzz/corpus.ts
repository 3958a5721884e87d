import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Longer inputs are found again quickly and would only swell the repository. */
const LONGEST_KEPT = 2048;

/** The committed corpus: one file a target, one input a line in base64, `#` begins a remark. */
export class Corpus {
  readonly #folder: string;

  constructor(root: string) {
    this.#folder = join(root, 'spec', 'corpus');
  }
  read(target: string): Buffer[] {
    const file = this.#file(target);
    if (!existsSync(file)) return [];
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => Buffer.from(line, 'base64'));
  }
  /** Replaces what is there; inputs that are seeds in the source anyway are left out. */
  write(target: string, inputs: readonly Buffer[], seeds: readonly Uint8Array[]): void {
    const known = new Set(seeds.map((seed) => Buffer.from(seed).toString('base64')));
    const lines = inputs
      .filter((input) => input.length <= LONGEST_KEPT)
      .map((input) => input.toString('base64'))
      .filter((line) => !known.has(line));
    mkdirSync(this.#folder, { recursive: true });
    const unique = [...new Set(lines)].sort();
    writeFileSync(
      this.#file(target),
      `# Inputs that each reach code no other does: ${target}\n${unique.join('\n')}\n`,
    );
  }
  #file(target: string): string {
    return join(this.#folder, `${target.replaceAll('/', '-')}.txt`);
  }
}
