import {
  describeHost,
  type HostFinding,
  type HostReadings,
  type OutsideReadings,
} from '#platform/host-survey';
import { printable, table } from '../terminal.ts';

const TITLES = { error: 'ERROR', warning: 'WARNING', instruction: 'TO DO' } as const;

/** What was found on the host, as a table. */
export function hostText(host: HostReadings, outside: OutsideReadings): string {
  const rows = describeHost(host, outside).map(([about, found]) => [`  ${about}`, printable(found)]);
  return ['Found on this host:', table(rows)].join('\n');
}

/** What is to be changed on it. */
export function findingsText(findings: readonly HostFinding[]): string {
  if (findings.length === 0) return 'Nothing to change on this host.';
  const lines = [`To change on this host (${findings.length}):`];
  for (const { severity, what, why, change } of findings) {
    lines.push('', `${TITLES[severity]}  ${printable(what)}`, `  why  ${printable(why)}.`);
    for (const [index, one] of change.entries())
      lines.push(`  ${index === 0 ? 'do ' : '   '}  ${printable(one)}`);
  }
  return lines.join('\n');
}
