import type { DistinctFlow } from '#platform/topology';
import { hosts, mergedRanges, networksOf } from '../model/networks.ts';
import type { AddressMatch, Match, Rule } from '../model/ruleset.ts';

export interface FlowRuleOptions {
  /** Networks that "any" never means: a flow with everybody outside has nobody inside. */
  readonly neverAny: readonly string[];
  /** Conditions of the place, such as whose socket it is. */
  readonly more?: (flow: DistinctFlow) => Partial<Match>;
}

/**
 * One rule for each distinct flow, in their order. Rows that a firewall cannot tell apart, such as what one member of a
 * pool sends and another receives, become one rule.
 */
export function flowRules(flows: readonly DistinctFlow[], options: FlowRuleOptions): Rule[] {
  const rules = new Map<string, Rule>();
  for (const flow of flows) {
    const match = { ...matchOf(flow, options.neverAny), ...options.more?.(flow) };
    const key = JSON.stringify(match);
    const known = rules.get(key);
    const rows = [...(known?.rows ?? []), ...flow.rows];
    rules.set(key, { match, action: { kind: 'accept' }, rows, service: known?.service ?? flow.service });
  }
  return named([...rules.values()]);
}

function matchOf(flow: DistinctFlow, neverAny: readonly string[]): Match {
  const edge: AddressMatch = {
    networks: networksOf(flow.family, hosts(flow.edge.map(({ address }) => address))),
  };
  const peers = peersOf(flow, neverAny);
  const inbound = flow.direction === 'inbound';
  const source = inbound ? peers : edge;
  const destination = inbound ? edge : peers;
  return {
    family: flow.family,
    ...(source && { source }),
    ...(destination && { destination }),
    transport: flow.transport,
    ...(flow.sourcePorts && { sourcePorts: mergedRanges(flow.sourcePorts) }),
    ports: mergedRanges(flow.ports),
    state: 'new',
  };
}

function peersOf({ family, peers }: DistinctFlow, neverAny: readonly string[]): AddressMatch | undefined {
  if (peers !== 'any') return { networks: networksOf(family, peers) };
  const except = networksOf(family, neverAny);
  return except.length === 0 ? undefined : { networks: except, except: true };
}

/** A counter of its own for each: the first row's id, `_v6` for IPv6, and a number where a row has several flows. */
function named(rules: readonly Rule[]): Rule[] {
  const uses = new Map<string, number>();
  return rules.map((rule) => {
    const base = `${(rule.rows[0] ?? '').replace('-', '_')}${rule.match.family === 6 ? '_v6' : ''}`;
    const use = (uses.get(base) ?? 0) + 1;
    uses.set(base, use);
    return { ...rule, counter: use === 1 ? base : `${base}_${use}` };
  });
}
