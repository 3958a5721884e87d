import type { X509Certificate } from 'node:crypto';
import { extensionValue } from './certificate.ts';
import { DerError, DerReader, DerTag, readOid } from './der.ts';

/** Where a certificate says that its state and its issuer can be fetched. Nothing here is fetched. */
export interface RevocationPoints {
  /** CRL distribution points that are URLs (RFC 5280 §4.2.1.13). */
  readonly crl: readonly string[];
  /** OCSP responders (RFC 5280 §4.2.2.1). */
  readonly ocsp: readonly string[];
  /** Certificates of the issuer (RFC 5280 §4.2.2.1). */
  readonly issuers: readonly string[];
}

const CRL_DISTRIBUTION_POINTS = '2.5.29.31';
const AUTHORITY_INFORMATION_ACCESS = '1.3.6.1.5.5.7.1.1';
const OCSP = '1.3.6.1.5.5.7.48.1';
const CA_ISSUERS = '1.3.6.1.5.5.7.48.2';
/** uniformResourceIdentifier among GeneralNames (RFC 5280 §4.2.1.6). */
const URI = DerTag.implicit(6);
/** More of them in one certificate are not read. */
const MOST_POINTS = 32;

/** What cannot be read counts as not there. */
export function revocationPoints(certificate: X509Certificate): RevocationPoints {
  const access = readable(() => readAccess(extensionValue(certificate.raw, AUTHORITY_INFORMATION_ACCESS)));
  return {
    crl: readable(() => readDistributionPoints(extensionValue(certificate.raw, CRL_DISTRIBUTION_POINTS))),
    ocsp: access.filter(({ method }) => method === OCSP).map(({ url }) => url),
    issuers: access.filter(({ method }) => method === CA_ISSUERS).map(({ url }) => url),
  };
}

function readable<Item>(read: () => Item[]): Item[] {
  try {
    return read().slice(0, MOST_POINTS);
  } catch (problem) {
    if (problem instanceof DerError) return [];
    throw problem;
  }
}

function readDistributionPoints(value: Uint8Array | undefined): string[] {
  const urls: string[] = [];
  const points = value === undefined ? undefined : new DerReader(value).sequence();
  while (points !== undefined && !points.done) {
    const name = points.sequence().optional(DerTag.explicit(0));
    const fullName = name === undefined ? undefined : new DerReader(name).optional(DerTag.explicit(0));
    if (fullName === undefined) continue;
    const names = new DerReader(fullName);
    while (!names.done) {
      const { tag, content } = names.next();
      if (tag === URI) urls.push(...urlOf(content));
    }
  }
  return urls;
}

function readAccess(value: Uint8Array | undefined): { method: string; url: string }[] {
  const found: { method: string; url: string }[] = [];
  const list = value === undefined ? undefined : new DerReader(value).sequence();
  while (list !== undefined && !list.done) {
    const description = list.sequence();
    const method = readOid(description.expect(DerTag.oid));
    const { tag, content } = description.next();
    if (tag === URI) for (const url of urlOf(content)) found.push({ method, url });
  }
  return found;
}

/** Visible ASCII only, as in every URL. */
function urlOf(content: Uint8Array): string[] {
  const text = Buffer.from(content).toString('latin1');
  return /^[\x21-\x7e]{1,2000}$/.test(text) ? [text] : [];
}
