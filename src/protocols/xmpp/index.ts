export { dialbackKey } from './dialback/key.ts';
export { canonicalDomain, type Jid, jidText, parseJid } from './jid.ts';
export { fitsLink } from './link/fits-link.ts';
export { LinkStream } from './link/link-stream.ts';
export {
  originOf,
  type PartnerType,
  partnerTypes,
  type ReturnedKind,
  returnedKindOf,
  type StanzaOrigin,
  withOrigin,
  withoutOrigin,
} from './link/origin.ts';
export { poolOrder } from './link/pool-order.ts';
export {
  type Method,
  type Negotiation,
  type NegotiationOutcome,
  negotiate,
  negotiations,
} from './methods.ts';
export { NS } from './namespaces.ts';
export type { DomainPair, PartnerStreamState, StreamAction } from './stream/actions.ts';
export { type StreamReason, streamReasons } from './stream/drop.ts';
export { InboundStream, type ReceiverPolicy } from './stream/inbound-stream.ts';
export { linkLimits, partnerLimits, strangerLimits } from './stream/limits.ts';
export { OutboundStream } from './stream/outbound-stream.ts';
export { isReadOnce } from './stream/stanza.ts';
export type { PartnerTerms, PeerSecurity, StreamLimits, StreamSettings } from './stream/terms.ts';
export type { StreamTimes } from './stream/wire.ts';
