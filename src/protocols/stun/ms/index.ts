export { MsAttributeType, MsErrorCode, MsMessageType } from './ms-attribute-types.ts';
export {
  encodeMsFrameHeader,
  MS_FRAME_HEADER_BYTES,
  MsDeframer,
  MsFrameType,
} from './ms-framing.ts';
export { checkMsIntegrity, encodeMsIntegrity } from './ms-integrity.ts';
export {
  decodeMs,
  looksLikeMs,
  type MsDrop,
  MsMessage,
  msDrops,
} from './ms-message.ts';
export {
  CONNECTION_ID_BYTES,
  decodeMsAddress,
  decodeMsErrorCode,
  decodeMsNumber,
  decodeMsSequence,
  decodeMsText,
  decodeMsXorAddress,
  encodeMsAddress,
  encodeMsErrorCode,
  encodeMsSequence,
  encodeMsUnknownAttributes,
  encodeMsXorAddress,
  type MsSequence,
} from './ms-values.ts';
export { MsWriter } from './ms-writer.ts';
export {
  isPseudoServerHello,
  matchPseudoClientHello,
  PSEUDO_CLIENT_HELLO_BYTES,
  PSEUDO_SERVER_HELLO_BYTES,
  pseudoClientHello,
  pseudoServerHello,
} from './pseudo-tls.ts';
export { Rfc4571Cutter } from './rfc4571.ts';
