import { publicTrustAnchors, type TrustAnchors } from '#platform/pki';

/**
 * The public roots that come with the runtime (Mozilla's), which stand for what clients and partners trust, and those
 * that the operator adds.
 */
export function publicRoots(more?: TrustAnchors): TrustAnchors {
  const roots = publicTrustAnchors();
  return {
    certificates: [...roots.certificates, ...(more?.certificates ?? [])],
    pem: roots.pem + (more?.pem ?? ''),
  };
}
