import type { Complaint, Severity } from '#platform/topology';
import { printable } from './terminal.ts';

const HEADINGS: readonly (readonly [Severity, string])[] = [
  ['error', 'Errors'],
  ['warning', 'Warnings'],
  ['instruction', 'Instructions'],
];

/** Findings as the three lists that every check prints, each there even when it is empty. */
export function threeLists(findings: readonly Complaint[]): string {
  return HEADINGS.map(([severity, heading]) => {
    const own = findings.filter((finding) => finding.severity === severity);
    if (own.length === 0) return `${heading}: none`;
    return [`${heading}: ${own.length}`, ...own.map(findingLine)].join('\n');
  }).join('\n');
}

/** The same for programs. */
export function threeListsJson(findings: readonly Complaint[]): Record<string, readonly unknown[]> {
  const of = (wanted: Severity) =>
    findings
      .filter(({ severity }) => severity === wanted)
      .map(({ rule, what, instead }) => ({ rule, what, instead }));
  return { errors: of('error'), warnings: of('warning'), instructions: of('instruction') };
}

export function hasErrors(findings: readonly Complaint[]): boolean {
  return findings.some(({ severity }) => severity === 'error');
}

function findingLine({ what, instead }: Complaint): string {
  return printable(`  ${what}: ${instead}`);
}
