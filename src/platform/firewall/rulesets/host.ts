import {
  type DistinctFlow,
  distinctFlows,
  type EdgeDocument,
  hostPortPlan,
  type PortRange,
} from '#platform/topology';
import { hosts, mergedRanges, networksOf } from '../model/networks.ts';
import type { Chain, Match, Rule, Ruleset } from '../model/ruleset.ts';
import {
  accepting,
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

/** The edge itself: what arrives, what leaves and as whom. It forwards nothing. */
export function hostRuleset(document: EdgeDocument, options: RulesetOptions): Ruleset {
  const plan = hostPortPlan(document);
  const flows = distinctFlows(plan);
  const marking = markingChain(document);
  return {
    firewall: 'host',
    scenario: plan.scenario.id,
    chains: [
      spoofed,
      inputChain(document, flows, options),
      ...(marking === undefined ? [] : [marking]),
      outputChain(document, flows, options),
      { hook: 'forward', policy: 'drop', rules: [dropping('forwarded', {}, 'an edge is no router')] },
    ],
    reservedPorts: reservedPorts(flows, document),
    notes: notes(document),
  };
}

function notes({ host }: EdgeDocument): string[] {
  const users =
    host.runAs === undefined
      ? 'host.runAs is not written: what leaves is limited by address and port, not by user.'
      : `The user ${host.runAs} has to exist when the rules are loaded.`;
  const ssh =
    host.administration.remote.networks.length === 0
      ? ['SSH is closed: host.administration.remote.networks is empty.']
      : [];
  return [
    users,
    ...ssh,
    'Addresses, routes and names are static here: DHCP, IPv6 router advertisements and name services other than DNS do not pass.',
  ];
}

function inputChain(document: EdgeDocument, flows: readonly DistinctFlow[], options: RulesetOptions): Chain {
  const inbound = flows.filter(({ direction }) => direction === 'inbound');
  const local = inbound.filter((flow) => flow.interface === 'loopback');
  const remote = inbound.filter((flow) => flow.interface !== 'loopback');
  return {
    hook: 'input',
    policy: 'drop',
    rules: [
      ...flowRules(local, { neverAny: [], more: () => ({ loopback: true }) }),
      accepting({ loopback: true }),
      ...neighbours.in,
      invalid,
      established,
      ...errorsAboutFlows,
      dropping('wrong_interface', { special: 'wrong-interface' }, 'address of another interface'),
      ...flowRules(remote, { neverAny: internalSide(document) }),
      ...refusedInside(document),
      ...denial('dropped_in', options),
    ],
  };
}

/**
 * Internal servers that ask for what is not in the plan are told so at once: they are known, and their operator looks
 * for the reason. The outside gets silence.
 */
function refusedInside({ policy, host }: EdgeDocument): Rule[] {
  return ([4, 6] as const).flatMap((family) => {
    const source = networksOf(family, policy.internalNetworks);
    const destination = networksOf(family, hosts(host.addresses.internal));
    if (source.length === 0 || destination.length === 0) return [];
    const match: Match = { family, source: { networks: source }, destination: { networks: destination } };
    return refusing('refused_in', match, 'asked from within');
  });
}

function refusing(counter: string, match: Match, purpose: string): Rule[] {
  const reset: Match = { ...match, transport: 'tcp' };
  return [
    { match: reset, action: { kind: 'reject', by: 'tcp-reset' }, counter, rows: [], purpose },
    refusal(counter, match, purpose),
  ];
}

function refusal(counter: string, match: Match, purpose: string): Rule {
  return { match, action: { kind: 'reject', by: 'admin-prohibited' }, counter, rows: [], purpose };
}

function outputChain(document: EdgeDocument, flows: readonly DistinctFlow[], options: RulesetOptions): Chain {
  const outbound = flows.filter(({ direction }) => direction === 'outbound');
  const log = denial('refused_out', options).slice(0, -1);
  return {
    hook: 'output',
    policy: 'drop',
    rules: [
      accepting({ loopback: true }),
      ...neighbours.out,
      invalid,
      established,
      ...errorsAboutFlows,
      accepting({ transport: 'tcp', tcpReset: true, state: 'related' }, 'refusals of this firewall'),
      ...flowRules(outbound, {
        neverAny: internalSide(document),
        nobody: (match) => refusal('refused_out', match, 'address that nobody outside has'),
        more: (flow) => usersOf(flow, document),
      }),
      ...log,
      ...refusing('refused_out', {}, 'not in the port plan'),
    ],
  };
}

const SUPERUSER = 'root';
/** Rows that the operator's own checks of names, certificates and revocation lists use as well. */
const CHECKED_ROWS = new Set(['ext-02', 'ext-03', 'ext-04']);

/**
 * Who may open the flow. Services dial after the supervisor has given up its privilege, so their sockets are those of
 * `host.runAs`; the sockets of listening ports were bound before and stay the superuser's. The clock has an account
 * that the document does not know.
 */
function usersOf(
  { rows, service, sourcePorts }: DistinctFlow,
  { host, policy }: EdgeDocument,
): Partial<Match> {
  if (host.runAs === undefined || service === 'host') return {};
  const { avUdp } = policy.ports;
  const listens = sourcePorts?.some(({ first, last }) => first <= avUdp && avUdp <= last) === true;
  const both = listens || rows.some((row) => CHECKED_ROWS.has(row));
  return { users: both ? [...new Set([SUPERUSER, host.runAs])] : [host.runAs] };
}

/**
 * Relayed media to both sides, answers too. Signalling of the relay leaves from the same ports and is marked with it:
 * a firewall sees addresses and ports. Zero is what packets have anyway.
 */
function markingChain({ host, policy }: EdgeDocument): Chain | undefined {
  const { dscp, ports } = policy.relay;
  if (dscp === 0 || !policy.features.media) return undefined;
  const relay: PortRange = { first: policy.ports.avUdp, last: policy.ports.avUdp };
  const rules: Rule[] = [];
  const mark = (family: 4 | 6, addresses: readonly string[], sourcePorts: readonly PortRange[]): void => {
    const networks = networksOf(family, hosts(addresses));
    if (networks.length === 0) return;
    const match: Match = {
      family,
      source: { networks },
      transport: 'udp',
      sourcePorts: mergedRanges(sourcePorts),
    };
    rules.push({
      match,
      action: { kind: 'mark', dscp },
      counter: 'marked',
      rows: [],
      purpose: 'relayed media',
    });
  };
  for (const family of [4, 6] as const) {
    mark(family, host.addresses.av, [relay, ports]);
    mark(family, host.addresses.internal, [relay]);
  }
  return { hook: 'marking', policy: 'accept', rules };
}

/** The least port of a process without privilege, and so the least that an outgoing connection could take. */
const FIRST_FREE_PORT = 1024;

/** The relay range, and every port on which something of the edge listens. */
function reservedPorts(flows: readonly DistinctFlow[], { policy }: EdgeDocument): PortRange[] {
  const listening = flows.filter(({ direction }) => direction === 'inbound').flatMap(({ ports }) => ports);
  const relay = policy.features.media ? [policy.relay.ports] : [];
  return mergedRanges([...relay, ...listening].filter(({ first }) => first >= FIRST_FREE_PORT));
}

/**
 * Neighbour discovery and multicast listening, without which there is no IPv6 on a link: RFC 4890 §4.4.1. Discovery never
 * comes from further than the link (RFC 4861 §7.1). Routers are not discovered: whoever sits on either link could
 * otherwise put himself in the place of the default route (RFC 6104). The kernel may ask for them, as it does of its
 * own accord; nobody's answer is heard.
 */
const neighbours = {
  in: [
    accepting(
      { family: 6, icmp: ['nd-neighbor-solicit', 'nd-neighbor-advert'], fromLink: true },
      'IPv6 neighbours',
    ),
    dropping('router_advert', { family: 6, icmp: ['nd-router-advert'] }, 'routes are static here'),
    accepting(
      { family: 6, source: { networks: ['fe80::/10'] }, icmp: ['mld-listener-query'] },
      'IPv6 multicast listening',
    ),
  ],
  out: [
    accepting(
      { family: 6, icmp: ['nd-router-solicit', 'nd-neighbor-solicit', 'nd-neighbor-advert'], fromLink: true },
      'IPv6 neighbours',
    ),
    accepting(
      { family: 6, icmp: ['mld-listener-report', 'mld-listener-done', 'mld2-listener-report'] },
      'IPv6 multicast listening',
    ),
  ],
} as const;
