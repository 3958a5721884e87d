import type { PortRange } from '#platform/topology';
import { rangeText } from '../model/networks.ts';
import {
  type Action,
  type AddressMatch,
  commentOf,
  type Match,
  type Rule,
  type Ruleset,
} from '../model/ruleset.ts';

const COLUMNS = [
  'number',
  'firewall',
  'stage',
  'action',
  'family',
  'transport',
  'source',
  'source ports',
  'destination',
  'destination ports',
  'state',
  'other conditions',
  'rows',
  'remark',
] as const;

/** A line for each rule, in their order, as RFC 4180 §2 writes tables. Nothing in it is a formula to a spreadsheet. */
export function csvText(ruleset: Ruleset): string {
  const lines: (readonly string[])[] = [COLUMNS];
  for (const { hook, rules } of ruleset.chains) {
    for (const rule of rules) lines.push([`${lines.length}`, ruleset.firewall, hook, ...cells(rule)]);
  }
  return lines.map((line) => `${line.map(csvCell).join(',')}\r\n`).join('');
}

function cells(rule: Rule): string[] {
  const { match } = rule;
  const transport =
    match.transport ?? (match.icmp === undefined ? 'any' : match.family === 6 ? 'icmpv6' : 'icmp');
  return [
    actionText(rule.action),
    match.family === undefined ? 'any' : `IPv${match.family}`,
    transport,
    addressText(match.source),
    portsText(match.sourcePorts),
    addressText(match.destination),
    portsText(match.ports),
    match.state ?? 'any',
    othersText(match),
    rule.rows.join(' '),
    (rule.rows.length === 0 ? rule.purpose : commentOf({ ...rule, rows: [] })) ?? '',
  ];
}

function actionText(action: Action): string {
  switch (action.kind) {
    case 'mark':
      return `mark DSCP ${action.dscp}`;
    case 'translate':
      return `translate to ${action.to}`;
    case 'log':
      return `log ${action.perMinute} a minute`;
    case 'reject':
      return action.by === 'tcp-reset' ? 'reject (TCP reset)' : 'reject (prohibited)';
    default:
      return action.kind;
  }
}

function addressText(match: AddressMatch | undefined): string {
  if (match === undefined) return 'any';
  return `${match.except === true ? 'any but ' : ''}${match.networks.join(' ')}`;
}

function portsText(ranges: readonly PortRange[] | undefined): string {
  return ranges === undefined ? 'any' : ranges.map((range) => rangeText(range)).join(' ');
}

const SPECIAL = {
  'wrong-way': 'the route back to the source is another interface',
  'wrong-interface': 'the destination is an address of another interface',
  untranslated: 'the destination was not translated',
} as const;

function othersText({ loopback, icmp, fromLink, tcpReset, users, special }: Match): string {
  return [
    loopback === undefined ? undefined : loopback ? 'loopback' : 'not loopback',
    icmp?.join(' '),
    fromLink === true ? 'hop limit 255' : undefined,
    tcpReset === true ? 'TCP reset' : undefined,
    users && `user ${users.join(' or ')}`,
    special && SPECIAL[special],
  ]
    .filter((text) => text !== undefined)
    .join('; ');
}

/** Spreadsheets take what begins with these for a formula, quoted or not. */
const FORMULA = /^[=+\-@\t\r]/;

/** One cell, quoted where RFC 4180 §2 asks for it. */
export function csvCell(text: string): string {
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
