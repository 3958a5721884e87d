import { readdirSync } from 'node:fs';

/** What everything that outlives a killed run is called at first; the id of the process that made it follows. */
export const OWNED = 'sallyproof';
/** What a run calls its own. */
export const OWN = `${OWNED}${process.pid}-`;

const OWNER = new RegExp(`^${OWNED}(\\d+)-`);

/** The names in a folder that belong to runs that are no more: those that were killed could not take them down. */
export function leftovers(folder: string): string[] {
  return namesIn(folder).filter((name) => {
    const owner = OWNER.exec(name)?.[1];
    return owner !== undefined && (Number(owner) === process.pid || !isRunning(Number(owner)));
  });
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
