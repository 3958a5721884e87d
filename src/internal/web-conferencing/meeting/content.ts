import { type ContentType, content } from '#protocols/psom';
import { Annotations } from './annotations.ts';
import type { Contents } from './contents.ts';
import { hashBytes } from './hash-bytes.ts';
import { Poll } from './poll.ts';
import type { ContentRecord, FileRecord, MeetingRecord } from './records.ts';
import { type AnyObject, type Calls, type Seat, SharedObject } from './shared-object.ts';
import { Slides } from './slides.ts';
import { titleOf } from './titles.ts';
import { Whiteboard } from './whiteboard.ts';

const EMPTY = new Uint8Array();
const MOST_VISIBILITY = 2;
/** Of cSetTitleComplete. */
const TITLE = { done: 0, taken: 1, notAllowed: 2 } as const;

/** One content: who may see it, what it is called, whether it is shown. */
export class Content extends SharedObject<typeof content.server, typeof content.client> {
  readonly record: ContentRecord;
  readonly extended: Slides | Whiteboard | Poll | undefined;
  readonly #contents: Contents;
  #gone = false;

  constructor(record: ContentRecord, contents: Contents, stored?: MeetingRecord) {
    super(content, contents.room);
    this.record = record;
    this.#contents = contents;
    this.extended = this.#extend(record.type, stored);
  }
  get id(): number {
    return this.record.id;
  }
  /** Bytes of its files. */
  get bytes(): number {
    return (this.record.file?.size ?? 0) + (this.extended instanceof Slides ? this.extended.bytes : 0);
  }
  get poll(): Poll | undefined {
    return this.extended instanceof Poll ? this.extended : undefined;
  }
  get slides(): Slides | undefined {
    return this.extended instanceof Slides ? this.extended : undefined;
  }
  /** What a file of its own is saved as; undefined when it is none of them. */
  fileOf(hash: string): (FileRecord & { readonly name: string }) | undefined {
    if (this.record.file?.hash === hash) return this.record.file;
    const slide = this.slides?.fileOf(hash);
    return slide === undefined ? undefined : { ...slide, name: `slide ${slide.slide}` };
  }
  isOwner({ participant }: Pick<Seat, 'participant'>): boolean {
    return this.record.ownerIdentity === participant.identity;
  }
  /** Nobody knows it any more. */
  close(): void {
    this.#gone = true;
  }

  override isFor(seat: Pick<Seat, 'participant'>): boolean {
    if (this.#gone) return false;
    const { visibility } = this.record;
    const { organizer, presenter } = seat.participant;
    return visibility === 0 || organizer || this.isOwner(seat) || (visibility === 1 && presenter);
  }
  override child(name: string): AnyObject | undefined {
    return name === 'extendedContent' ? this.extended : undefined;
  }
  override replay(seat: Seat): void {
    const say = this.to(seat);
    const { created, lastUsed, file, owner, order, title, visibility } = this.record;
    say.cSetTitle(title);
    say.cSetOwnerId(owner);
    say.cSetVisibility(visibility);
    say.cSetPresentationOrder(order);
    say.cSetCreationTime(utc(created));
    say.cSetLastUsedTime(utc(lastUsed));
    if (file !== undefined) say.cSetNativeFileInfo(file.name, EMPTY, EMPTY, hashBytes(file.hash), file.size);
    say.cSetPresentInfo(...this.#contents.presentInfo(this));
    say.cConnectCompleted();
  }

  protected readonly calls: Calls<typeof content.server> = {
    /** Whoever looks at another slide comes back. */
    sForceSync: (seat) => {
      if (seat.participant.presenter) this.slides?.repeat();
    },
    sMakeHighestPresentationOrder: (seat) => {
      if (!seat.participant.presenter) return;
      this.record.order = this.#contents.nextOrder();
      this.keep();
      this.everyone.cSetPresentationOrder(this.record.order);
    },
    sPresent: (seat) => this.#contents.present(seat, this),
    sStopPresenting: (seat) => this.#contents.stopPresenting(seat, this),
    sSetTitle: (seat, text) => this.#setTitle(seat, text),
    sSetVisibility: (seat, visibility) => {
      if (!seat.participant.presenter || visibility < 0 || visibility > MOST_VISIBILITY) return;
      // What is for the organizer alone only those can hide who see it then.
      if (visibility === MOST_VISIBILITY && !seat.participant.organizer && !this.isOwner(seat)) return;
      this.#contents.whileChanging(() => {
        this.record.visibility = visibility;
      });
      this.keep();
      this.everyone.cSetVisibility(visibility);
    },
  };
  tellPresented(): void {
    this.everyone.cSetPresentInfo(...this.#contents.presentInfo(this));
  }
  /** It was used just now. */
  touch(): void {
    this.record.lastUsed = this.#contents.around.wall();
    this.keep();
    this.everyone.cSetLastUsedTime(utc(this.record.lastUsed));
  }
  keep(): void {
    this.#contents.around.note({ kind: 'content', record: this.record });
  }

  #setTitle(seat: Seat, text: string): void {
    const title = titleOf(text);
    const answer = (status: number) => this.to(seat).cSetTitleComplete(status, this.record.title);
    if (title === '' || !(seat.participant.presenter || this.isOwner(seat))) return answer(TITLE.notAllowed);
    if (!this.#contents.rename(this, title)) return answer(TITLE.taken);
    this.everyone.cSetTitle(title);
    answer(TITLE.done);
  }
  #extend(type: ContentType, stored: MeetingRecord | undefined): Content['extended'] {
    const { around, room } = this.#contents;
    const drawings = () =>
      new Annotations(this, { around, room }, (page) => this.#hasPage(page), stored?.annotations ?? []);
    switch (type) {
      case 'Content.Ppt':
        return new Slides(this, { around, room }, drawings(), stored?.slides ?? []);
      case 'Content.Whiteboard':
        return new Whiteboard(this, room, drawings());
      case 'Content.Poll':
        return new Poll(this, { around, room }, stored?.votes ?? []);
      case 'Content.NativeFileOnly':
        return undefined;
    }
  }
  #hasPage(page: number): boolean {
    return this.extended instanceof Poll ? false : (this.extended?.hasPage(page) ?? false);
  }
}

function utc(wall: number): string {
  return new Date(wall).toISOString().replace(/\.\d+Z$/, 'Z');
}
