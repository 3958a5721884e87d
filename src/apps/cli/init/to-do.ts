import { existsSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import {
  type DocumentFinding,
  type EdgeDocument,
  formatDocumentError,
  type PlannedRow,
  type PortRange,
  portPlan,
  settings,
} from '#platform/topology';
import { printable, table } from '../terminal.ts';

/** What remains to be done for a document that was just written: ports, names, files, and the commands for each. */
export function toDoText(file: string, document: EdgeDocument, findings: readonly DocumentFinding[]): string {
  const shown = printable(/^[\w./-]+$/.test(file) ? file : `'${file.replaceAll("'", "'\\''")}'`);
  return [
    portText(document, shown),
    nameText(document, shown),
    filesText(file, document, shown),
    checkText(findings),
    nextText(shown),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function portText(document: EdgeDocument, shown: string): string {
  const rows = portPlan(document).rows.filter(({ on, interface: side }) => on && side !== 'loopback');
  return [
    `Ports to open in the firewalls (with reasons: sallyport port-summary ${shown})`,
    table([['  ROW', 'SIDE', 'DIRECTION', 'PORT', 'EDGE', 'OTHER SIDE'], ...rows.flatMap(portRows)]),
  ].join('\n');
}

function portRows(row: PlannedRow): string[][] {
  return row.flows.map(({ edge, peers, ports }) => [
    `  ${row.id}`,
    row.interface,
    row.direction,
    `${row.transport.toUpperCase()} ${ports.map(rangeText).join(', ')}`,
    edge.map(({ address, publicAddress }) => publicAddress ?? address).join(' '),
    peers === 'any' ? 'any' : peers.join(' '),
  ]);
}

function rangeText({ first, last }: PortRange): string {
  return first === last ? `${first}` : `${first}-${last}`;
}

/** The rows that have the external addresses of the named services, public ones where there are any. */
const NAMED = [
  ['access', 'ext-05'],
  ['webConferencing', 'ext-08'],
  ['av', 'ext-14'],
] as const;

function nameText(document: EdgeDocument, shown: string): string {
  const { rows } = portPlan(document);
  const records = new Set<string>();
  for (const [service, id] of NAMED) {
    const row = rows.find((candidate) => candidate.id === id);
    if (service === 'webConferencing' && row?.on !== true) continue;
    for (const { address, publicAddress } of row?.flows.flatMap(({ edge }) => edge) ?? []) {
      const target = publicAddress ?? address;
      records.add(`${document.policy.names[service]} ${target.includes(':') ? 'AAAA' : 'A'} ${target}`);
    }
  }
  return [
    `Names to create in DNS outside (SRV records too: sallyport dns ${shown})`,
    table([...records].map((record) => `  ${record}`.split(/(?<=\S) /))),
  ].join('\n');
}

/** The files that the document names and that are not there yet. */
function filesText(file: string, document: EdgeDocument, shown: string): string {
  const folder = dirname(resolve(file));
  const missing = settings('edge')
    .filter((setting) => setting.file !== undefined)
    .flatMap(({ name, sentence }) =>
      pathsAt(document, name)
        .filter((path) => !existsSync(path))
        .map((path) => [`  ${printable(shorter(path, folder))}`, `${sentence} (${name})`]),
    );
  if (missing.length === 0) return '';
  return [
    `Files to put in place before the first start (names and requests: sallyport certificates ${shown})`,
    table(missing),
  ].join('\n');
}

function pathsAt(document: unknown, name: string): string[] {
  let value = document;
  for (const key of name.split('.')) value = (value as Record<string, unknown> | undefined)?.[key];
  return [value].flat().filter((path) => typeof path === 'string');
}

function shorter(path: string, folder: string): string {
  const inside = relative(folder, path);
  return inside.startsWith('..') ? path : inside;
}

/** The survey of the host says these better, or the list of files does. */
const SAID_ELSEWHERE = new Set(['reserve-relay-ports', 'file-missing']);

function checkText(findings: readonly DocumentFinding[]): string {
  const rest = findings.filter(({ rule }) => !SAID_ELSEWHERE.has(rule));
  if (rest.length === 0) return '';
  return ['About the document', ...rest.map((finding) => `  ${formatDocumentError(finding)}`)].join('\n');
}

function nextText(shown: string): string {
  return [
    'Next',
    table([
      ['  sallyport certificates', shown, 'what to request, with which names, from whom'],
      ['  sallyport dns', shown, 'the records, as a zone file'],
      ['  sallyport port-summary', shown, 'every row with its reason'],
      ['  sallyport firewall', shown, 'the rules, for three firewalls'],
      ['  sallyport check', shown, 'until it says no errors'],
      ['  sallyport edge', shown, 'runs it'],
    ]),
  ].join('\n');
}
