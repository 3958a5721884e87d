export * from './dialogs/index.ts';
export { type DigestAlgorithm, digestAlgorithm, digestHash } from './digest/algorithm.ts';
export { type DigestProblem, parseAuthParameters } from './digest/auth-parameters.ts';
export {
  type DigestChallenge,
  formatChallenge,
  parseChallenge,
  type QualityOfProtection,
} from './digest/challenge.ts';
export { type DigestCredentials, formatCredentials, parseCredentials } from './digest/credentials.ts';
export { type DigestNonceOptions, DigestNonces, type NonceVerdict } from './digest/nonces.ts';
export { answerChallenge, checkResponse, type DigestInput, ha1 } from './digest/response.ts';
export {
  type BuildRequestOptions,
  type BuildResponseOptions,
  buildRequest,
  buildResponse,
} from './messages/build.ts';
export type { CSeq } from './messages/cseq.ts';
export { MessageEdit } from './messages/edit.ts';
export { FieldLine, NumberLines } from './messages/field-line.ts';
export {
  type FramerCloseReason,
  type FramerEvent,
  type KeepAliveSide,
  SipStreamFramer,
} from './messages/framer.ts';
export { type HeaderId, idOf as headerId, knownNames as knownHeaderNames } from './messages/header-name.ts';
export { type SipLimits, sipLimits } from './messages/limits.ts';
export { type SipMessage, SipRequest, SipResponse } from './messages/message.ts';
export { formatNameAddress, type NameAddress, parseNameAddress } from './messages/name-address.ts';
export type { Parameters } from './messages/parameters.ts';
export { parseSipMessage, type SipParseError, type SipParseReason } from './messages/parse.ts';
export { formatSipUri, parseSipUri, type SipUri, type UriProblem } from './messages/uri.ts';
export { addressOfRecord, sameSipUri } from './messages/uri-compare.ts';
export type { Via } from './messages/via.ts';
export { type Source, SourceStamp, stampedVia } from './messages/via-source.ts';
export { loopPrint, newBranch } from './routing/branch.ts';
export { type ForwardOptions, forwardRequest } from './routing/forward.ts';
export { type HashKey, hashKey } from './routing/keyed-hash.ts';
export { breadthOfBranch, maxBreadth } from './routing/max-breadth.ts';
export { type PassedOn, passOn } from './routing/pass-on.ts';
export type { ResponsePlan, ResponseRefusal } from './routing/response.ts';
export { type NextHop, nextHop, preprocessRoutes, type RoutePlan, withoutOurMaddr } from './routing/route.ts';
export {
  type ProxyRefusal,
  type ProxyRefusalReason,
  type ProxyRules,
  validateForProxy,
} from './routing/validate.ts';
export { type EventName, eventOf, formatEvent } from './subscriptions/event.ts';
export {
  formatSubscriptionState,
  type SubscriptionState,
  subscriptionStateOf,
  type TerminationReason,
} from './subscriptions/subscription-state.ts';
export * from './transactions/index.ts';
