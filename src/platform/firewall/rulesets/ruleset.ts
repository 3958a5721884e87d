import type { EdgeDocument } from '#platform/topology';
import type { FirewallName, Ruleset } from '../model/ruleset.ts';
import type { RulesetOptions } from './common-rules.ts';
import { externalRuleset } from './external.ts';
import { hostRuleset } from './host.ts';
import { internalRuleset } from './internal.ts';

/** The rules of one firewall: default deny in every direction, stateful, a pure function of the document. */
export function firewallRuleset(
  document: EdgeDocument,
  firewall: FirewallName,
  options: RulesetOptions = {},
): Ruleset {
  switch (firewall) {
    case 'external':
      return externalRuleset(document, options);
    case 'internal':
      return internalRuleset(document, options);
    case 'host':
      return hostRuleset(document, options);
  }
}
