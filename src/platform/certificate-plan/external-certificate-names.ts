import { type EdgeDocument, type ExternalName, externalNames, serviceTitle } from '#platform/topology';

/** A name that a certificate has to hold, or had better. */
export interface PlannedName {
  readonly name: string;
  /** Without it something that the document asks for fails; otherwise only for some peers. */
  readonly required: boolean;
  /**
   * How peers compare it: a host name by RFC 9525 (a wildcard may cover it), a SIP domain by RFC 5922 §7.2 or an XMPP
   * domain by RFC 6120 §13.7.1 (a SIP domain as a whole only).
   */
  readonly comparedAs: readonly NameUse[];
  readonly why: readonly NameReason[];
}

export type NameUse = 'host' | 'sip-domain' | 'xmpp-domain';

interface NameReason {
  readonly text: string;
  readonly rows: readonly string[];
}

interface Wanted {
  readonly name: string;
  readonly required: boolean;
  readonly use: NameUse;
  readonly why: NameReason;
}

/** The names of the external certificate, a pure function of the document; the Access Edge's own comes first. */
export function externalCertificateNames(document: EdgeDocument): PlannedName[] {
  const { names } = document.policy;
  const outside = externalNames(document);
  const own = { text: `${serviceTitle('access')}, its own name`, rows: rowsOf(outside, names.access) };
  return merged([
    { name: names.access, required: true, use: 'host', why: own },
    ...outside.flatMap((external) => hostName(external, document)),
    ...domainNames(document),
  ]);
}

/** A further name in a SIP domain is needed where its records are compared strictly: for SIP, not for the relay. */
function hostName({ name, service, domain, rows }: ExternalName, document: EdgeDocument): Wanted[] {
  const { names } = document.policy;
  const ids = rows.map(({ id }) => id);
  if (service === 'access') {
    if (name === names.access) return [];
    const text =
      domain === undefined
        ? 'clients are given it (host.certificates.accessDomains); those without SNI find it in this one'
        : `the service records of ${domain} lead to it`;
    return [{ name, required: true, use: 'host', why: { text, rows: ids } }];
  }
  if (service === 'webConferencing') {
    return [
      { name, required: true, use: 'host', why: { text: serviceTitle('web-conferencing'), rows: ids } },
    ];
  }
  const tcp = rows.filter(({ transport }) => transport === 'tcp').map(({ id }) => id);
  if (name !== names.av || tcp.length === 0) return [];
  const text = `${serviceTitle('av')}, for clients that reach the relay over TLS (turns:)`;
  return [{ name, required: true, use: 'host', why: { text, rows: tcp } }];
}

function domainNames({ policy: { sipDomains, features } }: EdgeDocument): Wanted[] {
  const partners = features.federation || features.publicProviders;
  return sipDomains.flatMap((name) => {
    const wanted: Wanted[] = [];
    if (partners) {
      const why = { text: 'partners compare the SIP domain itself (RFC 5922)', rows: ['ext-06', 'ext-07'] };
      wanted.push({ name, required: true, use: 'sip-domain', why });
    }
    if (features.xmpp) {
      const why = { text: 'XMPP servers compare the domain itself (RFC 6120)', rows: ['ext-01', 'xmpp-02'] };
      wanted.push({ name, required: true, use: 'xmpp-domain', why });
    }
    if (features.remoteUsers) {
      const why = { text: 'clients that follow RFC 5922 compare the SIP domain', rows: ['ext-05'] };
      wanted.push({ name, required: false, use: 'sip-domain', why });
    }
    return wanted;
  });
}

function rowsOf(outside: readonly ExternalName[], name: string): string[] {
  const own = outside.filter((external) => external.name === name && external.service === 'access');
  return [...new Set(own.flatMap(({ rows }) => rows.map(({ id }) => id)))];
}

function merged(wanted: readonly Wanted[]): PlannedName[] {
  const found = new Map<string, PlannedName>();
  for (const { name, required, use, why } of wanted) {
    const known = found.get(name) ?? { name, required: false, comparedAs: [], why: [] };
    found.set(name, {
      name,
      required: known.required || required,
      comparedAs: [...new Set([...known.comparedAs, use])],
      why: [...known.why.filter(({ text }) => text !== why.text), why],
    });
  }
  return [...found.values()];
}
