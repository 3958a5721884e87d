import { parseEdgeDocument } from '#platform/topology';
import { edited, goodEdge } from '../../topology/testing/documents.ts';
import { virtualFiles } from '../../topology/testing/virtual-files.ts';
import type { FirewallName, Rule, Ruleset } from '../model/ruleset.ts';
import type { RulesetOptions } from '../rulesets/common-rules.ts';
import { firewallRuleset } from '../rulesets/ruleset.ts';

/** The rules of the small document with some pieces of its text replaced. */
export function rulesOf(
  firewall: FirewallName,
  edits: readonly (readonly [string, string])[] = [],
  options: RulesetOptions = {},
): Ruleset {
  const text = edits.reduce((before, edit) => edited(before, ...edit), goodEdge);
  const parsed = parseEdgeDocument(text, { file: 'edge.yaml', files: virtualFiles });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return firewallRuleset(parsed.value, firewall, options);
}

/** Every rule of a ruleset. */
export function rulesIn(ruleset: Ruleset): Rule[] {
  return ruleset.chains.flatMap(({ rules }) => rules);
}

/** The rules that carry a row. */
export function rulesFor(ruleset: Ruleset, row: string): Rule[] {
  return rulesIn(ruleset).filter(({ rows }) => rows.includes(row));
}
