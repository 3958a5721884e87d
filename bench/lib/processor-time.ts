import { readdirSync, readFileSync } from 'node:fs';

/** Processor seconds (user and system) that a process and everything below it has used so far. Linux. */
export function processorSeconds(pid: number): number {
  return sum(withDescendants(pid).map(ownProcessorSeconds));
}

/**
 * The same of one process without those that it started: of the threads that it has now, in nanoseconds as the scheduler
 * keeps them. The process's own times come in hundredths of a second, which is a fiftieth of a short round.
 */
export function ownProcessorSeconds(pid: number): number {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    return sum(threads.map((thread) => nanosecondsOf(`/proc/${pid}/task/${thread}/schedstat`))) / 1e9;
  } catch {
    return 0;
  }
}

/** Octets of memory that a process and everything below it hold right now (resident set). Linux. */
export function residentBytes(pid: number): number {
  return sum(withDescendants(pid).map(residentOf));
}

function withDescendants(pid: number): number[] {
  const parents = readParents();
  const found: number[] = [];
  const wanted = [pid];
  for (let current = wanted.pop(); current !== undefined; current = wanted.pop()) {
    found.push(current);
    for (const [child, parent] of parents) if (parent === current) wanted.push(child);
  }
  return found;
}

function nanosecondsOf(file: string): number {
  try {
    return Number(readFileSync(file, 'utf8').split(' ')[0]);
  } catch {
    // The thread has ended.
    return 0;
  }
}

function residentOf(pid: number): number {
  try {
    const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return Number(match?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

function readParents(): Map<number, number> {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const parent = parentOf(name);
    if (parent !== undefined) parents.set(Number(name), parent);
  }
  return parents;
}

function parentOf(name: string): number | undefined {
  try {
    const text = readFileSync(`/proc/${name}/stat`, 'utf8');
    // The command may hold blanks and brackets; the fields begin behind its last bracket.
    return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
