export {
  type AudioStatistics,
  AudioStream,
  type AudioStreamOptions,
  type MediaPath,
} from './audio-stream.ts';
export { Call, type CallMedia } from './call.ts';
export { Phone, type PhoneOptions, type SignIn } from './phone.ts';
export type { PhoneIdentity } from './phone-requests.ts';
export { type HeardPresence, type OwnPresence, PresenceClient } from './presence-client.ts';
export { RelayedPath, type RelayedPathOptions, type RelayServer } from './relayed-path.ts';
