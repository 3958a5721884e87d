export type {
  CreateFailure,
  Drawing,
  MeetingCommands,
  TitleFailure,
} from './client/meeting-commands.ts';
export type { MeetingViewOptions } from './client/meeting-view.ts';
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
export type { JoinRefusal } from './framing/operations.ts';
export type { ContentType } from './meeting/content.ts';
export { meetingInterfaces } from './meeting/interfaces.ts';
export type { DistributedInterface } from './objects/interface.ts';
