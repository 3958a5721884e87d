import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';

/** What a look at a file showed. */
export type FileLook =
  | { readonly state: 'missing' | 'unreadable' | 'not-a-file' | 'too-large' }
  | { readonly state: 'file'; readonly text: string; readonly mode: number };

/** The files that a document names. */
export interface DocumentFiles {
  look(path: string): FileLook;
}

const LARGEST_FILE = 1_048_576;

/** The files of this host, at most 1 MiB each. */
export const hostFiles: DocumentFiles = {
  look(path) {
    let descriptor: number;
    try {
      // Non-blocking, so that a pipe in place of a file cannot hold us.
      descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      return { state: code === 'ENOENT' || code === 'ENOTDIR' ? 'missing' : 'unreadable' };
    }
    try {
      const { mode, size, ...stats } = describeFile(descriptor);
      if (!stats.ordinary) return { state: 'not-a-file' };
      if (size > LARGEST_FILE) return { state: 'too-large' };
      return { state: 'file', mode, text: readFileSync(descriptor, 'utf8') };
    } catch {
      return { state: 'unreadable' };
    } finally {
      closeSync(descriptor);
    }
  },
};

function describeFile(descriptor: number): { mode: number; size: number; ordinary: boolean } {
  const stats = fstatSync(descriptor);
  return { mode: stats.mode, size: stats.size, ordinary: stats.isFile() };
}
