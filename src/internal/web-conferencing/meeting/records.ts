import type { WallTime } from '#kernel';
import type { ContentType } from '#protocols/psom';
import type { ParticipantKind } from '../conferences.ts';

/** What is kept of a meeting, as the store has it. */
export interface ConferenceRecord {
  /** 16 characters of a-z and 2-7. */
  readonly id: string;
  /** 16 characters of base64url. */
  readonly key: string;
  title: string;
  readonly organizer: string;
  guests: boolean;
  federated: boolean;
  locked: boolean;
  readonly created: WallTime;
  expires: WallTime;
  ended: WallTime | undefined;
  /** Numbers that are given next; none is given twice. */
  nextParticipant: number;
  nextContent: number;
  nextOrder: number;
  /** 0 for none. */
  activeContent: number;
  activePresenter: number;
}
/** What was decided about an address. */
export interface StandingRecord {
  readonly address: string;
  presenter: boolean;
  admitted: boolean;
  removed: boolean;
}
export interface ParticipantRecord {
  readonly number: number;
  readonly address: string;
  displayName: string;
  readonly kind: ParticipantKind;
  outside: boolean;
  readonly device: string;
  presenter: boolean;
  readonly joined: WallTime;
  /** Of its latest resume token. */
  generation: number;
  /** Was shown the door: its tokens tell so. */
  removed: boolean;
}
/** A file by its content. */
export interface FileRecord {
  /** SHA-256, lower-case hexadecimal. */
  readonly hash: string;
  /** Bytes. */
  readonly size: number;
  /** Media type by its first bytes. */
  readonly type: string;
}
export interface ContentRecord {
  readonly id: number;
  readonly type: ContentType;
  title: string;
  readonly owner: number;
  readonly ownerIdentity: string;
  /** 0 everyone, 1 presenters, 2 the organizer. */
  visibility: number;
  order: number;
  readonly created: WallTime;
  lastUsed: WallTime;
  /** Of a hand-out. */
  readonly file: (FileRecord & { readonly name: string }) | undefined;
  /** Of slides: the one that is shown, from 1. */
  location: number;
  question: string;
  choices: readonly string[];
  several: boolean;
  open: boolean;
  resultsShown: boolean;
}
export interface SlideRecord extends FileRecord {
  readonly content: number;
  readonly slide: number;
}
export interface AnnotationRecord {
  readonly content: number;
  /** Place in the order of drawing. */
  readonly sequence: number;
  readonly author: number;
  readonly number: number;
  readonly page: number;
  readonly kind: number;
  readonly colour: number;
  readonly width: number;
  /** As it was begun. */
  readonly points: readonly number[];
  readonly text: string;
}
export interface VoteRecord {
  readonly content: number;
  readonly voter: string;
  readonly choices: readonly number[];
}

/** All of a meeting. Annotations come with the points that were added to them. */
export interface MeetingRecord {
  readonly conference: ConferenceRecord;
  readonly standings: readonly StandingRecord[];
  readonly participants: readonly ParticipantRecord[];
  readonly contents: readonly ContentRecord[];
  readonly slides: readonly SlideRecord[];
  readonly annotations: readonly AnnotationRecord[];
  readonly votes: readonly VoteRecord[];
}

/** Something to write down before anybody is told of it. */
export type Change =
  | { readonly kind: 'conference'; readonly record: ConferenceRecord }
  | { readonly kind: 'standing'; readonly record: StandingRecord }
  | { readonly kind: 'participant'; readonly record: ParticipantRecord }
  | { readonly kind: 'left'; readonly number: number }
  | { readonly kind: 'token'; readonly serial: string; readonly expires: WallTime }
  | { readonly kind: 'content'; readonly record: ContentRecord }
  | { readonly kind: 'content-gone'; readonly content: number }
  | { readonly kind: 'slide'; readonly record: SlideRecord }
  | { readonly kind: 'annotation'; readonly record: AnnotationRecord }
  | {
      readonly kind: 'extended';
      readonly content: number;
      readonly sequence: number;
      readonly points: readonly number[];
    }
  | { readonly kind: 'erased'; readonly content: number; readonly sequence: number }
  | { readonly kind: 'vote'; readonly record: VoteRecord }
  | { readonly kind: 'votes-cleared'; readonly content: number };
