import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release } from 'node:os';
import { join } from 'node:path';

/** The middle of a list of numbers, and any other quantile of it. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** The mean of the two middle ones when their count is even. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low, high] = [sorted[sorted.length % 2 === 0 ? middle - 1 : middle], sorted[middle]];
  return ((low ?? Number.NaN) + (high ?? Number.NaN)) / 2;
}

/** Ours by theirs, of the medians, with the least and greatest of the rounds that were played side by side. */
export function ratio(ours: readonly number[], theirs: readonly number[]): { middle: number; text: string } {
  const middle = median(ours) / median(theirs);
  const pairs = ours.map((value, index) => value / (theirs[index] ?? Number.NaN));
  const [least, greatest] = [Math.min(...pairs), Math.max(...pairs)];
  return { middle, text: `**${middle.toFixed(2)}** (${least.toFixed(2)} to ${greatest.toFixed(2)})` };
}

/** 12345.6 as 12 346. */
export function whole(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ' ');
}

/** A Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** What the figures were taken on. */
export function machine(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown';
  const load = loadavg()[0]?.toFixed(1);
  return (
    `${model}, ${availableParallelism()} cores, Linux ${release()}; load average ${load} at the end. ` +
    'The server under test is pinned to one core, the load to another.'
  );
}

/** The first line that a command prints and that matches; what it was compiled with is left out. */
export function versionOf(command: string, args: readonly string[], pattern: RegExp): string {
  try {
    const output = execFileSync(command, [...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    return pattern.exec(output)?.[0] ?? 'unknown version';
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    return pattern.exec(`${stdout ?? ''}${stderr ?? ''}`)?.[0] ?? 'unknown version';
  }
}

/** Prints a report and keeps it, with what is to be said about it, as `results/<name>-<date>.md`. */
export function keepReport(name: string, text: string): void {
  const folder = join(import.meta.dirname, '../results');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name}-${new Date().toISOString().slice(0, 10)}.md`);
  const reading = readFileSync(join(import.meta.dirname, `../readings/${name}.md`), 'utf8');
  writeFileSync(file, `${text}\n${reading}`);
  process.stdout.write(`\n${text}\nkept in ${file}\n`);
}
