import { X509Certificate } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import { err, failure, ok, type Result } from '#kernel';
import { certificateFacts } from './certificate.ts';
import { parseCertificates, readPemFile } from './pem.ts';
import { subjectText } from './verify.ts';

/** The CA certificates that a chain may end in. */
export interface TrustAnchors {
  readonly certificates: readonly X509Certificate[];
  /** All of them, PEM. */
  readonly pem: string;
}

let publicAnchors: TrustAnchors | undefined;

/** The public authorities that the runtime knows; made once. */
export function publicTrustAnchors(): TrustAnchors {
  publicAnchors ??= {
    certificates: rootCertificates.map((pem) => new X509Certificate(pem)),
    pem: rootCertificates.map((pem) => `${pem}\n`).join(''),
  };
  return publicAnchors;
}

/** Loads a PEM bundle; every certificate in it must be a CA. A failure names the file and the cause. */
export function loadTrustAnchors(file: string): Result<TrustAnchors> {
  const text = readPemFile(file);
  return text.ok ? parseTrustAnchors(text.value, file) : text;
}

/**
 * The same from text.
 * @param origin named in the failure
 */
export function parseTrustAnchors(pem: string, origin: string): Result<TrustAnchors> {
  const certificates = parseCertificates(pem);
  if (!certificates.ok) return err(failure('SLP-NET-0007', `${origin}: ${certificates.error}`));
  for (const certificate of certificates.value) {
    const facts = certificateFacts(certificate);
    if (facts.ok && facts.value.ca) continue;
    const cause = facts.ok ? 'is not a CA certificate' : `is malformed (${facts.error})`;
    return err(failure('SLP-NET-0007', `${origin}: ${subjectText(certificate)} ${cause}`));
  }
  return ok({
    certificates: certificates.value,
    pem: certificates.value.map((certificate) => certificate.toString()).join(''),
  });
}
