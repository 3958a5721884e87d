import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks a second; Linux reports process times in these whatever the kernel's own tick is. */
const TICKS_PER_SECOND = 100;

/** Processor seconds (user and system) that a process and everything below it has used so far. Linux. */
export function processorSeconds(pid: number): number {
  const table = readProcesses();
  let total = 0;
  const wanted = [pid];
  for (let current = wanted.pop(); current !== undefined; current = wanted.pop()) {
    total += table.get(current)?.ticks ?? 0;
    for (const [child, entry] of table) if (entry.parent === current) wanted.push(child);
  }
  return total / TICKS_PER_SECOND;
}

/** Octets of memory that a process and everything below it hold right now (resident set). Linux. */
export function residentBytes(pid: number): number {
  const table = readProcesses();
  let total = 0;
  const wanted = [pid];
  for (let current = wanted.pop(); current !== undefined; current = wanted.pop()) {
    total += residentOf(current);
    for (const [child, entry] of table) if (entry.parent === current) wanted.push(child);
  }
  return total;
}

function residentOf(pid: number): number {
  try {
    const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return Number(match?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

interface Entry {
  readonly parent: number;
  readonly ticks: number;
}

function readProcesses(): Map<number, Entry> {
  const table = new Map<number, Entry>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const entry = readEntry(name);
    if (entry !== undefined) table.set(Number(name), entry);
  }
  return table;
}

function readEntry(name: string): Entry | undefined {
  try {
    const text = readFileSync(`/proc/${name}/stat`, 'utf8');
    // The command may hold blanks and brackets; the fields begin behind its last bracket.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) };
  } catch {
    return undefined;
  }
}
