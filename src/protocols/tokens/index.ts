export {
  CONFERENCE_TOKEN_CHARACTERS,
  type ConferenceClaims,
  type ConferencePublicKey,
  type ConferencePurpose,
  type ConferenceRole,
  type ConferenceSigningKey,
  type ConferenceTokenError,
  conferencePublicKey,
  conferenceSigningKey,
  nodeOfConferenceToken,
  openConferenceToken,
  sealConferenceToken,
} from './conference-token.ts';
export { decodeFlowToken, encodeFlowToken, type FlowToken } from './flow-token.ts';
export { type TokenError, type TokenKey, type TokenKeys, tokenKey } from './token.ts';
