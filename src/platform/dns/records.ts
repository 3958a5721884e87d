/** An address of a host. */
export interface HostRecord {
  readonly type: 'A' | 'AAAA';
  /** Owner, absolute, without the final dot. */
  readonly name: string;
  /** Canonical text. */
  readonly address: string;
  readonly why: readonly Reason[];
}

/** Where a service of a domain is found (RFC 2782). */
export interface ServiceRecord {
  readonly type: 'SRV';
  /** Owner, such as `_sip._tls.example.com`. */
  readonly name: string;
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  /** A name with addresses of its own, never an alias. */
  readonly target: string;
  readonly why: readonly Reason[];
}

export type DnsRecord = HostRecord | ServiceRecord;

/** What a record is for. */
export interface Reason {
  readonly text: string;
  /** Port rows that are reached through it. */
  readonly rows: readonly string[];
}

/** The records of one zone; which zones there really are, the operator knows. */
export interface Zone {
  /** Without the final dot. */
  readonly origin: string;
  readonly records: readonly DnsRecord[];
}

/** What a record says, as a zone file writes it behind the type. */
export function recordData(record: DnsRecord): string {
  if (record.type !== 'SRV') return record.address;
  return `${record.priority} ${record.weight} ${record.port} ${record.target}.`;
}

/** The rows of all reasons, each once, in their order. */
export function rowsOf(record: DnsRecord): string[] {
  return [...new Set(record.why.flatMap(({ rows }) => rows))];
}

/** The same record for several reasons is one record. */
export function merged(records: readonly DnsRecord[]): DnsRecord[] {
  const found = new Map<string, DnsRecord>();
  for (const record of records) {
    const key = `${record.name} ${record.type} ${recordData(record)}`;
    const known = found.get(key);
    found.set(key, known === undefined ? record : { ...known, why: reasons([...known.why, ...record.why]) });
  }
  return [...found.values()];
}

function reasons(all: readonly Reason[]): Reason[] {
  return [...new Map(all.map((reason) => [JSON.stringify(reason), reason])).values()];
}
