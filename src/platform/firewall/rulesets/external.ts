import { type DistinctFlow, distinctFlows, type EdgeDocument, portPlan } from '#platform/topology';
import { hosts, networksOf } from '../model/networks.ts';
import type { Chain, Match, Rule, Ruleset } from '../model/ruleset.ts';
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
import { internalSide } from './internal-side.ts';
import { balancerNotes } from './notes.ts';

/** One address of an edge and what the outside sees in its place. */
interface Translation {
  readonly address: string;
  readonly publicAddress: string;
}

/**
 * The firewall between the Internet and the perimeter: a router that forwards what the plan names and nothing else, and
 * translates addresses where the document says that they are translated.
 */
export function externalRuleset(document: EdgeDocument, options: RulesetOptions): Ruleset {
  const plan = portPlan(document);
  const flows = distinctFlows(plan).filter((flow) => flow.interface === 'external');
  const inside = internalSide(document);
  const translations = translationsOf(flows);
  const forward: Chain = {
    hook: 'forward',
    policy: 'drop',
    rules: [
      invalid,
      ...neverHere(inside, translations),
      established,
      ...errorsAboutFlows,
      ...untranslated(translations),
      ...flowRules(flows, { neverAny: inside }),
      ...denial('dropped', options),
    ],
  };
  return {
    firewall: 'external',
    scenario: plan.scenario.id,
    chains: [spoofed, ...translating(translations), forward],
    reservedPorts: [],
    notes: [
      'Forwarding only: what this machine itself sends and receives is decided elsewhere.',
      'Everything that this machine forwards has to be in the port plan, or is dropped.',
      ...(translations.length === 0 ? [] : HAIRPIN),
      ...balancerNotes(plan.scenario),
    ],
  };
}

const HAIRPIN = [
  'Translation keeps the source of what arrives; edges that speak to public addresses of edges come back translated both ways, so the route of the edges to the public addresses has to lead here.',
];

function translationsOf(flows: readonly DistinctFlow[]): Translation[] {
  const byAddress = new Map<string, Translation>();
  for (const { address, publicAddress } of flows.flatMap(({ edge }) => edge)) {
    if (publicAddress !== undefined && !byAddress.has(address))
      byAddress.set(address, { address, publicAddress });
  }
  return [...byAddress.values()];
}

/** Addresses that no packet may have on this side of the edge, whatever its interface. */
function neverHere(inside: readonly string[], translations: readonly Translation[]): Rule[] {
  const shown = hosts(translations.map(({ publicAddress }) => publicAddress));
  return ([4, 6] as const).flatMap((family) => {
    const rules: Rule[] = [];
    const never = (key: 'source' | 'destination', among: readonly string[], purpose: string): void => {
      const networks = networksOf(family, among);
      if (networks.length > 0) rules.push(dropping('misplaced', { family, [key]: { networks } }, purpose));
    };
    never('source', inside, 'internal source');
    never('destination', inside, 'internal destination');
    never('source', shown, 'source that only translation writes');
    return rules;
  });
}

/** A packet that asks for the untranslated address from outside was made by somebody who should not know it. */
function untranslated(translations: readonly Translation[]): Rule[] {
  return ([4, 6] as const).flatMap((family) => {
    const networks = networksOf(family, hosts(translations.map(({ address }) => address)));
    if (networks.length === 0) return [];
    const match: Match = { family, destination: { networks }, state: 'new', special: 'untranslated' };
    return [dropping('untranslated', match, 'address that is not shown outside')];
  });
}

/** The same pairs in both directions, all protocols and ports: the rules in `forward` decide what passes. */
function translating(translations: readonly Translation[]): Chain[] {
  if (translations.length === 0) return [];
  const rule = (key: 'source' | 'destination', from: string, to: string): Rule => {
    const family = from.includes(':') ? 6 : 4;
    return {
      match: { family, [key]: { networks: hosts([from]) } },
      action: { kind: 'translate', to },
      rows: [],
    };
  };
  return [
    {
      hook: 'destination-translation',
      policy: 'accept',
      rules: translations.map(({ address, publicAddress }) => rule('destination', publicAddress, address)),
    },
    {
      hook: 'source-translation',
      policy: 'accept',
      rules: translations.map(({ address, publicAddress }) => rule('source', address, publicAddress)),
    },
  ];
}
