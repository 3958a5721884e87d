import { chmodSync, existsSync, lchownSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { err, failure, ok, type Result } from '#kernel';
import { relinkDurably, replaceDurably } from '#platform/store';
import type { Archive, BackupFile } from './archive.ts';

/** What SQLite keeps beside a database: of another state than the one that is put back. */
const COMPANIONS = ['-wal', '-shm', '-journal'];

/** The paths at which something stands now. */
export function inTheWay({ files }: Archive): string[] {
  return files.flatMap(({ path, kind }) => {
    const beside = kind === 'database' ? COMPANIONS.map((end) => `${path}${end}`) : [];
    return [path, ...beside].filter((one) => lstatSync(one, { throwIfNoEntry: false }) !== undefined);
  });
}

/** Puts everything back where it stood, each file whole or not at all. Links come last: what they lead to is there then. */
export function putBack(archive: Archive, replace: boolean): Result<void> {
  const obstacles = inTheWay(archive);
  if (obstacles.length > 0 && !replace) {
    const [first = ''] = obstacles;
    return err(
      failure('SLP-CFG-0046', obstacles.length === 1 ? first : `${first} and ${obstacles.length - 1} more`),
    );
  }
  const links = archive.files.filter(({ kind }) => kind === 'link');
  const others = archive.files.filter(({ kind }) => kind !== 'link');
  try {
    for (const file of [...others, ...links]) writeOne(file);
    return ok(undefined);
  } catch (error) {
    const { path = '', code, message } = error as NodeJS.ErrnoException;
    return err(failure('SLP-CFG-0047', `${path}: ${code ?? message}`, error));
  }
}

function writeOne({ path, kind, mode, uid, gid, content }: BackupFile): void {
  const asRoot = process.getuid?.() === 0;
  const folder = dirname(path);
  const made = existsSync(folder) ? undefined : mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (let one = folder; asRoot && made !== undefined && one.length >= made.length; one = dirname(one))
    lchownSync(one, uid, gid);
  if (kind === 'link') relinkDurably(path, Buffer.from(content).toString('utf8'));
  else {
    if (kind === 'database') for (const end of COMPANIONS) rmSync(`${path}${end}`, { force: true });
    replaceDurably(path, content);
    chmodSync(path, mode);
  }
  if (asRoot) lchownSync(path, uid, gid);
}
