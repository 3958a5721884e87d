import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';

/** Writes a new file for its owner alone and waits until the disk has it. */
export function writeDurably(file: string, content: string | Uint8Array): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const descriptor = openSync(file, 'wx', 0o600);
  try {
    writeFileSync(descriptor, content);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Until the disk knows which names a folder holds. */
export function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** The file has its old or its new content, whenever the machine stops. */
export function replaceDurably(file: string, content: string | Uint8Array): void {
  const fresh = `${file}.new`;
  rmSync(fresh, { force: true });
  writeDurably(fresh, content);
  renameSync(fresh, file);
  syncFolder(dirname(file));
}

/**
 * Makes a file that is there whole or not at all, whenever the machine stops. False when there is one already: of two
 * processes that make the same file at the same time, one wins, and what it wrote stays.
 */
export function createDurably(file: string, content: string | Uint8Array): boolean {
  const fresh = `${file}.${process.pid}.new`;
  rmSync(fresh, { force: true });
  try {
    writeDurably(fresh, content);
    linkSync(fresh, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(fresh, { force: true });
  }
  syncFolder(dirname(file));
  return true;
}

/** The link points to its old or its new target, whenever the machine stops. */
export function relinkDurably(link: string, target: string): void {
  const fresh = `${link}.new`;
  rmSync(fresh, { force: true });
  symlinkSync(target, fresh);
  renameSync(fresh, link);
  syncFolder(dirname(link));
}

export function linkTarget(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch {
    return undefined;
  }
}
