import type { FirewallName, Ruleset } from '../model/ruleset.ts';

export const formatNames = ['nftables', 'iptables', 'csv', 'json', 'sysctl'] as const;
export type FormatName = (typeof formatNames)[number];

const PLACES: Readonly<Record<FirewallName, string>> = {
  external: 'the firewall between the Internet and the perimeter',
  internal: 'the firewall between the perimeter and the internal network',
  host: 'the edge itself',
};

/** "Rules of the edge itself, scenario S1" */
export function titleOf({ firewall, scenario }: Ruleset): string {
  return `Rules of ${PLACES[firewall]}, scenario ${scenario}`;
}

const NO_INTERFACES = 'interfaces are not named: the routes of the machine decide what belongs where';

const LIMITS: Readonly<Record<FormatName, readonly string[]>> = {
  nftables: [NO_INTERFACES],
  iptables: [
    NO_INTERFACES,
    "a load replaces all of the tables named here, the operator's own rules in them too",
    'a table that only an earlier load named stays: flush nat when addresses are no longer translated, mangle when media is no longer marked',
    'each table of each family is replaced at once, but not all of them together',
    'no named counters: iptables -vxL counts each rule, and its comment has the rows',
  ],
  csv: [
    'a description for the people who keep another firewall, not a file to load',
    'the order of the lines counts, and every line needs the tracking of connections',
  ],
  json: ['a description for programs, not a file to load'],
  sysctl: ['no rules: settings of the kernel that go with the rules of the host'],
};

const RESERVED = 'ports kept from outgoing connections are not rules: see --format sysctl';

/** What the format cannot say of these rules, one phrase each. */
export function limitsOf({ firewall }: Ruleset, format: FormatName): string[] {
  const reserved = firewall === 'host' && (format === 'nftables' || format === 'iptables');
  return [...LIMITS[format], ...(reserved ? [RESERVED] : [])];
}

/** Title, notes and limits as comment lines. */
export function headOf(ruleset: Ruleset, format: FormatName): string[] {
  return [
    `${titleOf(ruleset)}, derived from the document by sallyport firewall.`,
    'Change the document, not this file.',
    ...ruleset.notes,
    ...limitsOf(ruleset, format).map((limit) => `Not in this format: ${limit}.`),
  ].map((line) => `# ${line}`);
}
