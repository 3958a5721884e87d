import {
  addressFamily,
  type Complaint,
  type EdgeDocument,
  type ExternalName,
  externalNames,
  nameInDomain,
  type PlannedRow,
  portPlan,
  serviceTitle,
  zoneOf,
} from '#platform/topology';
import { type DnsRecord, type HostRecord, merged, type Reason, type Zone } from './records.ts';
import { type DnsService, dnsServices } from './services.ts';

/** What has to stand in the domain name system for a document. */
export interface DnsPlan {
  /** What everybody outside asks for. */
  readonly outside: readonly Zone[];
  /** What the internal network asks for: the edges by their own names. */
  readonly inside: readonly Zone[];
  /** What the perimeter may ask for: the next hop. */
  readonly perimeter: readonly Zone[];
  /** SRV names that lead to a service which the document switches off. */
  readonly closed: readonly ClosedService[];
  /** What no record says. */
  readonly instructions: readonly Complaint[];
}

/** A service record that should not be published, because nothing is open behind it. */
export interface ClosedService {
  readonly name: string;
  /** Setting that would open it. */
  readonly setting: string;
}

/** The records that a document needs, a pure function of it. */
export function dnsPlan(document: EdgeDocument): DnsPlan {
  const names = externalNames(document);
  const records = [...names.flatMap(addressesOfName), ...serviceRecords(document, names)];
  const { sipDomains, features } = document.policy;
  const closed = dnsServices
    .filter(({ feature }) => !features[feature])
    .flatMap(({ label, feature }) =>
      sipDomains.map((domain) => ({ name: `${label}.${domain}`, setting: `policy.features.${feature}` })),
    );
  return {
    outside: zones(records, sipDomains),
    inside: zones(insideRecords(document), sipDomains),
    perimeter: zones(nextHopRecords(document), sipDomains),
    closed,
    instructions: instructions(document, names),
  };
}

const TITLES = { access: 'access', webConferencing: 'web-conferencing', av: 'av' } as const;

function addressesOfName({ name, service, rows }: ExternalName): HostRecord[] {
  const why = [{ text: serviceTitle(TITLES[service]), rows: rows.map(({ id }) => id) }];
  return rows.flatMap(addressesOfRow).map((address) => hostRecord(name, address, why));
}

/** As the outside sees them: a load balancer stands for its edges, a translated address for its own. */
function addressesOfRow(row: PlannedRow): string[] {
  const edge = row.flows.flatMap((flow) => flow.edge);
  const virtual = edge.filter(({ node }) => node === undefined);
  return (virtual.length > 0 ? virtual : edge).map(({ address, publicAddress }) => publicAddress ?? address);
}

function hostRecord(name: string, address: string, why: readonly Reason[]): HostRecord {
  return { type: addressFamily(address) === 6 ? 'AAAA' : 'A', name, address, why };
}

function serviceRecords(document: EdgeDocument, names: readonly ExternalName[]): DnsRecord[] {
  const { sipDomains, features } = document.policy;
  const rows = new Map(names.flatMap((name) => name.rows.map((row) => [row.id, row])));
  return sipDomains.flatMap((domain) =>
    dnsServices.flatMap((service) => {
      const port = rows.get(service.row)?.flows[0]?.ports[0]?.first;
      if (!features[service.feature] || port === undefined) return [];
      return [serviceRecord(document, service, domain, port)];
    }),
  );
}

function serviceRecord(document: EdgeDocument, service: DnsService, domain: string, port: number): DnsRecord {
  return {
    type: 'SRV',
    name: `${service.label}.${domain}`,
    priority: 0,
    weight: 0,
    port,
    target: nameInDomain(document, service.service, domain),
    why: [{ text: service.text, rows: [service.row] }],
  };
}

/** The edges as the internal network knows them: each by its own name, which its internal certificate holds. */
function insideRecords(document: EdgeDocument): HostRecord[] {
  const rows = portPlan(document).rows.filter(
    (row) => row.on && row.interface === 'internal' && row.edge === 'internal' && row.sameAs === undefined,
  );
  const edges = rows.flatMap((row) => row.flows.flatMap((flow) => flow.edge.map((edge) => ({ row, edge }))));
  const why = [
    {
      text: 'the internal network finds the edge',
      rows: [...new Set(edges.filter(({ row }) => row.direction === 'inbound').map(({ row }) => row.id))],
    },
  ];
  return edges.flatMap(({ edge: { node, address } }) =>
    node === undefined ? [] : [hostRecord(node, address, why)],
  );
}

/** The edge itself dials the addresses of the document; whatever else runs in the perimeter asks by name. */
function nextHopRecords({ policy: { nextHop } }: EdgeDocument): HostRecord[] {
  const rows = ['int-03'];
  const all = [{ text: 'the next hop, each of its members', rows }];
  const one = [{ text: 'a member of the next hop', rows }];
  // A server of some domains only is no server of the pool to whoever asks for the pool.
  const general = nextHop.members.filter(({ domains }) => domains.length === 0);
  const pool = general.length === 0 ? nextHop.members : general;
  return [
    ...pool.map(({ address }) => hostRecord(nextHop.name, address, all)),
    ...nextHop.members.map(({ name, address }) => hostRecord(name, address, one)),
  ];
}

function zones(records: readonly DnsRecord[], domains: readonly string[]): Zone[] {
  const byOrigin = new Map<string, DnsRecord[]>();
  for (const record of merged(records)) {
    const origin = zoneOf(record.name, domains);
    const known = byOrigin.get(origin);
    if (known === undefined) byOrigin.set(origin, [record]);
    else known.push(record);
  }
  const place = (origin: string): number =>
    domains.includes(origin) ? domains.indexOf(origin) : domains.length;
  return [...byOrigin]
    .map(([origin, own]) => ({ origin, records: own }))
    .sort((a, b) => place(a.origin) - place(b.origin) || (a.origin < b.origin ? -1 : 1));
}

function instructions(document: EdgeDocument, names: readonly ExternalName[]): Complaint[] {
  const { pool, reverseProxy, sipDomains } = document.policy;
  const told: Complaint[] = [];
  const say = (rule: string, what: string, instead: string): void => {
    told.push({ severity: 'instruction', rule, what, instead });
  };
  const origins = new Set([...sipDomains, ...names.map(({ name }) => zoneOf(name, sipDomains))]);
  for (const origin of origins) {
    const what = `${origin}: whether a CAA record limits who issues certificates for it is yours to choose`;
    say('caa', what, `to limit it: ${origin}. IN CAA 0 issue "<the domain of your authority>"`);
  }
  if (pool.balancing === 'hardware') {
    const addresses = pool.virtualAddresses.internal.join(', ');
    const what = `the internal address of the load balancer (${addresses}) has no name in the document`;
    if (addresses !== '') say('virtual-name', what, 'give it the name that the next hop knows the pool by');
  }
  if (reverseProxy.addresses.length > 0) {
    const what = `the names that the reverse proxy at ${reverseProxy.addresses.join(', ')} publishes are not in the document`;
    say('reverse-proxy', what, 'publish them as its own documentation says');
  }
  return told;
}
