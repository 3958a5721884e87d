export type { SignallingServer } from './node-transport.ts';
export { Participant, type ParticipantOptions, sourceOf } from './participant.ts';
