export {
  ASSERTED_SOURCE,
  type AssertedSource,
  assertedSourceAround,
  formatAssertedSource,
  parseAssertedSource,
  type SourceKind,
} from './asserted-source.ts';
export {
  ASSERTED_LEVEL,
  formatMessageTrust,
  isSaidVerified,
  MESSAGE_TRUST,
  type MessageSourceType,
  type MessageTrust,
  VERIFIED_LEVEL,
} from './message-trust.ts';
export { formatSenderRights, parseSenderRights, SENDER_RIGHTS, type SenderRights } from './sender-rights.ts';
