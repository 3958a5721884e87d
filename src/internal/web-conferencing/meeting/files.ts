import type { Result } from '#kernel';
import type { FileRecord } from './records.ts';

export type FileFailure = 'no-space' | 'failed';

/** A file by its content, and its size in pixels when its first bytes are those of a picture. */
export interface StoredFile extends FileRecord {
  readonly picture: { readonly width: number; readonly height: number } | undefined;
}

/** A file on its way to the disk. Callbacks come later, in the order of the calls. */
export interface FileDraft {
  write(chunk: Uint8Array, done: (failure: FileFailure | undefined) => void): void;
  /** The file is whole: it is there under its hash before `done` is called. */
  finish(done: (outcome: Result<StoredFile, FileFailure>) => void): void;
  /** Nothing of it stays. */
  abandon(): void;
}

/** Where files are kept. */
export interface FileDesk {
  /** Undefined when there is no room for a file of so many bytes. */
  begin(length: number): FileDraft | undefined;
}
