export { type CertificateFacts, certificateFacts } from './certificate.ts';
export { type CertificateRequest, type KeyKind, requestCertificate } from './certificate-request.ts';
export { type Credentials, type KeyPairFiles, loadCredentials, parseCredentials } from './credentials.ts';
export {
  type AuthorityRequest,
  type IssuedCertificate,
  LabAuthority,
  type LeafRequest,
} from './lab-authority.ts';
export {
  type CertificateNames,
  canonicalAddress,
  canonicalHostName,
  matchName,
  type NamePolicy,
} from './names.ts';
export { parseCertificates, readPemFile } from './pem.ts';
export { type OcspProblem, type OcspVerdict, verifyOcspResponse } from './revocation/ocsp-response.ts';
export {
  findInList,
  type ListProblem,
  listProblem,
  type RevocationList,
  readRevocationList,
} from './revocation/revocation-list.ts';
export { type RevocationPoints, revocationPoints } from './revocation-points.ts';
export { type SipIdentity, sipIdentities } from './sip-identities.ts';
export {
  loadTrustAnchors,
  parseTrustAnchors,
  publicTrustAnchors,
  type TrustAnchors,
} from './trust-anchors.ts';
export {
  type ChainFailure,
  type ChainProblem,
  type ChainQuery,
  certificateText,
  isWeakSignature,
  type Purpose,
  SMALLEST_RSA_BITS,
  subjectText,
  type VerifiedPeer,
  verifyChain,
} from './verify.ts';
