import type { JoinRefusal } from '../framing/operations.ts';
import type { ContentType } from '../meeting/content.ts';

/**
 * Where a participant stands. `dropped`: the connection is gone and the state is what was known last; `replaying`: it is
 * back, and the state is being told anew, which is shown when it is whole.
 */
export type MeetingPhase = 'idle' | 'joining' | 'replaying' | 'live' | 'dropped' | 'refused' | 'ended';

/** One participant. */
export interface UserView {
  readonly userId: number;
  readonly displayName: string;
  readonly presenter: boolean;
  readonly outside: boolean;
}

/** What can be drawn; the kinds of AnnotationContainer in its order, from 1. */
export const annotationKinds = ['pen', 'marker', 'text', 'line', 'rectangle', 'ellipse', 'arrow'] as const;
export type AnnotationKind = (typeof annotationKinds)[number];

/** Something drawn. Points are x, y, x, y … in thousandths of the width of the page, as is the width. */
export interface AnnotationView {
  readonly userId: number;
  readonly number: number;
  readonly page: number;
  readonly kind: AnnotationKind;
  /** 0xRRGGBB */
  readonly colour: number;
  readonly width: number;
  readonly points: readonly number[];
  readonly text: string;
}

/** Where somebody points; passes. `sequence` counts up with each word of it. */
export interface PointerView {
  readonly userId: number;
  readonly page: number;
  readonly x: number;
  readonly y: number;
  readonly sequence: number;
}

export interface AnnotationsView {
  /** In the order in which they were drawn. */
  readonly all: readonly AnnotationView[];
  readonly pointers: readonly PointerView[];
}

export interface SlideView {
  /** Path on the place's own origin; empty when the hash says it all. */
  readonly url: string;
  /** SHA-256, lower-case hexadecimal; empty while the image is not there. */
  readonly hash: string;
}
export interface SlidesView {
  /** The slide that everyone sees, from 1; 0 when there is none. */
  readonly location: number;
  readonly slides: readonly SlideView[];
}

export interface PollView {
  readonly question: string;
  readonly choices: readonly string[];
  readonly several: boolean;
  readonly open: boolean;
  readonly resultsShown: boolean;
  /** Undefined to those who may not see them. */
  readonly results: { readonly votes: readonly number[]; readonly voters: number } | undefined;
  /** Numbers of one's own choices, from 0. */
  readonly ownVote: readonly number[];
}

/** Who may see a content. */
export type Visibility = 'everyone' | 'presenters' | 'organizer';

export interface ContentView {
  readonly id: number;
  readonly type: ContentType;
  readonly title: string;
  readonly ownerId: number;
  readonly visibility: Visibility;
  readonly order: number;
  /** UTC, as in 2026-01-31T12:00:00Z; empty until told. */
  readonly created: string;
  readonly presented: boolean;
  readonly presenterId: number;
  /** Of a hand-out. */
  readonly file: { readonly name: string; readonly hash: string; readonly size: number } | undefined;
  readonly slides: SlidesView | undefined;
  readonly annotations: AnnotationsView | undefined;
  readonly poll: PollView | undefined;
}

export type UploadFailure =
  | 'too-large'
  | 'no-space'
  | 'not-allowed'
  | 'wrong-length'
  | 'wrong-content'
  | 'cancelled'
  | 'too-many'
  | 'title-taken'
  | 'dropped'
  | 'unreadable';

/** A file on its way to the meeting. */
export interface UploadView {
  readonly cookie: number;
  readonly title: string;
  readonly state: 'waiting' | 'sending' | 'finishing';
  /** Bytes. */
  readonly sent: number;
  readonly length: number;
}

/** Everything that a participant sees of a meeting; never changed once made. */
export interface MeetingSnapshot {
  readonly phase: MeetingPhase;
  /** Why the last join was refused, and after how many seconds to try again (0: not at all). */
  readonly refusal: { readonly reason: JoinRefusal; readonly retrySeconds: number } | undefined;
  readonly self: { readonly userId: number; readonly presenter: boolean };
  readonly title: string;
  readonly locked: boolean;
  /** In the order of their coming. */
  readonly users: readonly UserView[];
  /** The highest order first. */
  readonly contents: readonly ContentView[];
  /** 0 when nothing is shown. */
  readonly activeContent: number;
  /** 0 when nobody presents. */
  readonly activePresenter: number;
  /** Bytes that may still be uploaded; undefined until told. */
  readonly availableSpace: number | undefined;
  /** Opens `/content/<it>/<hash>` on the place's origin. */
  readonly contentToken: string;
  readonly uploads: readonly UploadView[];
}
