import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { err, ok, type Result, type WallTime } from '#kernel';
import {
  type ChainFailure,
  type Purpose,
  type TrustAnchors,
  type VerifiedPeer,
  verifyChain,
} from '#platform/pki';

/** One more than verification looks at, so that a longer chain is noticed. */
const MOST_CERTIFICATES = 10;

/**
 * The certificates that the peer sent, its own first; empty if it sent none. Call it once for each handshake:
 * the runtime's read takes the chain out of the TLS session, a second one sees the leaf only.
 */
export function takePeerCertificates(socket: TLSSocket): X509Certificate[] {
  const certificates: X509Certificate[] = [];
  let next = socket.getPeerX509Certificate();
  while (next !== undefined && certificates.length < MOST_CERTIFICATES) {
    certificates.push(next);
    next = next.issuerCertificate;
  }
  return certificates;
}

/** Verifies what the peer sent; ok(undefined) if it sent nothing. */
export function verifyPeer(
  socket: TLSSocket,
  anchors: TrustAnchors,
  purpose: Purpose,
  at: WallTime,
): Result<VerifiedPeer | undefined, ChainFailure> {
  const [leaf, ...intermediates] = takePeerCertificates(socket);
  if (leaf === undefined) return ok(undefined);
  const verified = verifyChain({ leaf, intermediates, anchors, at, purpose });
  return verified.ok ? ok(verified.value) : err(verified.error);
}
