import type { EdgeDocument } from '../schema/edge-schema.ts';
import { type PlannedRow, portPlan } from './port-plan.ts';

/** A service that the outside finds by name. */
export type NamedService = 'access' | 'webConferencing' | 'av';

/** One name by which the outside knows a service. */
export interface ExternalName {
  readonly name: string;
  readonly service: NamedService;
  /** The SIP domain whose records lead to it; undefined for a name that only the document gives to clients. */
  readonly domain: string | undefined;
  /** What is reached under it: the inbound rows that are on, each flow once. Never empty. */
  readonly rows: readonly PlannedRow[];
}

/** Host names of ours in a SIP domain in which the document names none. */
const USUAL_LABEL = { access: 'sip', av: 'av' } as const;

/**
 * Every name that the outside has to resolve, a pure function of the document. A SIP domain has names of its own for
 * the Access Edge and the A/V Edge service, because clients and partners take a target only in the domain that they
 * asked about: the document's when it lies there, `sip.<domain>` and `av.<domain>` otherwise.
 */
export function externalNames(document: EdgeDocument): ExternalName[] {
  const { names, sipDomains } = document.policy;
  const rows = portPlan(document).rows.filter(
    (row) =>
      row.on && row.interface === 'external' && row.direction === 'inbound' && row.sameAs === undefined,
  );
  const found: ExternalName[] = [];
  for (const service of ['access', 'webConferencing', 'av'] as const) {
    const own = rows.filter((row) => row.edge === service && !isRelayRange(row));
    if (own.length === 0) continue;
    const domains = service === 'webConferencing' ? [] : sipDomains;
    const inDomains = domains.map((domain) => ({
      name: service === 'webConferencing' ? names[service] : nameInDomain(document, service, domain),
      service,
      domain,
      rows: own,
    }));
    if (!inDomains.some(({ name }) => name === names[service])) {
      found.push({ name: names[service], service, domain: undefined, rows: own });
    }
    found.push(...inDomains);
    if (service === 'access') found.push(...namedForClients(document, own, found));
  }
  return found;
}

/** Names that clients are given besides, each with a certificate of its own. */
function namedForClients(
  { host }: EdgeDocument,
  rows: readonly PlannedRow[],
  known: readonly ExternalName[],
): ExternalName[] {
  const ofClients = rows.filter(({ id }) => id === 'ext-05');
  if (ofClients.length === 0) return [];
  return host.certificates.accessDomains
    .filter(({ name }) => !known.some((other) => other.service === 'access' && other.name === name))
    .map(({ name }) => ({ name, service: 'access', domain: undefined, rows: ofClients }));
}

/** The name of a service in a SIP domain. */
export function nameInDomain(document: EdgeDocument, service: 'access' | 'av', domain: string): string {
  const { names, sipDomains } = document.policy;
  const name = names[service];
  return zoneOf(name, sipDomains) === domain ? name : usualName(service, domain);
}

/** The name that a service gets in a domain in which the document names none. */
export function usualName(service: 'access' | 'av', domain: string): string {
  return `${USUAL_LABEL[service]}.${domain}`;
}

/** The innermost of `domains` in which a name lies; outside of them the domain above the name. */
export function zoneOf(name: string, domains: readonly string[]): string {
  const around = domains.filter((domain) => name === domain || name.endsWith(`.${domain}`));
  const inner = around.sort((a, b) => b.length - a.length)[0];
  if (inner !== undefined) return inner;
  const above = name.slice(name.indexOf('.') + 1);
  return above.includes('.') ? above : name;
}

/** Nobody looks up a name to reach the relay range: its ports come in candidates. */
function isRelayRange(row: PlannedRow): boolean {
  return row.flows.some(({ ports }) => ports.some(({ first, last }) => first !== last));
}
