import type { DistinctFlow } from '#platform/topology';
import { hosts, mergedRanges, networksOf } from '../model/networks.ts';
import type { AddressMatch, Match, Rule } from '../model/ruleset.ts';
import { dropping } from './common-rules.ts';

export interface FlowRuleOptions {
  /** Networks that "any" never means: a flow with everybody outside has nobody inside. */
  readonly neverAny: readonly string[];
  /** What becomes of flows with an address that is nobody's. Dropped, unless told otherwise. */
  readonly nobody?: (match: Match) => Rule;
  /** Conditions of the place, such as whose socket it is. */
  readonly more?: (flow: DistinctFlow) => Partial<Match>;
}

/**
 * What "any" does not mean besides, because nobody beyond a link has such an address (RFC 6890 §2.2): unspecified,
 * loopback, link-local with the metadata services of clouds, multicast, reserved, and the two forms of IPv4 in IPv6
 * (RFC 4291 §2.5.5), of which a socket hands one on as IPv4. A peer that the document names has a rule before.
 */
const NOBODY: Readonly<Record<4 | 6, readonly string[]>> = {
  4: ['0.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/3'],
  6: ['::/96', '::ffff:0:0/96', 'fe80::/10', 'ff00::/8'],
};

/**
 * One rule for each distinct flow, in their order. Rows that a firewall cannot tell apart, such as what one member of a
 * pool sends and another receives, become one rule. Between the flows with named peers, which stand first, and those
 * with everybody stand the rules that say who is nobody.
 */
export function flowRules(flows: readonly DistinctFlow[], options: FlowRuleOptions): Rule[] {
  const open = flows.filter(({ peers }) => peers === 'any');
  const named = acceptingRules(
    flows.filter((flow) => !open.includes(flow)),
    options,
  );
  const counted = withCounters([...named, ...acceptingRules(open, options)]);
  return [...counted.slice(0, named.length), ...nobodyRules(open, options), ...counted.slice(named.length)];
}

function acceptingRules(flows: readonly DistinctFlow[], { neverAny, more }: FlowRuleOptions): Rule[] {
  const rules = new Map<string, Rule>();
  for (const flow of flows) {
    const match = { ...matchOf(flow, neverAny), ...more?.(flow) };
    const key = JSON.stringify(match);
    const known = rules.get(key);
    const rows = [...(known?.rows ?? []), ...flow.rows];
    rules.set(key, { match, action: { kind: 'accept' }, rows, service: known?.service ?? flow.service });
  }
  return [...rules.values()];
}

/** On the side on which the flows have everybody. */
function nobodyRules(open: readonly DistinctFlow[], { nobody = misplaced }: FlowRuleOptions): Rule[] {
  return ([4, 6] as const).flatMap((family) =>
    (['inbound', 'outbound'] as const).flatMap((direction) => {
      if (!open.some((flow) => flow.family === family && flow.direction === direction)) return [];
      const side = direction === 'inbound' ? 'source' : 'destination';
      return [nobody({ family, [side]: { networks: NOBODY[family] } })];
    }),
  );
}

function misplaced(match: Match): Rule {
  return dropping('misplaced', match, 'address that nobody outside has');
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
function withCounters(rules: readonly Rule[]): Rule[] {
  const uses = new Map<string, number>();
  return rules.map((rule) => {
    const base = `${(rule.rows[0] ?? '').replace('-', '_')}${rule.match.family === 6 ? '_v6' : ''}`;
    const use = (uses.get(base) ?? 0) + 1;
    uses.set(base, use);
    return { ...rule, counter: use === 1 ? base : `${base}_${use}` };
  });
}
