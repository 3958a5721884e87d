import { type CertificateNames, canonicalHostName } from '#platform/pki';

/**
 * Whether a certificate speaks for an XMPP domain (RFC 6120 §13.7.1.2 with RFC 9525): by xmppAddr, by the SRV-ID of the
 * service, or by dNSName, of which a wildcard stands for one label. The common name never counts.
 * @param domain canonical
 */
export function speaksForDomain(names: CertificateNames, domain: string): boolean {
  if (names.xmpp.some((name) => canonicalHostName(name) === domain)) return true;
  const services = [`_xmpp-server.${domain}`, `_xmpps-server.${domain}`];
  if (names.srv.some((name) => services.includes(canonicalHostName(name) ?? ''))) return true;
  if (names.dns.includes(domain)) return true;
  const dot = domain.indexOf('.');
  return dot > 0 && names.dns.includes(`*${domain.slice(dot)}`);
}
