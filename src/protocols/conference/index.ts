export { applyChanges, changesOf } from './changes.ts';
export {
  CONFERENCE_EVENT,
  CONFERENCE_INFO_TYPE,
  type ConferenceEndpoint,
  type ConferenceInfo,
  type ConferenceInfoProblem,
  type ConferenceUser,
  type ElementState,
  type EndpointStatus,
  readConferenceInfo,
  writeConferenceInfo,
} from './conference-info.ts';
export { FOCUS_ALPN } from './focus-connection.ts';
export * from './join/index.ts';
export { type ConferenceInfoLimits, conferenceInfoLimits } from './limits.ts';
