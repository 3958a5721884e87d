import { type CertificateNames, canonicalHostName, matchName, sipIdentities } from '#platform/pki';
import { isCarrier, type Partner } from './partner-table.ts';

/** What a connection was found to speak for, and by which name of its certificate. */
export interface Identity {
  readonly domain: string;
  /** The name that said so. */
  readonly name: string;
  readonly by: 'domain' | 'proxy' | 'srv-host';
}

/**
 * Whether a certificate speaks for a partner's domain: it asserts the domain itself (RFC 5922 §7.1), or the name of
 * the edge that the document gives to the partner, or a host that the partner's DNS records name and that lies in
 * the domain. Of a provider only the name of its server counts. The common name is nobody, and wildcards are none (RFC 5922 §7.2).
 *
 * @param located host names that the domain's records lead to; undefined when they were not asked
 */
export function identityOf(
  names: CertificateNames,
  { domain, proxy, kind }: Pick<Partner, 'domain' | 'proxy' | 'kind'>,
  located: readonly string[] | undefined,
): Identity | undefined {
  if (!isCarrier({ kind }) && sipIdentities(names).some((identity) => identity.domain === domain)) {
    return { domain, name: domain, by: 'domain' };
  }
  if (proxy !== undefined) {
    return matchName(names, [proxy]) === undefined ? undefined : { domain, name: proxy, by: 'proxy' };
  }
  const hosts = (located ?? []).filter((host) => isWithin(host, domain));
  const name = matchName(names, hosts);
  return name === undefined ? undefined : { domain, name, by: 'srv-host' };
}

/**
 * The domain that the host part of a SIP URI names, in the spelling of the document's lists: a full stop at the end, which
 * RFC 3261 §25.1 allows, makes no other domain of it. Undefined for an address, and for what is no host name: its last label
 * begins with a letter.
 */
export function domainOfHost(host: string): string | undefined {
  const name = canonicalHostName(host);
  return name !== undefined && /(?:^|\.)[a-z][^.]*$/.test(name) ? name : undefined;
}

/** True for the domain itself and for names below it: where a record of the domain may lead. */
export function isWithin(host: string, domain: string): boolean {
  const name = canonicalHostName(host);
  return name === domain || name?.endsWith(`.${domain}`) === true;
}

/** True for a host that the connection may name as itself: in its certificate, or the address that it came from. */
export function isOwnHost(host: string, names: CertificateNames, address: string): boolean {
  const bare = host.startsWith('[') ? host.slice(1, -1) : host;
  if (bare === address) return true;
  return matchName(names, [bare]) !== undefined || sipIdentities(names).some(({ domain }) => domain === bare);
}
