export { type ConferenceAddress, formatConferenceUri, parseConferenceUri } from './conference-uri.ts';
export {
  formatJoinAnswer,
  JOIN_ANSWER_TYPE,
  type JoinAnswer,
  type JoinAnswerProblem,
  joinAnswerLimits,
  type ParticipantRole,
  type Place,
  parseJoinAnswer,
} from './join-answer.ts';
export { formatMeetingLink, type MeetingLink, parseMeetingLink } from './meeting-link.ts';
