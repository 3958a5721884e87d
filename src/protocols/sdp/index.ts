export {
  type AudioFormat,
  type AudioMedia,
  type AudioRefusal,
  answerAudio,
  audioOffer,
  type LocalAudio,
  readAudio,
} from './audio.ts';
export { parseSdp, type SdpDrop, type SdpLimits } from './reader.ts';
export type {
  SdpAttribute,
  SdpConnection,
  SdpDirection,
  SdpMedia,
  SdpOrigin,
  SessionDescription,
} from './types.ts';
export { formatSdp } from './writer.ts';
