import {
  closeSync,
  existsSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { err, ok, type Result, randomToken, SystemRandom } from '#kernel';

export interface NewFile {
  readonly path: string;
  readonly text: string;
  readonly mode: number;
  /** Takes the place of one that is there. */
  readonly replace: boolean;
  /** Whose it becomes; the writer's when left out. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

const SUFFIX_LENGTH = 10;

/**
 * Writes a file so that it is there whole or not at all: under another name beside it, then by its own. The error is a
 * sentence for the operator.
 */
export function writeNewFile({ path, text, mode, replace, owner }: NewFile): Result<void, string> {
  const folder = dirname(path);
  if (!existsSync(folder)) return err(`there is no folder ${folder}: make it first, mkdir -p ${folder}`);
  const beside = join(folder, `.${basename(path)}.${randomToken(new SystemRandom(), SUFFIX_LENGTH)}`);
  try {
    writeSynced(beside, text, mode, owner);
    // A link never replaces; a rename always does.
    if (replace) renameSync(beside, path);
    else linkSync(beside, path);
    syncFolder(folder);
    return ok(undefined);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST')
      return err(`${path} is there already: give another name, or --force to replace it`);
    return err(`${path} cannot be written (${code ?? 'unknown'}): let this user write in ${folder}`);
  } finally {
    rmSync(beside, { force: true });
  }
}

function writeSynced(path: string, text: string, mode: number, owner: NewFile['owner']): void {
  const descriptor = openSync(path, 'wx', mode);
  try {
    if (owner !== undefined) fchownSync(descriptor, owner.uid, owner.gid);
    // Whatever the umask is.
    fchmodSync(descriptor, mode);
    writeFileSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
