import {
  type RevocationPoints,
  revocationPoints,
  type SipIdentity,
  sipIdentities,
  subjectText,
} from '#platform/pki';
import { pathOf } from './examine-chain.ts';
import type { Subject } from './subject.ts';

/** What a peer learns from the handshake. */
export interface PartnerView {
  readonly subject: string;
  readonly issuer: string;
  /** Every name of the subjectAltName, with its kind in front unless it is a host name. */
  readonly names: readonly string[];
  /** Certificates that are sent and lead upwards, the first one included. */
  readonly chainLength: number;
  /** ISO 8601, UTC. */
  readonly notBefore: string;
  readonly notAfter: string;
  /** Extended key usages by their names where they have one; undefined when every use is open. */
  readonly usages: readonly string[] | undefined;
  readonly revocation: RevocationPoints;
  /** What a partner that follows RFC 5922 finds for each SIP domain of the document. */
  readonly sipDomains: readonly {
    readonly domain: string;
    /** The kind of name that proves it; undefined when none does. */
    readonly by: SipIdentity['by'] | undefined;
  }[];
}

const USAGE_NAMES: Readonly<Record<string, string>> = {
  '1.3.6.1.5.5.7.3.1': 'serverAuth',
  '1.3.6.1.5.5.7.3.2': 'clientAuth',
  '2.5.29.37.0': 'any',
};

export function partnerView(subject: Subject, sipDomains: readonly string[]): PartnerView {
  const { leaf, facts } = subject;
  const { dns, ip, uri, xmpp, srv } = facts.names;
  const identities = sipIdentities(facts.names);
  return {
    subject: subjectText(leaf),
    issuer: leaf.issuer.replaceAll('\n', ', '),
    names: [
      ...dns,
      ...ip.map((name) => `address ${name}`),
      ...uri.map((name) => `URI ${name}`),
      ...xmpp.map((name) => `XMPP ${name}`),
      ...srv.map((name) => `SRV ${name}`),
    ],
    chainLength: pathOf(subject).length,
    notBefore: new Date(facts.notBefore).toISOString(),
    notAfter: new Date(facts.notAfter).toISOString(),
    usages: facts.extendedKeyUsages?.map((usage) => USAGE_NAMES[usage] ?? usage),
    revocation: revocationPoints(leaf),
    sipDomains: sipDomains.map((domain) => ({
      domain,
      by: identities.find((identity) => identity.domain === domain)?.by,
    })),
  };
}
