import type { EdgeDocument, Severity } from '#platform/topology';
import type { HostFinding } from './finding.ts';
import type { HostReadings, OutsideReadings } from './readings.ts';
import { interfaceRoles } from './roles.ts';
import { interfaceRules } from './rules/interfaces.ts';
import { occupancyRules } from './rules/occupancy.ts';
import { outsideRules } from './rules/outside.ts';
import { privilegeRules } from './rules/privileges.ts';
import { resourceRules } from './rules/resources.ts';
import type { HostFacts, HostRule } from './rules/rule.ts';

export const hostRules: readonly HostRule[] = [
  ...interfaceRules,
  ...outsideRules,
  ...resourceRules,
  ...occupancyRules,
  ...privilegeRules,
];

export interface SurveyOptions {
  /** The addresses of the document are examples: nothing is said about where they are. */
  readonly imagined?: boolean;
  readonly outside?: OutsideReadings;
}

const ORDER: readonly Severity[] = ['error', 'warning', 'instruction'];

/** What is to be changed on a host before it runs the document, errors first; a pure function of what was read. */
export function surveyHost(
  host: HostReadings,
  document: EdgeDocument,
  { imagined = false, outside = {} }: SurveyOptions = {},
): HostFinding[] {
  const facts: HostFacts = { host, roles: interfaceRoles(host), document, imagined, outside };
  const findings: HostFinding[] = [];
  for (const { name: rule, check } of hostRules) {
    check(facts, (severity, what, why, ...change) => findings.push({ severity, rule, what, why, change }));
  }
  return ORDER.flatMap((severity) => findings.filter((finding) => finding.severity === severity));
}
