import { type DnsRecord, recordData, rowsOf, type Zone } from './records.ts';

/** Long enough to spare resolvers, short enough to move a service within the hour. */
const TTL_SECONDS = 3600;

/**
 * The records of a zone in the form of RFC 1035 §5.1, with the reason of each. It has no SOA and no NS: those are the
 * zone's own, which takes this in by `$INCLUDE` or by copying.
 */
export function zoneFile(zone: Zone): string {
  const records = inOrder(zone.records);
  const owners = records.map((record) => relative(record.name, zone.origin));
  const width = Math.max(...owners.map((owner) => owner.length));
  const lines = [
    `; Records of ${zone.origin} for the edge. Take them into the zone, for example with $INCLUDE.`,
    `$ORIGIN ${zone.origin}.`,
    `$TTL ${TTL_SECONDS}`,
  ];
  let said = '';
  for (const [index, record] of records.entries()) {
    const why = reasonText(record);
    if (why !== said) lines.push(`; ${why}`);
    said = why;
    lines.push(`${(owners[index] ?? '').padEnd(width)} IN ${record.type.padEnd(4)} ${recordData(record)}`);
  }
  return lines.join('\n');
}

/** The records as cells of a table: owner, type, data, port rows, reason. */
export function recordRows(zones: readonly Zone[]): string[][] {
  return zones.flatMap(({ records }) =>
    inOrder(records).map((record) => [
      record.name,
      record.type,
      recordData(record),
      rowsOf(record).join(' '),
      whyText(record),
    ]),
  );
}

/** Why a record is there, on one line: `Access Edge service (ext-05, ext-06)`. */
function reasonText(record: DnsRecord): string {
  const rows = rowsOf(record);
  return rows.length === 0 ? whyText(record) : `${whyText(record)} (${rows.join(', ')})`;
}

function whyText(record: DnsRecord): string {
  return [...new Set(record.why.map(({ text }) => text))].join('; ');
}

/** Hosts before the services that point to them, each group as it was planned. */
function inOrder(records: readonly DnsRecord[]): DnsRecord[] {
  return [...records.filter(({ type }) => type !== 'SRV'), ...records.filter(({ type }) => type === 'SRV')];
}

function relative(name: string, origin: string): string {
  return name === origin ? '@' : name.slice(0, -origin.length - 1);
}
