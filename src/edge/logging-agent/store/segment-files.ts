import {
  closeSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/** What is known of a segment without opening it. */
export interface SegmentFacts {
  /** Number of its first event; its name. */
  readonly first: number;
  readonly last: number;
  /** Time of its oldest and of its newest event. */
  readonly from: number;
  readonly to: number;
  readonly events: number;
  readonly bytes: number;
}

const facts = z.strictObject({
  first: z.int().min(1),
  last: z.int().min(0),
  from: z.number(),
  to: z.number(),
  events: z.int().min(0),
  bytes: z.number().min(0),
});
const LONGEST_HEAD = 4096;
const DATABASE = /^segment-(\d{16})\.db$/;

export function databaseFile(folder: string, first: number): string {
  return join(folder, `segment-${String(first).padStart(16, '0')}.db`);
}
function sealFile(folder: string, first: number): string {
  return join(folder, `segment-${String(first).padStart(16, '0')}.seal`);
}

/** Numbers of the segments in a folder, oldest first. */
export function listSegments(folder: string): number[] {
  const numbers = readdirSync(folder).map((name) => Number(DATABASE.exec(name)?.[1]));
  return numbers.filter((number) => number >= 1).sort((a, b) => a - b);
}

/** A segment is sealed when this file is there: one line of facts, then the key filter. It is whole or absent. */
export function writeSeal(folder: string, segment: SegmentFacts, filter: Uint8Array): void {
  const file = sealFile(folder, segment.first);
  const handle = openSync(`${file}.new`, 'w', 0o600);
  try {
    writeSync(handle, `${JSON.stringify(segment)}\n`);
    writeSync(handle, filter);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(`${file}.new`, file);
}

/** Undefined when the segment is not sealed, or its seal is not what was written. */
export function readSeal(
  folder: string,
  first: number,
): { readonly facts: SegmentFacts; readonly filter: Uint8Array } | undefined {
  try {
    const bytes = readFileSync(sealFile(folder, first));
    const end = bytes.indexOf(0x0a);
    if (end < 0 || end > LONGEST_HEAD) return undefined;
    const head = facts.safeParse(JSON.parse(bytes.toString('utf8', 0, end)));
    if (!head.success || head.data.first !== first) return undefined;
    return { facts: head.data, filter: bytes.subarray(end + 1) };
  } catch {
    return undefined;
  }
}

export function removeSegment(folder: string, first: number): void {
  // The seal first: a database without one is looked at again, a seal without its database is nothing.
  for (const file of [sealFile(folder, first), databaseFile(folder, first)])
    for (const suffix of ['', '.new', '-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true });
}

/** Keeps what cannot be read out of the way, for whoever wants to look at it. */
export function setAside(folder: string, first: number): string {
  const file = databaseFile(folder, first);
  const aside = `${file}.damaged`;
  renameSync(file, aside);
  removeSegment(folder, first);
  return aside;
}

export function segmentBytes(folder: string, first: number): number {
  const file = databaseFile(folder, first);
  return ['', '-wal'].reduce((sum, suffix) => {
    return sum + (statSync(`${file}${suffix}`, { throwIfNoEntry: false })?.size ?? 0);
  }, 0);
}
