import { createHash, type Hash, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, statfsSync, statSync } from 'node:fs';
import { type FileHandle, open, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { err, failure, ok, type Result } from '#kernel';
import { syncFolder } from '#platform/store';
import type { FileDesk, FileDraft, FileFailure, StoredFile } from '../meeting/files.ts';
import { mediaTypeOf, pictureOf } from './picture.ts';

const INCOMING = 'incoming';
const HASH = /^[0-9a-f]{64}$/;
/** Of a file, for what it is to be known by. Bytes. */
const HEAD = 524_288;
/** Stays free for the database. Bytes. */
const RESERVE = 64 * 1_048_576;
/** A file that nobody names may be about to be named. */
const YOUNG_MS = 60_000;
/** Files under way at a time, of all meetings: each takes a descriptor and its head in memory. */
const MOST_DRAFTS = 400;

/** Free bytes of the file system of a folder. */
export type FreeSpace = (folder: string) => number;
const freeSpace: FreeSpace = (folder) => {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
};

/** Files by their content, in one folder; equal files are there once. */
export class FileStore implements FileDesk {
  readonly folder: string;
  readonly #free: FreeSpace;
  /** Returns when the disk knows which names a folder holds. */
  readonly #sync: (folder: string) => void;
  /** Bytes that drafts may yet write. */
  #promised = 0;
  #drafts = 0;
  /** Shelves that are still to be swept in this round. */
  #unswept: string[] = [];

  private constructor(folder: string, free: FreeSpace, sync: (folder: string) => void) {
    this.folder = folder;
    this.#free = free;
    this.#sync = sync;
  }
  /** What was half-way when the process ended is gone. */
  static open(folder: string, free = freeSpace, sync = syncFolder): Result<FileStore> {
    try {
      rmSync(join(folder, INCOMING), { recursive: true, force: true });
      mkdirSync(join(folder, INCOMING), { recursive: true, mode: 0o700 });
      return ok(new FileStore(folder, free, sync));
    } catch (problem) {
      return err(failure('SLP-WEB-0058', `${folder}: ${(problem as Error).message}`, problem));
    }
  }

  begin(length: number): FileDraft | undefined {
    try {
      if (this.#drafts >= MOST_DRAFTS) return undefined;
      if (this.#free(this.folder) - this.#promised < length + RESERVE) return undefined;
    } catch {
      return undefined;
    }
    this.#drafts += 1;
    this.#promised += length;
    const place = join(this.folder, INCOMING, randomBytes(16).toString('hex'));
    return new Draft(this, place, () => {
      this.#drafts -= 1;
      this.#promised -= length;
    });
  }
  /** Where a file is; nothing but a hash leads anywhere. */
  pathOf(hash: string): string | undefined {
    return HASH.test(hash) ? join(this.folder, hash.slice(0, 2), hash) : undefined;
  }
  /** A file that is whole takes its place, and is there when the power fails. @throws when the disk does not take it */
  async shelve(place: string, hash: string): Promise<string> {
    const path = this.pathOf(hash) ?? '';
    const shelf = dirname(path);
    if (mkdirSync(shelf, { recursive: true, mode: 0o700 }) !== undefined) this.#sync(this.folder);
    await rename(place, path);
    const now = new Date();
    await utimes(path, now, now);
    this.#sync(shelf);
    return path;
  }
  /** Deletes files that nobody names any more, all of them. */
  sweep(isNamed: (hash: string) => boolean, now: number): number {
    return shelvesOf(this.folder).reduce((swept, shelf) => swept + this.#sweepShelf(shelf, isNamed, now), 0);
  }
  /** As `sweep`, on the next of 256 shelves only: whoever has many files has other things to do meanwhile. */
  sweepNext(isNamed: (hash: string) => boolean, now: number): number {
    if (this.#unswept.length === 0) this.#unswept = shelvesOf(this.folder);
    const shelf = this.#unswept.pop();
    return shelf === undefined ? 0 : this.#sweepShelf(shelf, isNamed, now);
  }
  #sweepShelf(shelf: string, isNamed: (hash: string) => boolean, now: number): number {
    let swept = 0;
    for (const hash of readdirSync(join(this.folder, shelf))) {
      const path = join(this.folder, shelf, hash);
      const stats = statSync(path, { throwIfNoEntry: false });
      if (!HASH.test(hash) || stats === undefined || now - stats.mtimeMs < YOUNG_MS || isNamed(hash))
        continue;
      rmSync(path, { force: true });
      swept++;
    }
    return swept;
  }
}

function shelvesOf(folder: string): string[] {
  return readdirSync(folder).filter((name) => /^[0-9a-f]{2}$/.test(name));
}

/** One file on its way, written piece by piece in order. */
class Draft implements FileDraft {
  readonly #store: FileStore;
  readonly #place: string;
  readonly #settle: () => void;
  readonly #hash: Hash = createHash('sha256');
  readonly #head: Buffer[] = [];
  #headBytes = 0;
  #size = 0;
  #work: Promise<FileHandle | undefined>;
  #abandoned = false;
  #failure: FileFailure | undefined;

  constructor(store: FileStore, place: string, settle: () => void) {
    this.#store = store;
    this.#place = place;
    this.#settle = settle;
    this.#work = open(place, 'wx', 0o600).catch((problem: unknown) => this.#fail(problem));
  }

  write(chunk: Uint8Array, done: (failure: FileFailure | undefined) => void): void {
    this.#hash.update(chunk);
    this.#size += chunk.length;
    if (this.#headBytes < HEAD) {
      const piece = Buffer.from(chunk.subarray(0, HEAD - this.#headBytes));
      this.#head.push(piece);
      this.#headBytes += piece.length;
    }
    this.#work = this.#work.then(async (file) => {
      if (this.#abandoned) return file;
      try {
        if (this.#failure === undefined) await file?.appendFile(chunk);
      } catch (problem) {
        this.#fail(problem);
      }
      done(this.#failure);
      return file;
    });
  }
  finish(done: (outcome: Result<StoredFile, FileFailure>) => void): void {
    this.#work = this.#work.then(async (file) => {
      if (this.#abandoned) return file;
      const outcome = await this.#keep(file);
      // Whoever gave it up in the meantime does not hear of it; the file, which nobody names, is swept one day.
      if (!this.#abandoned) {
        this.#abandoned = true;
        this.#settle();
        done(outcome);
      }
      return undefined;
    });
  }
  abandon(): void {
    if (this.#abandoned) return;
    this.#abandoned = true;
    this.#settle();
    this.#work = this.#work.then(async (file) => this.#discard(file));
  }

  async #keep(file: FileHandle | undefined): Promise<Result<StoredFile, FileFailure>> {
    const head = Buffer.concat(this.#head);
    const picture = pictureOf(head);
    const about = { size: this.#size, type: mediaTypeOf(head) };
    const hash = this.#hash.digest('hex');
    try {
      if (this.#failure !== undefined || file === undefined) throw new Error('not written');
      await file.sync();
      await file.close();
      const path = await this.#store.shelve(this.#place, hash);
      if ((await stat(path)).size !== about.size) throw new Error('not whole');
      return ok({ hash, ...about, picture: picture && { width: picture.width, height: picture.height } });
    } catch (problem) {
      this.#fail(problem);
      await this.#discard(file);
      return err(this.#failure ?? 'failed');
    }
  }
  async #discard(file: FileHandle | undefined): Promise<undefined> {
    await file?.close().catch(() => undefined);
    await rm(this.#place, { force: true }).catch(() => undefined);
  }
  #fail(problem: unknown): undefined {
    const { code } = problem as NodeJS.ErrnoException;
    this.#failure ??= code === 'ENOSPC' || code === 'EDQUOT' ? 'no-space' : 'failed';
  }
}
