export { accountOf } from './account-of.ts';
export { AccountVerifier } from './accounts.ts';
export { type ReadFile, readAccounts, readMediaKeys, readRestSecrets } from './key-files.ts';
export { MediaKeyRing, parseMediaKeyRing } from './key-ring.ts';
export { type MediaKey, mediaKeyText, parseMediaKey } from './media-key.ts';
export {
  type AuthorityAnswer,
  type AuthorityPolicy,
  answerCredentialsRequest,
  type MediaRelayOffer,
} from './mras/authority.ts';
export {
  type CredentialsRequest,
  formatMrasRequest,
  type MrasLimits,
  type MrasRequest,
  type MrasRequestProblem,
  mrasLimits,
} from './mras/request.ts';
export {
  type CredentialsResponse,
  type IssuedCredentials,
  type MediaRelay,
  type MrasResponse,
  parseMrasResponse,
} from './mras/response.ts';
export {
  MRAS_CONTENT_TYPE,
  type MrasLocation,
  type MrasReason,
  type MrasRoute,
  mrasReasons,
} from './mras/vocabulary.ts';
export { parseRestSecret, type RestCredential, RestVerifier, restCredential } from './rest.ts';
export {
  accountOfIdentity,
  type HonouredKey,
  type MediaToken,
  MediaTokenIssuer,
  MediaTokenVerifier,
  RingTokenIssuer,
} from './token.ts';
export {
  CombinedVerifier,
  type Credential,
  type CredentialRefusal,
  type MediaCredentialVerifier,
} from './verifier.ts';
