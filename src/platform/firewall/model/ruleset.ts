import {
  type PlannedService,
  type PortRange,
  type Scenario,
  serviceTitle,
  type Transport,
} from '#platform/topology';

/** Which machine the rules are for: a router on either side of the perimeter, or the edge itself. */
export const firewallNames = ['external', 'internal', 'host'] as const;
export type FirewallName = (typeof firewallNames)[number];

/** Rules without the syntax of any firewall. The first rule that decides on a packet wins. */
export interface Ruleset {
  readonly firewall: FirewallName;
  readonly scenario: Scenario['id'];
  readonly chains: readonly Chain[];
  /** Ports that outgoing connections of the host must not take for themselves; the host only. */
  readonly reservedPorts: readonly PortRange[];
  /** What an operator has to know besides, one sentence each. */
  readonly notes: readonly string[];
}

/** Where in a packet's way a chain stands, and what it does. */
export type Hook =
  /** Before connections are tracked, on everything that arrives. */
  | 'arriving'
  | 'input'
  | 'output'
  | 'forward'
  /** Marks what the host sends, before `output` decides on it. */
  | 'marking'
  | 'destination-translation'
  | 'source-translation';

export interface Chain {
  readonly hook: Hook;
  /** What happens to a packet on which no rule decides. */
  readonly policy: 'accept' | 'drop';
  readonly rules: readonly Rule[];
}

export interface Rule {
  readonly match: Match;
  readonly action: Action;
  /** Name of the counter that counts what the rule took: the first row's id, or the reason of a drop. */
  readonly counter?: string;
  /** Ids of the port rows that the rule carries; none for rules that every firewall of the kind has. */
  readonly rows: readonly string[];
  /** Who stands behind the rows. */
  readonly service?: PlannedService;
  /** One short phrase, without text of the document; absent where the rule says it all. */
  readonly purpose?: string;
}

/** Conditions that all have to hold; each absent one always does. */
export interface Match {
  readonly family?: 4 | 6;
  readonly loopback?: boolean;
  readonly transport?: Transport;
  readonly source?: AddressMatch;
  readonly destination?: AddressMatch;
  readonly sourcePorts?: readonly PortRange[];
  readonly ports?: readonly PortRange[];
  readonly icmp?: readonly IcmpType[];
  /** Only what came from the same link: hop limit 255, RFC 4861 §6.1. */
  readonly fromLink?: boolean;
  readonly tcpReset?: boolean;
  readonly state?: 'new' | 'established' | 'related' | 'invalid';
  /** Who owns the socket: account names of this host. */
  readonly users?: readonly string[];
  readonly special?: SpecialMatch;
}

/** Networks in CIDR form of the match's family, none within another. */
export interface AddressMatch {
  readonly networks: readonly string[];
  /** Every address but those. */
  readonly except?: boolean;
}

export type SpecialMatch =
  /** The way back to the source does not lead through the interface on which the packet arrived. */
  | 'wrong-way'
  /** The destination is no address of the interface on which the packet arrived. */
  | 'wrong-interface'
  /** The destination was not translated. */
  | 'untranslated';

/** Names of `icmp` and `icmpv6` types as the IANA registries and nft spell them. */
export type IcmpType =
  | 'destination-unreachable'
  | 'packet-too-big'
  | 'time-exceeded'
  | 'parameter-problem'
  | 'nd-router-solicit'
  | 'nd-router-advert'
  | 'nd-neighbor-solicit'
  | 'nd-neighbor-advert'
  | 'mld-listener-query'
  | 'mld-listener-report'
  | 'mld-listener-done'
  | 'mld2-listener-report';

export type Action =
  | { readonly kind: 'accept' | 'drop' }
  /** Tells the sender: a reset for TCP, "administratively prohibited" for the rest. */
  | { readonly kind: 'reject'; readonly by: 'tcp-reset' | 'admin-prohibited' }
  /** Writes about some of the packets and lets the next rule decide. */
  | { readonly kind: 'log'; readonly perMinute: number }
  /** Sets the differentiated services code point, 0 to 63 (RFC 2474 §3), and lets the next rule decide. */
  | { readonly kind: 'mark'; readonly dscp: number }
  | { readonly kind: 'translate'; readonly to: string };

/** The names of the counters in the order of the rules, each once. */
export function counterNames(ruleset: Ruleset): string[] {
  const names = ruleset.chains.flatMap(({ rules }) => rules.map(({ counter }) => counter));
  return [...new Set(names.filter((name) => name !== undefined))];
}

/** `ext-05 pic-03: Access Edge service`; the row ids are what comes before the colon. */
export function commentOf(rule: Rule): string | undefined {
  const what = rule.purpose ?? (rule.service && serviceTitle(rule.service));
  if (rule.rows.length === 0) return what;
  return what === undefined ? rule.rows.join(' ') : `${rule.rows.join(' ')}: ${what}`;
}
