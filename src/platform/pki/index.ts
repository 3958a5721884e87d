export { type Credentials, type KeyPairFiles, loadCredentials, parseCredentials } from './credentials.ts';
export {
  type AuthorityRequest,
  type IssuedCertificate,
  LabAuthority,
  type LeafRequest,
} from './lab-authority.ts';
export {
  type CertificateNames,
  canonicalHostName,
  matchName,
  type NamePolicy,
} from './names.ts';
export { loadTrustAnchors, parseTrustAnchors, type TrustAnchors } from './trust-anchors.ts';
export {
  type ChainFailure,
  type ChainProblem,
  type ChainQuery,
  type Purpose,
  type VerifiedPeer,
  verifyChain,
} from './verify.ts';
