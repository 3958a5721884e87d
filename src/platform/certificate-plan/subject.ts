import type { KeyObject, X509Certificate } from 'node:crypto';
import type { WallTime } from '#kernel';
import type { CertificateFacts, TrustAnchors } from '#platform/pki';
import type { Severity } from '#platform/topology';
import type { PlannedCertificate } from './certificate-plan.ts';

/** Notes one finding. */
export type Say = (severity: Severity, rule: string, what: string, instead: string) => void;

/** A certificate as it was read, with what is wanted of it. */
export interface Subject {
  readonly planned: PlannedCertificate;
  /** Quoted file name, for findings. */
  readonly file: string;
  /** As the file has them, the certificate of the key not always first. */
  readonly chain: readonly X509Certificate[];
  readonly leaf: X509Certificate;
  readonly facts: CertificateFacts;
  readonly at: WallTime;
  readonly anchors: Anchors;
}

export interface Anchors {
  /** Roots that peers of this certificate are expected to know. */
  readonly expected: TrustAnchors;
  /** The document's internal authorities. */
  readonly internal: TrustAnchors;
}

/** `2026-03-01` */
export function day(at: WallTime): string {
  return new Date(at).toISOString().slice(0, 10);
}

/** The key of a certificate; undefined when it is of a kind that this runtime cannot use. */
export function publicKeyOf(certificate: X509Certificate): KeyObject | undefined {
  try {
    return certificate.publicKey;
  } catch {
    return undefined;
  }
}
