import type { PortRange } from '#platform/topology';
import { rangeText } from '../model/networks.ts';
import {
  type AddressMatch,
  type Chain,
  commentOf,
  counterNames,
  type Hook,
  type Match,
  type Rule,
  type Ruleset,
} from '../model/ruleset.ts';
import { headOf } from './head.ts';

/** The one table that belongs to these rules; those of the operator stay as they are. */
export const TABLE = { family: 'inet', name: 'sallyport' } as const;

const CHAINS: Readonly<Record<Hook, { readonly name: string; readonly base: string }>> = {
  arriving: { name: 'arriving', base: 'type filter hook prerouting priority raw' },
  input: { name: 'incoming', base: 'type filter hook input priority filter' },
  output: { name: 'outgoing', base: 'type filter hook output priority filter' },
  forward: { name: 'forwarded', base: 'type filter hook forward priority filter' },
  marking: { name: 'marking', base: 'type route hook output priority mangle' },
  'destination-translation': { name: 'translate_in', base: 'type nat hook prerouting priority dstnat' },
  'source-translation': { name: 'translate_out', base: 'type nat hook postrouting priority srcnat' },
};

/** The name of a hook's chain in the table. */
export function chainName(hook: Hook): string {
  return CHAINS[hook].name;
}

/**
 * A file for `nft -f`: one transaction that puts the whole table in the place of an earlier one, so that loading it twice
 * is loading it once and there is no moment without rules. Counters begin at zero.
 */
export function nftablesText(ruleset: Ruleset): string {
  const table = `${TABLE.family} ${TABLE.name}`;
  const counters = counterNames(ruleset).map((name) => `  counter ${name} { packets 0 bytes 0 }\n`);
  return [
    '#!/usr/sbin/nft -f',
    ...headOf(ruleset, 'nftables'),
    '',
    '# The first line makes the table if there is none, so that the second always has one to delete.',
    `table ${table}`,
    `delete table ${table}`,
    '',
    `table ${table} {`,
    `${counters.join('')}\n${ruleset.chains.map(chainText).join('\n')}`.trimEnd(),
    '}',
    '',
  ].join('\n');
}

function chainText(chain: Chain): string {
  const { name, base } = CHAINS[chain.hook];
  const lines = [
    `${base}; policy ${chain.policy};`,
    ...chain.rules.map((rule) => nftablesRule(rule, chain.hook)),
  ];
  return `  chain ${name} {\n${lines.map((line) => `    ${line}\n`).join('')}  }\n`;
}

/** One rule as nft writes it, in one line. */
export function nftablesRule(rule: Rule, hook: Hook): string {
  const side = hook === 'output' ? 'oif' : 'iif';
  const comment = commentOf(rule);
  return [
    ...matchWords(rule.match, side),
    ...(rule.counter === undefined ? [] : [`counter name "${rule.counter}"`]),
    actionWords(rule),
    ...(comment === undefined ? [] : [`comment "${comment}"`]),
  ].join(' ');
}

function matchWords(match: Match, side: 'iif' | 'oif'): string[] {
  const ip = match.family === 6 ? 'ip6' : 'ip';
  return [
    ...(match.loopback === undefined ? [] : [`${side} ${match.loopback ? '' : '!= '}"lo"`]),
    ...familyWords(match),
    ...addressWords(`${ip} saddr`, match.source),
    ...addressWords(`${ip} daddr`, match.destination),
    ...(match.fromLink === true ? ['ip6 hoplimit 255'] : []),
    ...transportWords(match),
    ...(match.icmp === undefined
      ? []
      : [`${match.family === 6 ? 'icmpv6' : 'icmp'} type ${oneOf(match.icmp)}`]),
    ...(match.tcpReset === true ? ['tcp flags rst'] : []),
    ...(match.state === undefined ? [] : [`ct state ${match.state}`]),
    ...(match.users === undefined ? [] : [`meta skuid ${oneOf(match.users.map((user) => `"${user}"`))}`]),
    ...specialWords(match),
  ];
}

/** A rule says its family by its addresses and ICMP types, if it has any. */
function familyWords({ family, source, destination, icmp }: Match): string[] {
  if (family === undefined || source !== undefined || destination !== undefined || icmp !== undefined)
    return [];
  return [`meta nfproto ipv${family}`];
}

function addressWords(field: string, match: AddressMatch | undefined): string[] {
  if (match === undefined) return [];
  const networks = match.networks.map((network) => network.replace(/^([^:]*)\/32$|^(.*:.*)\/128$/, '$1$2'));
  return [`${field} ${match.except === true ? '!= ' : ''}${oneOf(networks)}`];
}

function transportWords({ transport, sourcePorts, ports }: Match): string[] {
  if (transport === undefined) return [];
  const words = [
    ...(sourcePorts === undefined ? [] : [`${transport} sport ${portsText(sourcePorts)}`]),
    ...(ports === undefined ? [] : [`${transport} dport ${portsText(ports)}`]),
  ];
  return words.length === 0 ? [`meta l4proto ${transport}`] : words;
}

function portsText(ranges: readonly PortRange[]): string {
  return oneOf(ranges.map((range) => rangeText(range)));
}

function specialWords({ special }: Match): string[] {
  switch (special) {
    case 'wrong-way':
      return ['fib saddr . iif oif missing'];
    case 'wrong-interface':
      return ['fib daddr . iif type != local'];
    case 'untranslated':
      return ['ct status ! dnat'];
    default:
      return [];
  }
}

function actionWords({ action, match }: Rule): string {
  switch (action.kind) {
    case 'log':
      return `limit rate ${action.perMinute}/minute log prefix "sallyport: "`;
    case 'mark':
      return `${match.family === 6 ? 'ip6' : 'ip'} dscp set ${action.dscp}`;
    case 'reject':
      return action.by === 'tcp-reset' ? 'reject with tcp reset' : 'reject with icmpx admin-prohibited';
    case 'translate': {
      const to = match.destination === undefined ? 'snat' : 'dnat';
      return `${to} ${match.family === 6 ? 'ip6' : 'ip'} to ${action.to}`;
    }
    default:
      return action.kind;
  }
}

function oneOf(values: readonly string[]): string {
  return values.length === 1 ? (values[0] ?? '') : `{ ${values.join(', ')} }`;
}
