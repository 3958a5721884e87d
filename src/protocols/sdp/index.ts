export {
  type AudioFormat,
  type AudioMedia,
  type AudioRefusal,
  answerAudio,
  audioOffer,
  type LocalAudio,
  PCMA,
  PCMU,
  readAudio,
  staticAudioFormats,
} from './audio.ts';
export { parseSdp, type SdpDrop, type SdpLimits, sdpLimits } from './reader.ts';
export type {
  SdpAttribute,
  SdpConnection,
  SdpDirection,
  SdpMedia,
  SdpOrigin,
  SessionDescription,
} from './types.ts';
export { formatSdp } from './writer.ts';
