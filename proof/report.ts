import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { RuleCount } from './observe/rule-counters.ts';

/** What became of a row: `off` when the document does not ask for it. */
export type RowOutcome = 'proven' | 'failed' | 'off';

export interface RowResult {
  readonly id: string;
  readonly outcome: RowOutcome;
  /** What was seen, or why it is not proven. */
  readonly evidence: string;
  /** The rules that carry the row on the hosts that its flow passed, with what they counted since they were loaded. */
  readonly counters: Readonly<Record<string, readonly RuleCount[]>>;
}

export interface CheckResult {
  readonly name: string;
  readonly ok: boolean;
  readonly findings: readonly string[];
  readonly seconds: number;
}

/** What the proof says in the end; its JSON form is the file. */
export interface Report {
  readonly ok: boolean;
  readonly seconds: number;
  readonly rows: readonly RowResult[];
  /** What must not be possible. */
  readonly negative: readonly CheckResult[];
  /** Faults that were put in on purpose: `ok` when the proof found them. */
  readonly experiments: readonly CheckResult[];
}

const SHOWN_FINDINGS = 20;

/** One line of the table. */
export function rowLine({ id, outcome, evidence, counters }: RowResult): string {
  const counted = Object.entries(counters).map(
    ([host, counts]) => `${host} ${counts.map(({ counter, packets }) => `${counter} ${packets}`).join(', ')}`,
  );
  const rules = counted.length === 0 ? '' : `\n${' '.repeat(19)}${counted.join('; ')}`;
  return `${id.padEnd(9)}${outcome.padEnd(10)}${evidence}${rules}`;
}

export function checkLine({ name, ok, findings, seconds }: CheckResult): string {
  const shown = findings.slice(0, SHOWN_FINDINGS).map((finding) => `\n${' '.repeat(10)}${finding}`);
  const more =
    findings.length > SHOWN_FINDINGS ? `\n${' '.repeat(10)}and ${findings.length - SHOWN_FINDINGS} more` : '';
  return `${(ok ? 'ok' : 'FAILED').padEnd(9)} ${name} (${seconds.toFixed(1)} s)${shown.join('')}${more}`;
}

/** The last line: how many of what. */
export function summary({ rows, negative, experiments, ok, seconds }: Report): string {
  const count = (outcome: RowOutcome) => rows.filter((row) => row.outcome === outcome).length;
  const good = (results: readonly CheckResult[]) => results.filter((result) => result.ok).length;
  return (
    `${ok ? 'PROVEN' : 'NOT PROVEN'}: rows ${count('proven')} proven, ${count('failed')} failed, ` +
    `${count('off')} off; nothing else open: ${good(negative)} of ${negative.length}; ` +
    `faults found: ${good(experiments)} of ${experiments.length}; ${seconds.toFixed(0)} s`
  );
}

export function writeReport(report: Report, file: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ version: 1, ...report }, undefined, 2)}\n`);
}
