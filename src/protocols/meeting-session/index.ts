export type { Channel, ChannelUser, SessionTransport } from './channel.ts';
export { MeetingSession, type MeetingSessionOptions, type Who } from './meeting-session.ts';
export type { SessionEnd, SessionSnapshot, SessionStage } from './session-snapshot.ts';
