import { err, ok, type Result } from '#kernel';
import { annotationContainer } from '../meeting/annotations.ts';
import { type ContentType, content, contentManager, pptContent } from '../meeting/content.ts';
import { meeting } from '../meeting/meeting.ts';
import { poll } from '../meeting/poll.ts';
import type { DistributedInterface, Stub } from '../objects/interface.ts';
import type { DistributedObject } from '../objects/object-table.ts';
import type { PsomPeer } from '../objects/peer.ts';
import type { MeetingMirror } from './mirror.ts';
import type { MirroredAnnotations, OwnDrawing } from './mirrored-annotations.ts';
import type { MirroredContent } from './mirrored-content.ts';
import { type AnnotationKind, annotationKinds, type UploadFailure, type Visibility } from './snapshot.ts';
import type { UploadSource, Uploads } from './uploads.ts';

/** What commands work on while the meeting is live. */
export interface LiveMeeting {
  readonly peer: PsomPeer;
  readonly mirror: MeetingMirror;
}

export type CreateFailure = 'title-taken' | 'not-allowed' | 'dropped';
export type TitleFailure = 'taken' | 'not-allowed';

/** Something to draw; points and width as in an AnnotationView. */
export interface Drawing {
  readonly page: number;
  readonly kind: AnnotationKind;
  readonly colour: number;
  readonly width: number;
  readonly points: readonly number[];
  readonly text?: string;
}

interface Creation {
  readonly type: ContentType | undefined;
  readonly reserved: (failure: CreateFailure | undefined) => void;
  readonly created: (outcome: Result<number, CreateFailure>) => void;
  contentId: number | undefined;
}

const visibilities: readonly Visibility[] = ['everyone', 'presenters', 'organizer'];
const RESERVED = 1;

/**
 * What a participant can ask of the meeting. Each is sent when the meeting is live, and else (false, or `dropped`) is
 * nothing; whether it was allowed shows in what the server tells afterwards.
 */
export class MeetingCommands {
  readonly #live: () => LiveMeeting | undefined;
  readonly #uploads: Uploads;
  readonly #onOutput: () => void;
  readonly #creations = new Map<number, Creation>();
  #cookie = 0;
  #number = 0;

  constructor(live: () => LiveMeeting | undefined, uploads: Uploads, onOutput: () => void) {
    this.#live = live;
    this.#uploads = uploads;
    this.#onOutput = onOutput;
  }

  setLocked(locked: boolean): boolean {
    return this.#call(this.#live()?.peer.root, meeting, (root) => root.sSetLocked(locked));
  }
  setPresenter(userId: number, presenter: boolean): boolean {
    return this.#call(this.#live()?.peer.root, meeting, (root) => root.sSetPresenter(userId, presenter));
  }
  removeUser(userId: number): boolean {
    return this.#call(this.#live()?.peer.root, meeting, (root) => root.sRemoveUser(userId));
  }
  /** The meeting is over for everyone. */
  endMeeting(): boolean {
    return this.#call(this.#live()?.peer.root, meeting, (root) => root.sEnd());
  }

  /** Reserves the title and creates a content that needs no upload; gives its id once it can be worked with. */
  async create(title: string, type: ContentType): Promise<Result<number, CreateFailure>> {
    const { reserved, created } = this.#reserve(title, type);
    const failure = await reserved;
    return failure === undefined ? created : err(failure);
  }
  /** A file for everyone, `title` being its name. */
  async uploadFile(title: string, source: UploadSource): Promise<UploadFailure | undefined> {
    const { cookie, reserved } = this.#reserve(title, undefined);
    const failure = await reserved;
    this.#creations.delete(cookie);
    if (failure !== undefined) return failure;
    return this.#uploads.begin(title, cookie, source, (manager) => {
      const asked = manager.sRequestUpload(source.length, source.length, cookie);
      this.#onOutput();
      return asked;
    });
  }
  /** The image of one slide, from 1, of slides that one created. */
  uploadSlide(
    contentId: number,
    slide: number,
    title: string,
    source: UploadSource,
  ): Promise<UploadFailure | undefined> {
    const cookie = ++this.#cookie;
    return this.#uploads.begin(title, cookie, source, (manager) => {
      const asked = manager.sRequestSlideUpload(contentId, slide, source.length, cookie);
      this.#onOutput();
      return asked;
    });
  }
  cancelUpload(cookie: number): void {
    this.#uploads.cancel(cookie);
  }

  deleteContent(contentId: number): boolean {
    const manager = this.#live()?.mirror.manager;
    return this.#call(manager, contentManager, (stub) => stub.sDeleteContent(contentId));
  }
  /** Shows the content to everyone, and makes one the active presenter. */
  present(contentId: number): boolean {
    return this.#onContent(contentId, (stub) => stub.sPresent());
  }
  stopPresenting(contentId: number): boolean {
    return this.#onContent(contentId, (stub) => stub.sStopPresenting());
  }
  setVisibility(contentId: number, visibility: Visibility): boolean {
    return this.#onContent(contentId, (stub) => stub.sSetVisibility(visibilities.indexOf(visibility)));
  }
  moveFirst(contentId: number): boolean {
    return this.#onContent(contentId, (stub) => stub.sMakeHighestPresentationOrder());
  }
  rename(contentId: number, title: string): Promise<TitleFailure | undefined> {
    const found = this.#live()?.mirror.find(contentId);
    return new Promise((resolve) => {
      found?.awaitTitle((status) =>
        resolve(status === 0 ? undefined : status === 1 ? 'taken' : 'not-allowed'),
      );
      if (!this.#onContent(contentId, (stub) => stub.sSetTitle(title))) resolve('not-allowed');
    });
  }
  /** Shows this slide, from 1, to everyone. */
  setSlide(contentId: number, slide: number): boolean {
    const extended = this.#live()?.mirror.find(contentId)?.extended;
    return this.#call(extended, pptContent, (stub) => stub.sSetLocation(`${slide}`));
  }

  /** Draws, and shows it here at once; gives the number by which it can be extended. */
  draw(contentId: number, drawing: Drawing): number | undefined {
    const live = this.#live();
    const annotations = live?.mirror.find(contentId)?.annotations;
    if (live === undefined || annotations === undefined) return undefined;
    // Who comes back as somebody who was there before has drawn already.
    this.#number = Math.max(this.#number, annotations.highestOf(live.mirror.self.userId)) + 1;
    return this.#draw(contentId, this.#number, drawing);
  }
  /** Further points of one's own pen or marker. */
  extend(contentId: number, number: number, points: readonly number[]): boolean {
    const live = this.#live();
    const found = live?.mirror.find(contentId);
    const sent = this.#call(found?.container, annotationContainer, (stub) => stub.sExtend(number, points));
    if (!sent || live === undefined) return sent;
    const { userId } = live.mirror.self;
    // Also what was begun on another connection: it must not be lost with this one either.
    found?.annotations?.claim(userId, number);
    found?.annotations?.extendOwn(userId, number, points);
    return sent;
  }
  /** What was drawn before the connection broke, and the server has not heard, is drawn again, so that nothing of it is lost. */
  drawAgain(before: MeetingMirror): void {
    for (const { id, annotations } of before.contents()) {
      for (const own of annotations?.own() ?? []) this.#drawAgain(id, before.self.userId, own);
    }
  }
  #drawAgain(contentId: number, userId: number, drawn: OwnDrawing): void {
    const live = this.#live();
    const annotations = live?.mirror.find(contentId)?.annotations;
    const there = annotations?.pointsOf(userId, drawn.number);
    const same = live?.mirror.self.userId === userId;
    if (there === undefined) {
      // What the server had, and has not any more, was erased in the meantime.
      if (drawn.told) return;
      // By its number whoever still draws it goes on with it.
      if (same) this.#draw(contentId, drawn.number, drawn);
      else this.draw(contentId, drawn);
      return;
    }
    const grows = drawn.kind === 'pen' || drawn.kind === 'marker';
    if (!grows || !same || there.length >= drawn.points.length) return;
    this.extend(contentId, drawn.number, drawn.points.slice(there.length));
  }
  erase(contentId: number, userId: number, number: number): boolean {
    const called = this.#onAnnotations(contentId, (stub) => stub.sErase(userId, number));
    if (called) this.#annotations(contentId)?.takeBack(userId, number);
    return called;
  }
  undo(contentId: number): boolean {
    const called = this.#onAnnotations(contentId, (stub) => stub.sUndo());
    if (called) this.#annotations(contentId)?.takeBackLatest();
    return called;
  }
  clear(contentId: number, page: number): boolean {
    const called = this.#onAnnotations(contentId, (stub) => stub.sClear(page));
    // Who may not clear it keeps it.
    if (called && this.#live()?.mirror.self.presenter === true)
      this.#annotations(contentId)?.takeBackPage(page);
    return called;
  }
  point(contentId: number, page: number, x: number, y: number): boolean {
    return this.#onAnnotations(contentId, (stub) => stub.sPoint(page, x, y));
  }

  setQuestion(contentId: number, question: string, choices: readonly string[], several: boolean): boolean {
    return this.#onPoll(contentId, (stub) => stub.sSetQuestion(question, choices, several));
  }
  setPollOpen(contentId: number, open: boolean): boolean {
    return this.#onPoll(contentId, (stub) => stub.sSetOpen(open));
  }
  setResultsShown(contentId: number, shown: boolean): boolean {
    return this.#onPoll(contentId, (stub) => stub.sSetResultsShown(shown));
  }
  clearVotes(contentId: number): boolean {
    return this.#onPoll(contentId, (stub) => stub.sClearVotes());
  }
  /** Choices by number from 0; replaces what one voted before. */
  vote(contentId: number, choices: readonly number[]): boolean {
    return this.#onPoll(contentId, (stub) => stub.sVote(choices));
  }

  /** cReserveTitleCompleted */
  handleReserved(status: number, cookie: number): void {
    const creation = this.#creations.get(cookie);
    if (creation === undefined) return;
    if (status !== RESERVED) this.#creations.delete(cookie);
    creation.reserved(status === RESERVED ? undefined : 'title-taken');
    const { type } = creation;
    if (status !== RESERVED || type === undefined) return;
    const manager = this.#live()?.mirror.manager;
    this.#call(manager, contentManager, (stub) => stub.sCreateContent(cookie, type));
  }
  /** cTitleReleased: what was reserved came to nothing. */
  handleReleased(cookie: number): void {
    this.#creations.get(cookie)?.created(err('not-allowed'));
    this.#creations.delete(cookie);
  }
  /** cContentCreated, which may come before or after cContentAdded. */
  handleCreated(contentId: number, cookie: number): void {
    const creation = this.#creations.get(cookie);
    if (creation !== undefined) creation.contentId = contentId;
  }
  /** To be called when something was heard: a created content that is known now can be worked with. */
  settle(mirror: MeetingMirror): void {
    for (const [cookie, { contentId, created }] of this.#creations) {
      if (contentId === undefined || mirror.find(contentId) === undefined) continue;
      this.#creations.delete(cookie);
      created(ok(contentId));
    }
  }
  /** The connection is gone. */
  close(): void {
    for (const { reserved, created } of this.#creations.values()) {
      reserved('dropped');
      created(err('dropped'));
    }
    this.#creations.clear();
  }

  #draw(contentId: number, number: number, drawing: Drawing): number | undefined {
    const live = this.#live();
    const { container, annotations } = live?.mirror.find(contentId) ?? {};
    const { page, colour, width, points, text = '' } = drawing;
    const kind = annotationKinds.indexOf(drawing.kind) + 1;
    const sent = this.#call(container, annotationContainer, (stub) =>
      stub.sAdd(page, number, kind, colour, width, points, text),
    );
    if (!sent || live === undefined) return undefined;
    annotations?.addOwn(live.mirror.self.userId, { page, number, kind, colour, width, points, text });
    return number;
  }
  #reserve(title: string, type: ContentType | undefined) {
    const cookie = ++this.#cookie;
    const reserved = Promise.withResolvers<CreateFailure | undefined>();
    const created = Promise.withResolvers<Result<number, CreateFailure>>();
    const manager = this.#live()?.mirror.manager;
    this.#creations.set(cookie, {
      ...{ type, reserved: reserved.resolve, created: created.resolve, contentId: undefined },
    });
    if (!this.#call(manager, contentManager, (stub) => stub.sReserveTitle(title, cookie))) {
      this.#creations.delete(cookie);
      reserved.resolve('dropped');
    }
    return { cookie, reserved: reserved.promise, created: created.promise };
  }

  #onContent(contentId: number, call: (stub: Stub<(typeof content)['server']>) => boolean): boolean {
    return this.#call(this.#find(contentId)?.object, content, call);
  }
  #onPoll(contentId: number, call: (stub: Stub<(typeof poll)['server']>) => boolean): boolean {
    return this.#call(this.#find(contentId)?.extended, poll, call);
  }
  #onAnnotations(
    contentId: number,
    call: (stub: Stub<(typeof annotationContainer)['server']>) => boolean,
  ): boolean {
    return this.#call(this.#find(contentId)?.container, annotationContainer, call);
  }
  #annotations(contentId: number): MirroredAnnotations | undefined {
    return this.#find(contentId)?.annotations;
  }
  #find(contentId: number): MirroredContent | undefined {
    return this.#live()?.mirror.find(contentId);
  }
  #call<D extends DistributedInterface>(
    object: DistributedObject | undefined,
    declared: D,
    call: (stub: Stub<D['server']>) => boolean,
  ): boolean {
    const live = this.#live();
    if (live === undefined || object === undefined || object.interface !== declared) return false;
    const called = call(live.peer.stub(object, declared.server as D['server']));
    if (called) this.#onOutput();
    return called;
  }
}
