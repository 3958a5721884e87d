import type { PortRange } from '#platform/topology';
import { rangeText } from '../model/networks.ts';
import {
  type AddressMatch,
  type Chain,
  commentOf,
  type Hook,
  type IcmpType,
  type Match,
  type Rule,
  type Ruleset,
} from '../model/ruleset.ts';
import { headOf } from './head.ts';

const TABLES = ['raw', 'mangle', 'nat', 'filter'] as const;
type Table = (typeof TABLES)[number];

const PLACES: Readonly<Record<Hook, { readonly table: Table; readonly chain: string }>> = {
  arriving: { table: 'raw', chain: 'PREROUTING' },
  input: { table: 'filter', chain: 'INPUT' },
  output: { table: 'filter', chain: 'OUTPUT' },
  forward: { table: 'filter', chain: 'FORWARD' },
  marking: { table: 'mangle', chain: 'OUTPUT' },
  'destination-translation': { table: 'nat', chain: 'PREROUTING' },
  'source-translation': { table: 'nat', chain: 'POSTROUTING' },
};

/**
 * One file for `iptables-restore` and for `ip6tables-restore`: each skips the lines that begin with the other's `-6` and
 * `-4`.
 */
export function iptablesText(ruleset: Ruleset): string {
  const head = [
    ...headOf(ruleset, 'iptables'),
    '# Load it twice: iptables-restore < this, ip6tables-restore < this.',
    '',
  ];
  const tables = TABLES.flatMap((table) => {
    const chains = ruleset.chains.filter(({ hook }) => PLACES[hook].table === table);
    return chains.length === 0 ? [] : tableText(table, chains);
  });
  return [...head, ...tables].join('\n');
}

function tableText(table: Table, chains: readonly Chain[]): string[] {
  const policies = chains.map(({ hook, policy }) => `:${PLACES[hook].chain} ${policy.toUpperCase()} [0:0]`);
  const written = chains.flatMap((chain) => chain.rules.map((rule) => ruleLines(rule, chain.hook)));
  const own = written.flatMap(({ chain }) => (chain === undefined ? [] : [`:${chain} - [0:0]`]));
  return [`*${table}`, ...policies, ...own, ...written.flatMap(({ lines }) => lines), 'COMMIT', ''];
}

interface Written {
  /** A chain that the rule needs for itself. */
  readonly chain?: string;
  readonly lines: readonly string[];
}

/** What the format says in several lines: one for each user, ICMP type and kind of refusal. */
function ruleLines(rule: Rule, hook: Hook): Written {
  const { match } = rule;
  const { chain } = PLACES[hook];
  const except = severalExcepted(match);
  if (except === undefined)
    return { lines: conditions(match, hook, rule).map((words) => line(chain, words, rule)) };
  const own = `${chain}_${rule.counter ?? 'rule'}`;
  const { key, networks } = except;
  const { [key]: _, ...rest } = match;
  const family = match.family === undefined ? [] : [`-${match.family}`];
  const flag = key === 'source' ? '-s' : '-d';
  return {
    chain: own,
    lines: [
      ...conditions(rest, hook, rule).map((words) => command(chain, [...words, '-j', own])),
      ...networks.map((network) => command(own, [...family, flag, network, '-j', 'RETURN'])),
      line(own, family, rule),
    ],
  };
}

/** The format negates one network only. */
function severalExcepted(
  match: Match,
): { key: 'source' | 'destination'; networks: readonly string[] } | undefined {
  for (const key of ['source', 'destination'] as const) {
    const { except, networks = [] } = match[key] ?? {};
    if (except === true && networks.length > 1) return { key, networks };
  }
  return undefined;
}

function line(chain: string, words: readonly string[], rule: Rule): string {
  const comment = commentOf(rule);
  const told = comment === undefined ? [] : ['-m', 'comment', '--comment', `"${comment}"`];
  return command(chain, [...words, ...told, ...actionWords(rule, words[0] === '-6' ? 6 : 4)]);
}

/** The family stands before the command, the rest behind it. */
function command(chain: string, words: readonly string[]): string {
  const [first, ...rest] = words;
  const prefixed = first === '-4' || first === '-6';
  return [...(prefixed ? [first] : []), '-A', chain, ...(prefixed ? rest : words)].join(' ');
}

/** Each line has one address on either side, one ICMP type and one user. */
function conditions(match: Match, hook: Hook, { action }: Rule): string[][] {
  const both = action.kind === 'reject' && action.by === 'admin-prohibited' && match.family === undefined;
  const families: readonly (4 | 6 | undefined)[] = both ? [4, 6] : [match.family];
  return product(
    families.map((family) => (family === undefined ? [] : [`-${family}`])),
    [loopbackWords(match.loopback, hook)],
    addressWords('-s', match.source),
    addressWords('-d', match.destination),
    [otherWords(match)],
    (match.icmp ?? [undefined]).map((type) => (type === undefined ? [] : icmpWords(type, match.family))),
    (match.users ?? [undefined]).map((user) =>
      user === undefined ? [] : ['-m', 'owner', '--uid-owner', user],
    ),
  );
}

/** Every way of taking one of each, joined in order. */
function product(...choices: readonly (readonly (readonly string[])[])[]): string[][] {
  return choices.reduce<string[][]>(
    (lines, choice) => lines.flatMap((line) => choice.map((words) => [...line, ...words])),
    [[]],
  );
}

function otherWords(match: Match): string[] {
  return [
    ...(match.fromLink === true ? ['-m', 'hl', '--hl-eq', '255'] : []),
    ...transportWords(match),
    ...(match.tcpReset === true ? ['--tcp-flags', 'RST', 'RST'] : []),
    ...(match.state === undefined ? [] : ['-m', 'conntrack', '--ctstate', match.state.toUpperCase()]),
    ...specialWords(match),
  ];
}

function loopbackWords(loopback: boolean | undefined, hook: Hook): string[] {
  if (loopback === undefined) return [];
  return [...(loopback ? [] : ['!']), hook === 'output' ? '-o' : '-i', 'lo'];
}

function addressWords(flag: '-s' | '-d', match: AddressMatch | undefined): string[][] {
  if (match === undefined) return [[]];
  return match.networks.map((network) => [...(match.except === true ? ['!'] : []), flag, network]);
}

function transportWords({ transport, sourcePorts, ports }: Match): string[] {
  if (transport === undefined) return [];
  return ['-p', transport, ...portWords('sport', sourcePorts), ...portWords('dport', ports)];
}

function portWords(flag: 'sport' | 'dport', ranges: readonly PortRange[] | undefined): string[] {
  if (ranges === undefined) return [];
  const text = ranges.map((range) => rangeText(range, ':')).join(',');
  return ranges.length === 1 ? [`--${flag}`, text] : ['-m', 'multiport', `--${flag}s`, text];
}

/** IANA's numbers, RFC 792, RFC 4443 §2.1, RFC 4861 §4, RFC 2710 §3, RFC 3810 §5.2: the tools know not all by name. */
const ICMP_NUMBERS: Readonly<Record<4 | 6, { readonly [type in IcmpType]?: number }>> = {
  4: { 'destination-unreachable': 3, 'time-exceeded': 11, 'parameter-problem': 12 },
  6: {
    'destination-unreachable': 1,
    'packet-too-big': 2,
    'time-exceeded': 3,
    'parameter-problem': 4,
    'mld-listener-query': 130,
    'mld-listener-report': 131,
    'mld-listener-done': 132,
    'nd-router-solicit': 133,
    'nd-router-advert': 134,
    'nd-neighbor-solicit': 135,
    'nd-neighbor-advert': 136,
    'mld2-listener-report': 143,
  },
};

function icmpWords(type: IcmpType, family: 4 | 6 | undefined): string[] {
  const number = family && ICMP_NUMBERS[family][type];
  if (number === undefined) throw new TypeError(`IPv${family} has no ${type}`);
  return family === 4
    ? ['-p', 'icmp', '--icmp-type', `${number}`]
    : ['-p', 'ipv6-icmp', '--icmpv6-type', `${number}`];
}

function specialWords({ special }: Match): string[] {
  switch (special) {
    case 'wrong-way':
      return ['-m', 'rpfilter', '--invert'];
    case 'wrong-interface':
      return ['-m', 'addrtype', '!', '--dst-type', 'LOCAL', '--limit-iface-in'];
    case 'untranslated':
      return ['-m', 'conntrack', '!', '--ctstate', 'DNAT'];
    default:
      return [];
  }
}

function actionWords({ action, match }: Rule, family: 4 | 6): string[] {
  switch (action.kind) {
    case 'log':
      return [
        '-m',
        'limit',
        '--limit',
        `${action.perMinute}/minute`,
        '-j',
        'LOG',
        '--log-prefix',
        '"sallyport: "',
      ];
    case 'mark':
      return ['-j', 'DSCP', '--set-dscp', `${action.dscp}`];
    case 'reject': {
      const prohibited = family === 4 ? 'icmp-admin-prohibited' : 'icmp6-adm-prohibited';
      return ['-j', 'REJECT', '--reject-with', action.by === 'tcp-reset' ? 'tcp-reset' : prohibited];
    }
    case 'translate':
      return match.destination === undefined
        ? ['-j', 'SNAT', '--to-source', action.to]
        : ['-j', 'DNAT', '--to-destination', action.to];
    default:
      return ['-j', action.kind.toUpperCase()];
  }
}
