import { X509Certificate } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import type { TrustAnchors } from '#platform/pki';

/**
 * The public roots that come with the runtime (Mozilla's), which stand for what clients and partners trust, and those
 * that the operator adds.
 */
export function publicRoots(more?: TrustAnchors): TrustAnchors {
  const roots = rootCertificates.map((pem) => new X509Certificate(pem));
  return {
    certificates: [...roots, ...(more?.certificates ?? [])],
    pem: [...rootCertificates.map((pem) => `${pem}\n`), more?.pem ?? ''].join(''),
  };
}
