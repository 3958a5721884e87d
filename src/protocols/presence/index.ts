export { composePresence, offlinePresence, type PresenceSource } from './compose.ts';
export { type PresenceLimits, presenceLimits } from './limits.ts';
export { PIDF_TYPE, type PidfProblem, readPidf, writePidf } from './pidf.ts';
export type { Note, PresenceDocument, Show, Tuple } from './presence-document.ts';
export {
  readWatcherInfo,
  WATCHER_INFO_TYPE,
  type Watcher,
  type WatcherInfo,
  writeWatcherInfo,
} from './watcher-info.ts';
