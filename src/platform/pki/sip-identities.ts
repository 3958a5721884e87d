import { type CertificateNames, canonicalHostName } from './names.ts';

/** A SIP domain that a certificate speaks for, and the kind of name that says so. */
export interface SipIdentity {
  readonly domain: string;
  readonly by: 'uri' | 'dns';
}

/**
 * The SIP domains that a certificate asserts (RFC 5922 §7.1): its `sip:` URIs without a user part, and only when there
 * is none of these its dNSNames. They are compared as a whole; a wildcard is none (§7.2). The common name is never one.
 */
export function sipIdentities(names: CertificateNames): SipIdentity[] {
  const byUri = names.uri.flatMap((uri) => {
    const domain = domainOfUri(uri);
    return domain === undefined ? [] : [{ domain, by: 'uri' as const }];
  });
  if (byUri.length > 0) return byUri;
  return names.dns.filter((name) => !name.startsWith('*.')).map((domain) => ({ domain, by: 'dns' as const }));
}

/** `sip:example.com` with nothing else in it; `sips:` and URIs with a user name no domain (RFC 5922 §7.1). */
function domainOfUri(uri: string): string | undefined {
  const host = /^sip:([^@:;?/]+)$/i.exec(uri)?.[1];
  return host === undefined ? undefined : canonicalHostName(host);
}
