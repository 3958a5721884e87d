export {
  ACTIVATION_BYTES,
  type ActivatedKeys,
  type Activation,
  decodeActivation,
  encodeActivation,
  makeActivation,
  verifyActivation,
} from './activation.ts';
export { sha256 } from './canonical.ts';
export {
  type ChainHead,
  type Link,
  linkHash,
  makeLink,
  NEWEST_FORMAT,
  NO_HASH,
  OLDEST_FORMAT,
  type SignedLink,
} from './link.ts';
export {
  type Entry,
  type Manifest,
  manifestText,
  POLICY_ENTRY,
  parseManifest,
} from './manifest.ts';
export { decodePush, encodePush, PUSH_BYTES, type Push } from './push.ts';
export { type Refusal, type RefusalReason, refuse } from './refusal.ts';
export { type Attempt, type EdgeReport, edgeReport, REPLICATION_PATHS } from './report.ts';
export {
  isSealingPublicKey,
  makeSealingKey,
  readSealingKey,
  type SealingKey,
  seal,
  sealingKeyPem,
  unseal,
} from './sealed-secret.ts';
export type { SignedText } from './signed-text.ts';
export {
  fingerprintOf,
  makeSigningKey,
  readSigningKey,
  type SigningKey,
  signingKeyPem,
} from './signing-key.ts';
export { type Expectation, type VerifiedSnapshot, verifyPush } from './verify-push.ts';
