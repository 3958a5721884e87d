import { closeSync, openSync, readFileSync } from 'node:fs';

/** Linux grows the table to the next power of two, so whoever has one descriptor beyond the middle has all of it. */
const FIRST_TABLE = 256;

/**
 * Lets the process's table of descriptors grow to so many, now. In a process with threads Linux makes whoever needs a
 * larger table wait until all processors have let go of the old one (`expand_files`, `synchronize_rcu`), and everybody
 * else who wants a descriptor with them: ten milliseconds and more for each doubling, as busy as the machine is, in
 * which nobody's request is read. The table never becomes smaller.
 * @param wanted descriptors; no more than the process may have are made room for
 */
export function makeDescriptorRoom(wanted: number): void {
  if (process.platform !== 'linux') return;
  const limit = descriptorLimit();
  let size = FIRST_TABLE;
  while (size < Math.min(wanted, limit)) size *= 2;
  const opened: number[] = [];
  try {
    while ((opened.at(-1) ?? 0) < size / 2) opened.push(openSync('/dev/null', 'r'));
  } catch {
    // None left: then the table is as large as it can become.
  }
  for (const descriptor of opened) closeSync(descriptor);
}

/** As it is in force, `ulimit -n`. */
function descriptorLimit(): number {
  const limits = readFileSync('/proc/self/limits', 'latin1');
  return Number(/^Max open files +(\d+)/m.exec(limits)?.[1] ?? FIRST_TABLE);
}
