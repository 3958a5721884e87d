import {
  type Complaint,
  type EdgeDocument,
  externalNames,
  type KeyPairFiles,
  type PlannedRow,
  portPlan,
  serviceTitle,
} from '#platform/topology';
import { externalCertificateNames, type PlannedName } from './external-certificate-names.ts';

/** One certificate that an edge needs. */
export interface PlannedCertificate {
  /** Its key in `host.certificates`; with the name that clients ask for, of a pair of `accessDomains`. */
  readonly id: 'access' | 'internal' | `access-domain-${string}`;
  readonly title: string;
  readonly files: KeyPairFiles;
  readonly issuer: 'public' | 'internal';
  /** Most important first; never empty. */
  readonly names: readonly PlannedName[];
  readonly usages: readonly PlannedUsage[];
  /** The flows in which it is shown, each once. */
  readonly usedAt: readonly CertificateUse[];
}

/** An extended key usage, and what it means that it is there or not. */
export interface PlannedUsage {
  readonly usage: 'serverAuth' | 'clientAuth';
  readonly need: 'required' | 'welcome' | 'unneeded';
  /** Whether a request asks for it. Public authorities refuse clientAuth, so theirs does not. */
  readonly requested: boolean;
  readonly why: string;
}

export interface CertificateUse {
  readonly row: string;
  readonly service: string;
  readonly direction: 'inbound' | 'outbound';
  readonly port: number;
}

/** Which certificate a client gets by the server name that it sends (RFC 6066 §3). */
export interface ServerNameChoice {
  /** Undefined for a client that sends none. */
  readonly serverName: string | undefined;
  /** The one of all names, or one of `host.certificates.accessDomains`. */
  readonly certificate: 'access' | 'access-domain';
  readonly why: string;
}

export interface CertificatePlan {
  readonly certificates: readonly PlannedCertificate[];
  readonly serverNames: readonly ServerNameChoice[];
  readonly instructions: readonly Complaint[];
}

/** The certificates that a document needs, a pure function of it. */
export function certificatePlan(document: EdgeDocument): CertificatePlan {
  const access = accessCertificate(document);
  const named = new Set(document.host.certificates.accessDomains.map(({ name }) => name));
  return {
    certificates: [access, internalCertificate(document), ...domainCertificates(document)],
    serverNames: [
      ...access.names.map(({ name, why }) => ({
        serverName: name,
        certificate: named.has(name) ? ('access-domain' as const) : ('access' as const),
        why: why.map(({ text }) => text).join('; '),
      })),
      {
        serverName: undefined,
        certificate: 'access',
        why: 'clients without SNI get the one with every name',
      },
    ],
    instructions: instructions(document),
  };
}

function accessCertificate(document: EdgeDocument): PlannedCertificate {
  const uses = rowsWithTls(document, 'external');
  return {
    id: 'access',
    title: 'External certificate of the Access Edge, Web Conferencing Edge and A/V Edge services',
    files: document.host.certificates.access,
    issuer: 'public',
    names: externalCertificateNames(document),
    usages: [
      { usage: 'serverAuth', need: 'required', requested: true, why: 'clients and partners open TLS to it' },
      externalClientUsage(uses.filter(({ direction }) => direction === 'outbound').map(({ id }) => id)),
    ],
    usedAt: uses.map(useOf),
  };
}

function externalClientUsage(dialled: readonly string[]): PlannedUsage {
  if (dialled.length === 0) {
    return {
      usage: 'clientAuth',
      need: 'unneeded',
      requested: false,
      why: 'no feature that is on dials with it',
    };
  }
  const why =
    `the edge shows it when it dials partners (${dialled.join(', ')}); public authorities issue serverAuth only, which ` +
    'this edge accepts both ways, and a partner that insists on clientAuth refuses';
  return { usage: 'clientAuth', need: 'welcome', requested: false, why };
}

function internalCertificate(document: EdgeDocument): PlannedCertificate {
  const uses = rowsWithTls(document, 'internal');
  const rows = uses.map(({ id }) => id);
  return {
    id: 'internal',
    title: 'Internal certificate of this host',
    files: document.host.certificates.internal,
    issuer: 'internal',
    names: [
      {
        name: document.host.name,
        required: true,
        comparedAs: ['host'],
        why: [{ text: 'host.name, by which internal peers know this host', rows }],
      },
    ],
    usages: [
      { usage: 'serverAuth', need: 'required', requested: true, why: 'internal peers open TLS to it' },
      {
        usage: 'clientAuth',
        need: 'welcome',
        requested: true,
        why: 'the edge shows it when it dials the next hop (int-03), which may insist on it; your own authority can issue both',
      },
    ],
    usedAt: uses.map(useOf),
  };
}

/** Those shown to clients that ask for a name of `accessDomains`; partners are always shown the one of all names. */
function domainCertificates(document: EdgeDocument): PlannedCertificate[] {
  const uses = rowsWithTls(document, 'external').filter(({ id }) => id === 'ext-05');
  const rows = uses.map(({ id }) => id);
  return document.host.certificates.accessDomains.map(({ name, certificate, key }) => ({
    id: `access-domain-${name}`,
    title: `External certificate of the Access Edge service for clients that ask for ${name}`,
    files: { certificate, key },
    issuer: 'public',
    names: [
      {
        name,
        required: true,
        comparedAs: ['host'],
        why: [{ text: 'clients that ask for this name compare it', rows }],
      },
      ...document.policy.sipDomains
        .filter((domain) => name.endsWith(`.${domain}`))
        .map((domain) => ({
          name: domain,
          required: false,
          comparedAs: ['sip-domain' as const],
          why: [{ text: 'clients that follow RFC 5922 compare the SIP domain', rows }],
        })),
    ],
    usages: [
      { usage: 'serverAuth', need: 'required', requested: true, why: 'clients open TLS to it' },
      { usage: 'clientAuth', need: 'unneeded', requested: false, why: 'nobody is dialled with it' },
    ],
    usedAt: uses.map(useOf),
  }));
}

/** The rows that are on and in which a certificate of ours is shown, those of the relay's TLS too; each flow once. */
function rowsWithTls(document: EdgeDocument, side: 'external' | 'internal'): PlannedRow[] {
  return portPlan(document).rows.filter((row) => {
    const ours = row.service !== 'host' && row.service !== 'reverse-proxy';
    const tls = row.security.includes('TLS') || isRelayTls(row);
    return row.on && ours && tls && row.interface === side && row.sameAs === undefined;
  });
}

/** The A/V Edge service takes TLS (`turns:`) on the TCP port of its external address. */
function isRelayTls(row: PlannedRow): boolean {
  return (
    row.edge === 'av' &&
    row.transport === 'tcp' &&
    row.direction === 'inbound' &&
    row.peerKind === 'any' &&
    row.protocol !== 'RTP'
  );
}

function useOf(row: PlannedRow): CertificateUse {
  return {
    row: row.id,
    service: serviceTitle(row.service),
    direction: row.direction,
    port: row.flows[0]?.ports[0]?.first ?? 0,
  };
}

function instructions(document: EdgeDocument): Complaint[] {
  const { pool, sipDomains } = document.policy;
  const told: Complaint[] = [];
  const say = (rule: string, what: string, instead: string): void => {
    told.push({ severity: 'instruction', rule, what, instead });
  };
  if (pool.members.length > 1) {
    const names = pool.members.map(({ name }) => name).join(', ');
    const what = `every edge of the pool shows the same external names (${names})`;
    say('pool', what, 'install one external certificate on all of them, or have one issued for each');
    say(
      'pool-internal',
      'each edge of the pool has an internal certificate of its own',
      'run this command with the document of each of them',
    );
  }
  if (pool.balancing === 'hardware' && pool.virtualAddresses.internal.length > 0) {
    const what =
      'the name by which the next hop knows the internal address of the load balancer is not in the document';
    say(
      'virtual-name',
      what,
      'have it added to the internal certificate of every edge if the next hop compares it',
    );
  }
  if (sipDomains.length > 1) {
    const what = `one external certificate holds the names of ${sipDomains.length} SIP domains`;
    say(
      'server-name',
      what,
      'ask an authority for one that takes so many names; clients without SNI need it',
    );
  }
  if (externalNames(document).length === 0) {
    say('nothing-outside', 'no feature that is on takes connections from outside', 'see policy.features');
  }
  return told;
}
