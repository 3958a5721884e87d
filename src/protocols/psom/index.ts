export type {
  CreateFailure,
  Drawing,
  MeetingCommands,
  TitleFailure,
} from './client/meeting-commands.ts';
export { MeetingView, type MeetingViewOptions } from './client/meeting-view.ts';
export type {
  AnnotationKind,
  AnnotationsView,
  AnnotationView,
  ContentView,
  MeetingPhase,
  MeetingSnapshot,
  PointerView,
  PollView,
  SlidesView,
  SlideView,
  UploadFailure,
  UploadView,
  UserView,
  Visibility,
} from './client/snapshot.ts';
export type { UploadSource } from './client/uploads.ts';
export { type FrameFault, type FrameLimits, FrameReader } from './framing/frame-reader.ts';
export {
  type DisconnectReason,
  decodeOperation,
  encodeOperation,
  type JoinKind,
  type JoinRefusal,
  type Operation,
} from './framing/operations.ts';
export { annotationContainer, whiteboard } from './meeting/annotations.ts';
export { type ContentType, content, contentManager, pptContent } from './meeting/content.ts';
export { meetingInterfaces } from './meeting/interfaces.ts';
export { meeting } from './meeting/meeting.ts';
export { poll } from './meeting/poll.ts';
export { uploadManager, uploadStream } from './meeting/upload.ts';
export { dispatch } from './objects/dispatch.ts';
export type { Arguments, DistributedInterface, Handlers, Methods, Stub } from './objects/interface.ts';
export type { DistributedObject } from './objects/object-table.ts';
export { type ParameterValue, parameterTexts } from './objects/parameters.ts';
export { type PsomEvent, type PsomFault, type PsomLimits, PsomPeer } from './objects/peer.ts';
export { SharedCall } from './objects/shared-call.ts';
export { decodeObserved, encodeObserved, type Observed } from './observer/observed.ts';
export type { ObjectBudget } from './observer/observed-objects.ts';
export {
  type FollowFault,
  followFaults,
  INTEREST,
  type ObservedOperation,
  OperationFollower,
} from './observer/operation-follower.ts';
