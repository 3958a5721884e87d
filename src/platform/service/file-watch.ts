import { stat } from 'node:fs/promises';
import type { Cancel, Clock } from '#kernel';

export interface FileWatchOptions {
  readonly clock: Clock;
  /** Between two looks. A change is told after one more look found the files at rest. Milliseconds. */
  readonly intervalMs: number;
  /** Asked at every look, so the list may change. */
  readonly files: () => readonly string[];
  readonly onChange: () => void;
}

type Marks = ReadonlyMap<string, string>;

/**
 * Notices that files changed: other content, another file in their place, a link that points elsewhere. It looks at
 * them again and again, because notifications miss replaced folders and links (which is how certificates are renewed).
 */
export class FileWatch {
  readonly #options: FileWatchOptions;
  /** As each file was when it was last read. */
  readonly #known = new Map<string, string>();
  #seen: Marks = new Map();
  #cancel: Cancel = () => {};
  #stopped = false;

  constructor(options: FileWatchOptions) {
    this.#options = options;
  }
  start(): void {
    this.#cancel = this.#options.clock.after(this.#options.intervalMs, () => void this.#look());
  }
  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }
  /** These files are about to be read: only what changes from now on is told. */
  async note(files: readonly string[]): Promise<void> {
    for (const [file, mark] of await marksOf(files)) this.#known.set(file, mark);
  }

  async #look(): Promise<void> {
    const files = this.#options.files();
    const now = await marksOf(files);
    if (this.#stopped) return;
    const atRest = files.every((file) => now.get(file) === this.#seen.get(file));
    this.#seen = now;
    if (atRest && this.#learn(now)) this.#options.onChange();
    this.start();
  }
  /** Whether one of them is other than it was known. */
  #learn(now: Marks): boolean {
    let changed = false;
    for (const [file, mark] of now) {
      const known = this.#known.get(file);
      changed ||= known !== undefined && known !== mark;
      this.#known.set(file, mark);
    }
    for (const file of this.#known.keys()) if (!now.has(file)) this.#known.delete(file);
    return changed;
  }
}

async function marksOf(files: readonly string[]): Promise<Marks> {
  return new Map(await Promise.all(files.map(async (file) => [file, await markOf(file)] as const)));
}
async function markOf(file: string): Promise<string> {
  try {
    const { ino, dev, size, mtimeMs, ctimeMs } = await stat(file);
    return [dev, ino, size, mtimeMs, ctimeMs].join(' ');
  } catch {
    return 'absent';
  }
}
