import type {
  CertificatePlan,
  ExaminedCertificate,
  PartnerView,
  PlannedCertificate,
} from '#platform/certificate-plan';
import { printable, table } from './terminal.ts';
import { threeLists } from './three-lists.ts';

const ISSUERS: Readonly<Record<PlannedCertificate['issuer'], string>> = {
  public: 'a public authority, which clients and partners trust',
  internal: 'an authority of host.internalCa',
};

/** What `sallyport certificates` prints: each certificate, the choice by server name, what else is to be done. */
export function planReport({ certificates, serverNames, instructions }: CertificatePlan): string {
  const choice = table([
    ['SERVER NAME', 'CERTIFICATE', 'WHY'],
    ...serverNames.map(({ serverName, certificate, why }) => [serverName ?? '(none)', certificate, why]),
  ]);
  return [
    ...certificates.map(certificateReport),
    `Choice by server name (SNI)\n${choice}`,
    threeLists(instructions),
  ].join('\n\n');
}

function certificateReport({ id, title, files, issuer, names, usages, usedAt }: PlannedCertificate): string {
  return [
    `${title} (${id})`,
    `issued by ${ISSUERS[issuer]}`,
    printable(`certificate ${files.certificate}`),
    printable(`key         ${files.key}`),
    '',
    table([
      ['NAME', 'NEED', 'PORT ROWS', 'WHY'],
      ...names.map(({ name, required, why }) => [
        name,
        required ? 'required' : 'welcome',
        [...new Set(why.flatMap(({ rows }) => rows))].join(' '),
        why.map(({ text }) => text).join('; '),
      ]),
    ]),
    '',
    table([['USAGE', 'NEED', 'WHY'], ...usages.map(({ usage, need, why }) => [usage, need, why])]),
    '',
    table([
      ['USED AT', 'DIRECTION', 'PORT', 'BY'],
      ...usedAt.map(({ row, direction, port, service }) => [row, direction, String(port), service]),
    ]),
  ].join('\n');
}

/** What a peer sees of one certificate, for `--check`. */
export function partnerReport({ id, file, view }: ExaminedCertificate): string {
  const heading = `What a peer sees of the ${id === 'access' ? 'external' : 'internal'} certificate ${file}`;
  if (view === undefined) return `${printable(heading)}\n  nothing: it cannot be read`;
  const cells = [
    ['names', view.names.join(', ') || 'none'],
    ['subject', view.subject],
    ['issuer', view.issuer],
    ['chain', `${view.chainLength} ${view.chainLength === 1 ? 'certificate' : 'certificates'}`],
    ['valid', `${view.notBefore} to ${view.notAfter}`],
    ['usages', view.usages?.join(', ') ?? 'any'],
    ['revocation', revocationText(view)],
    ...(id === 'access' ? view.sipDomains.map(sipDomainCells) : []),
  ].map((row) => row.map(printable));
  return [
    printable(heading),
    ...table(cells)
      .split('\n')
      .map((line) => `  ${line}`),
  ].join('\n');
}

function revocationText({ revocation: { crl, ocsp } }: PartnerView): string {
  return [...crl.map((url) => `CRL ${url}`), ...ocsp.map((url) => `OCSP ${url}`)].join(', ') || 'none';
}

const KINDS = { uri: 'proven by a sip: name', dns: 'proven by a DNS name' } as const;

function sipDomainCells({ domain, by }: PartnerView['sipDomains'][number]): string[] {
  return [
    'SIP domain',
    `${domain}: ${by === undefined ? 'not proven (RFC 5922)' : `${KINDS[by]} (RFC 5922)`}`,
  ];
}
