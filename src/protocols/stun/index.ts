export { AttributeType } from './attribute-types.ts';
export { decodeAddressErrorCode, encodeAddressErrorCode } from './attributes/address-error-code.ts';
export {
  DRAFT_ADDITIONAL_ADDRESS_FAMILY,
  decodeAddressFamily,
  encodeAddressFamily,
} from './attributes/address-family.ts';
export { checkChannelNumber, decodeChannelNumber, encodeChannelNumber } from './attributes/channel-number.ts';
export { decodeConnectionId, encodeConnectionId } from './attributes/connection-id.ts';
export { decodeData, encodeData } from './attributes/data.ts';
export {
  decodeEdgeAnswer,
  decodeEdgeQuestion,
  EDGE_COOKIE_BYTES,
  EDGE_VERSION,
  EDGE_VERSION_ATTRIBUTE,
  encodeEdgeAnswer,
  encodeEdgeQuestion,
} from './attributes/edge-version.ts';
export { decodeErrorCode, type ErrorCodeValue, encodeErrorCode } from './attributes/error-code.ts';
export { decodeEvenPort, type EvenPort, encodeEvenPort } from './attributes/even-port.ts';
export { checkFingerprint, encodeFingerprint } from './attributes/fingerprint.ts';
export {
  checkIntegrity,
  checkMessageIntegrity,
  checkMessageIntegritySha256,
  encodeMessageIntegrity,
  encodeMessageIntegritySha256,
  longTermKey,
} from './attributes/integrity.ts';
export { decodeLifetime, encodeLifetime } from './attributes/lifetime.ts';
export { decodeMappedAddress, encodeMappedAddress } from './attributes/mapped-address.ts';
export {
  checkPasswordAlgorithms,
  decodePasswordAlgorithm,
  encodePasswordAlgorithm,
  encodePasswordAlgorithms,
  type PasswordAlgorithm,
} from './attributes/password-algorithm.ts';
export {
  decodeRequestedTransport,
  encodeRequestedTransport,
  TransportProtocol,
} from './attributes/requested-transport.ts';
export {
  decodeReservationToken,
  encodeReservationToken,
  RESERVATION_TOKEN_BYTES,
} from './attributes/reservation-token.ts';
export { checkTextLength, decodeText, encodeText, type TextAttribute } from './attributes/text.ts';
export { decodeUnknownAttributes, encodeUnknownAttributes } from './attributes/unknown-attributes.ts';
export { decodeUserhash, userhash } from './attributes/userhash.ts';
export {
  decodeXorAddress,
  decodeXorAddressAt,
  encodeXorAddress,
  type XorAddress,
  xorAddressBytes,
} from './attributes/xor-address.ts';
export {
  CHANNEL_HEADER_BYTES,
  channelDataLength,
  channelNumberOf,
  encodeChannelHeader,
  FIRST_CHANNEL,
  LAST_CHANNEL,
  looksLikeChannelData,
} from './channel-data.ts';
export { ErrorCode } from './error-codes.ts';
export { hmac } from './hmac.ts';
export {
  type AddressFamily,
  canonicalIp,
  decodeIp,
  encodeIp,
  familyOf,
  type TransportAddress,
} from './ip-address.ts';
export {
  type AttributeFault,
  decodeStun,
  HEADER_BYTES,
  paddedLength,
  type StunDrop,
  type StunLimits,
  StunMessage,
  stunDrops,
  stunLimits,
} from './message.ts';
export { MessageClass, Method, messageClassOf, messageType, methodOf } from './methods.ts';
export * from './ms/index.ts';
export { NONCE_COOKIE_BYTES, nonceCookie, SecurityFeature, securityFeatures } from './nonce-cookie.ts';
export {
  octetsAsText,
  readU16,
  readU32,
  sameAsText,
  sameOctets,
  writeText,
  writeU16,
  writeU32,
} from './octets.ts';
export { EDGE_TUNNEL_MARK, type Opening, openingOf } from './stream/first-bytes.ts';
export { type FramingFault, StunFramer } from './stream/stun-framer.ts';
export { StunWriter } from './writer.ts';
