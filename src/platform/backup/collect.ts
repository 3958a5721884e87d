import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { err, FailureError, failure, ok, type Result } from '#kernel';
import { copyDatabase } from '#platform/store';
import type { BackupFile } from './archive.ts';

/** What belongs into the backup of a program. */
export interface Belongings {
  /** Files that have to be there: the document and what it names. */
  readonly files: readonly string[];
  /** Files, links and folders of the program's own making, which may not be there yet. */
  readonly state: readonly string[];
  /** SQLite; copied as they are at one moment, while the program goes on writing. */
  readonly databases: readonly string[];
}

/** Reads everything, each path once. */
export function collect({ files, state, databases }: Belongings): Result<BackupFile[]> {
  const collected = new Map<string, BackupFile>();
  const add = (file: BackupFile) => void collected.set(file.path, file);
  try {
    for (const file of files) add(readOne(resolve(file)));
    for (const place of state) for (const file of readState(resolve(place))) add(file);
    for (const database of databases) {
      const copied = readDatabase(resolve(database));
      if (copied !== undefined) add(copied);
    }
    return ok([...collected.values()]);
  } catch (error) {
    if (error instanceof FailureError) return err(error.failure);
    const { path = '', code, message } = error as NodeJS.ErrnoException;
    return err(failure('SLP-CFG-0043', `${path}: ${code ?? message}`, error));
  }
}

function readOne(path: string): BackupFile {
  const { mode, uid, gid } = statSync(path);
  return { path, kind: 'file', mode: mode & 0o777, uid, gid, content: readFileSync(path) };
}

function readState(path: string): BackupFile[] {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return [];
  const { mode, uid, gid } = stats;
  if (stats.isSymbolicLink()) {
    const target = readlinkSync(path);
    const link: BackupFile = { path, kind: 'link', mode: 0o777, uid, gid, content: Buffer.from(target) };
    return [link, ...readState(resolve(dirname(path), target))];
  }
  if (stats.isDirectory()) return readdirSync(path).flatMap((name) => readState(join(path, name)));
  return stats.isFile()
    ? [{ path, kind: 'file', mode: mode & 0o777, uid, gid, content: readFileSync(path) }]
    : [];
}

function readDatabase(path: string): BackupFile | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  // Beside it, in a folder that is its owner's alone: a copy has the same secrets.
  const folder = mkdtempSync(join(dirname(path), '.backup-'));
  try {
    const copy = join(folder, 'copy.sqlite');
    const copied = copyDatabase(path, copy);
    if (!copied.ok) throw new FailureError(copied.error);
    const { mode, uid, gid } = stats;
    return { path, kind: 'database', mode: mode & 0o777, uid, gid, content: readFileSync(copy) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
