import { distinctFlows, type EdgeDocument, portPlan } from '#platform/topology';
import { hosts, networksOf } from '../model/networks.ts';
import type { Rule, Ruleset } from '../model/ruleset.ts';
import {
  denial,
  dropping,
  errorsAboutFlows,
  established,
  invalid,
  type RulesetOptions,
  spoofed,
} from './common-rules.ts';
import { flowRules } from './flow-rules.ts';
import { internalAddresses } from './internal-side.ts';
import { balancerNotes } from './notes.ts';

/** The firewall between the perimeter and the internal network: the edge opens flows to the next hop only. */
export function internalRuleset(document: EdgeDocument, options: RulesetOptions): Ruleset {
  const plan = portPlan(document);
  const flows = distinctFlows(plan).filter((flow) => flow.interface === 'internal');
  return {
    firewall: 'internal',
    scenario: plan.scenario.id,
    chains: [
      spoofed,
      {
        hook: 'forward',
        policy: 'drop',
        rules: [
          invalid,
          established,
          ...errorsAboutFlows,
          ...flowRules(flows, { neverAny: [] }),
          ...fromEdges(document),
          ...denial('dropped', options),
        ],
      },
    ],
    reservedPorts: [],
    notes: [
      'Forwarding only: what this machine itself sends and receives is decided elsewhere.',
      'Everything that this machine forwards has to be in the port plan, or is dropped.',
      ...balancerNotes(plan.scenario),
    ],
  };
}

/** Counted apart, because it is the sign of an edge that does what it should not. */
function fromEdges(document: EdgeDocument): Rule[] {
  return ([4, 6] as const).flatMap((family) => {
    const networks = networksOf(family, hosts(internalAddresses(document)));
    if (networks.length === 0) return [];
    return [
      dropping('edge_to_internal', { family, source: { networks } }, 'an edge dials the next hop only'),
    ];
  });
}
