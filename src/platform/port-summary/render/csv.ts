import type { PortRange } from '#platform/topology';
import type { PortSummary, Side, SideAddress, SummaryFlow, SummaryRow, SummaryTable } from '../model.ts';
import { portRange } from '../ports.ts';

/** The first record; a column keeps its name and its place, new ones come after the last. */
const COLUMNS = [
  'row',
  'table',
  'state',
  'role',
  'protocol',
  'security',
  'transport',
  'direction',
  'interface',
  'source',
  'source_addresses',
  'source_ports',
  'destination',
  'destination_addresses',
  'destination_ports',
  'reach',
  'same_as',
  'settings',
  'media_profiles',
  'purpose',
  'why',
  'notes',
] as const;
type Column = (typeof COLUMNS)[number];

/**
 * Comma-separated values (RFC 4180): one record a flow, English keys and words, numbers without separators, lists
 * divided by a space. `role`, `source`, `destination`, `purpose`, `why` and `notes` are texts in the language of the
 * summary. Ends with a line feed.
 */
export function renderCsv(summary: PortSummary): string {
  const records = summary.tables.flatMap((table) =>
    table.rows.flatMap((row) => row.flows.map((flow) => record(table, row, flow, summary))),
  );
  return [COLUMNS, ...records].map((fields) => `${fields.map(field).join(',')}\r\n`).join('');
}

function record(
  { section }: SummaryTable,
  row: SummaryRow,
  { source, destination }: SummaryFlow,
  { notes }: PortSummary,
): string[] {
  const texts = notes.filter(({ number }) => row.notes.includes(number)).map(({ text }) => text);
  const fields: Readonly<Record<Column, string>> = {
    row: row.id,
    table: section,
    state: row.state,
    role: row.role,
    protocol: row.protocol,
    security: row.security,
    transport: row.transport,
    direction: row.direction,
    interface: row.interface,
    source: source.term,
    source_addresses: addresses(source),
    source_ports: ports(source.ports),
    destination: destination.term,
    destination_addresses: addresses(destination),
    destination_ports: ports(destination.ports),
    reach: row.reach ?? '',
    same_as: row.sameAs ?? '',
    settings: row.settings.join(' '),
    media_profiles: row.profiles.join(' '),
    purpose: row.purpose,
    why: row.why,
    notes: texts.join(' '),
  };
  return COLUMNS.map((column) => fields[column]);
}

/** `any`, or addresses; a public address follows its private one behind `=`. */
function addresses({ addresses: list }: Side): string {
  const text = ({ address, publicAddress }: SideAddress): string =>
    publicAddress === null ? address : `${address}=${publicAddress}`;
  return list === 'any' ? list : list.map(text).join(' ');
}

function ports(ranges: readonly PortRange[] | 'any'): string {
  return ranges === 'any' ? ranges : ranges.map(portRange).join(' ');
}

/** What a spreadsheet takes for a formula gets an apostrophe before it; what would end the field gets quotes. */
function field(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
