import { type ContentType, contentManager } from '#protocols/psom';
import { Content } from './content.ts';
import type { Participant } from './participant.ts';
import type { ConferenceRecord, ContentRecord, MeetingRecord } from './records.ts';
import { type AnyObject, type Calls, type Room, type Seat, SharedObject } from './shared-object.ts';
import type { Surroundings } from './surroundings.ts';
import { Titles } from './titles.ts';
import { Uploads } from './uploads.ts';

/** Of cReserveTitleCompleted. */
const STATUS = { reserved: 1, refused: 3 } as const;
/** What is made without an upload. */
const MADE: readonly string[] = ['Content.Ppt', 'Content.Whiteboard', 'Content.Poll'] satisfies ContentType[];

/** The contents of a meeting, their titles, and who presents what. */
export class Contents extends SharedObject<typeof contentManager.server, typeof contentManager.client> {
  readonly around: Surroundings;
  readonly titles = new Titles();
  readonly uploads: Uploads;
  readonly #record: ConferenceRecord;
  readonly #contents = new Map<number, Content>();

  constructor(stored: MeetingRecord, around: Surroundings, room: Room) {
    super(contentManager, room);
    this.around = around;
    this.#record = stored.conference;
    this.uploads = new Uploads(this, around);
    for (const record of stored.contents) {
      this.#contents.set(record.id, new Content(record, this, stored));
      this.titles.bear(record.title, record.id);
    }
  }
  find(id: number): Content | undefined {
    return this.#contents.get(id);
  }
  all(): Iterable<Content> {
    return this.#contents.values();
  }
  get size(): number {
    return this.#contents.size;
  }
  get full(): boolean {
    return this.#contents.size >= this.around.limits().contents;
  }
  /** Bytes of all files. */
  get bytes(): number {
    let bytes = 0;
    for (const content of this.#contents.values()) bytes += content.bytes;
    return bytes;
  }
  /** A file of a content that this participant may see. */
  fileFor(participant: Participant, hash: string): ReturnType<Content['fileOf']> {
    for (const content of this.#contents.values()) {
      const file = content.isFor({ participant }) ? content.fileOf(hash) : undefined;
      if (file !== undefined) return file;
    }
    return undefined;
  }
  nextOrder(): number {
    const order = this.#record.nextOrder++;
    this.#keep();
    return order;
  }
  presentInfo({ id }: Content): [boolean, number] {
    const presented = this.#record.activeContent === id;
    return [presented, presented ? this.#record.activePresenter : 0];
  }

  override isFor(): boolean {
    return true;
  }
  override child(name: string): AnyObject | undefined {
    if (name === 'UploadManager') return this.uploads;
    const id = /^content\.([1-9]\d{0,14})$/.exec(name)?.[1];
    return id === undefined ? undefined : this.#contents.get(Number(id));
  }
  override replay(seat: Seat): void {
    const say = this.to(seat);
    for (const content of this.#contents.values())
      if (content.isFor(seat)) say.cContentAdded(content.id, content.record.type);
    say.cSetActiveContent(this.#activeFor(seat));
    say.cSetActivePresenter(this.#record.activePresenter);
    say.cConnectCompleted();
  }

  protected readonly calls: Calls<typeof contentManager.server> = {
    sReserveTitle: (seat, title, cookie) => this.#reserve(seat, title, cookie),
    sReleaseTitle: (seat, cookie) => {
      if (this.titles.release(seat, cookie)) this.to(seat).cTitleReleased(cookie);
    },
    sCreateContent: (seat, cookie, type) => {
      const made = MADE.includes(type)
        ? this.create(seat, cookie, type as ContentType, undefined)
        : undefined;
      if (made === undefined) this.giveUp(seat, cookie);
    },
    sDeleteContent: (seat, id) => {
      const content = this.#contents.get(id);
      if (content?.isFor(seat) && (seat.participant.presenter || content.isOwner(seat)))
        this.#delete(content);
    },
    sPresent: (seat) => this.present(seat, undefined),
    sStopPresenting: (seat) => this.stopPresenting(seat, undefined),
  };

  /** Makes a content of the title that was reserved with this cookie; undefined when there is none, or no more room. */
  create(seat: Seat, cookie: number, type: ContentType, file: ContentRecord['file']): Content | undefined {
    const now = this.around.wall();
    const title = this.titles.reserved(seat, cookie, now);
    if (title === undefined || this.full || !seat.participant.presenter) return undefined;
    const { number: owner, identity: ownerIdentity } = seat.participant;
    const record: ContentRecord = {
      ...{ id: this.#record.nextContent++, type, title, owner, ownerIdentity, file, visibility: 0 },
      ...{ order: this.#record.nextOrder++, created: now, lastUsed: now, location: 1 },
      ...{ question: '', choices: [], several: false, open: false, resultsShown: false },
    };
    const content = new Content(record, this);
    this.titles.release(seat, cookie);
    this.titles.bear(title, record.id);
    this.#contents.set(record.id, content);
    this.#keep();
    content.keep();
    this.to(seat).cContentCreated(record.id, cookie);
    this.everyone.cContentAdded(record.id, type);
    return content;
  }
  /** What was reserved comes to nothing. */
  giveUp(seat: Seat, cookie: number): void {
    this.titles.release(seat, cookie);
    this.to(seat).cTitleReleased(cookie);
  }
  /** False when the title is another's. */
  rename(content: Content, title: string): boolean {
    if (!this.titles.isFree(title, content.id, this.around.wall())) return false;
    this.titles.free(content.record.title);
    this.titles.bear(title, content.id);
    content.record.title = title;
    content.keep();
    return true;
  }

  /** Takes the presenter's baton, and shows a content. */
  present(seat: Seat, content: Content | undefined): void {
    if (!seat.participant.presenter) return;
    this.#setPresenter(seat.participant.number);
    if (content === undefined) return;
    this.#show(content);
    content.touch();
  }
  /** Nobody presents any more; what was shown is put away. */
  stopPresenting(seat: Seat, content: Content | undefined): void {
    if (!seat.participant.presenter) return;
    if (content !== undefined && this.#record.activeContent !== content.id) return;
    this.#show(undefined);
    this.#setPresenter(0);
  }
  /** A participant is no presenter any more, or has left. */
  handleNoPresenter(number: number): void {
    this.uploads.handleNoPresenter(number);
    if (this.#record.activePresenter === number) this.#setPresenter(0);
  }
  handleSeatGone(seat: Seat): void {
    this.titles.releaseAll(seat);
    this.uploads.handleSeatGone(seat);
  }

  /** Tells each participant which contents came into sight and which went out of it by `change`. */
  whileChanging(change: () => void): void {
    const before = [...this.room.seats()].map((seat) => ({ seat, seen: this.#seenBy(seat) }));
    change();
    for (const { seat, seen } of before) this.#tellChange(seat, seen);
  }

  #tellChange(seat: Seat, seen: ReadonlySet<Content>): void {
    const say = this.to(seat);
    const { activeContent } = this.#record;
    for (const content of this.#contents.values()) {
      const sees = content.isFor(seat);
      if (sees === seen.has(content)) continue;
      if (sees) say.cContentAdded(content.id, content.record.type);
      else this.#hide(seat, content);
      if (content.id === activeContent) say.cSetActiveContent(this.#activeFor(seat));
    }
  }
  #hide(seat: Seat, content: Content): void {
    this.to(seat).cContentRemoved(content.id);
    seat.drop(content);
  }
  #seenBy(seat: Seat): ReadonlySet<Content> {
    return new Set([...this.#contents.values()].filter((content) => content.isFor(seat)));
  }
  #activeFor(seat: Seat): number {
    const { activeContent } = this.#record;
    return this.#contents.get(activeContent)?.isFor(seat) === true ? activeContent : 0;
  }

  #reserve(seat: Seat, text: string, cookie: number): void {
    const say = this.to(seat);
    const refused = (contentId: number, owner: number) =>
      say.cReserveTitleCompleted(STATUS.refused, cookie, contentId, owner);
    if (!seat.participant.presenter) return refused(0, 0);
    const outcome = this.titles.reserve(seat, cookie, text, this.around.wall());
    if (outcome.kind === 'reserved')
      return say.cReserveTitleCompleted(STATUS.reserved, cookie, 0, seat.participant.number);
    if (outcome.kind === 'refused') return refused(0, 0);
    const content = this.#contents.get(outcome.contentId);
    // Of what one may not see one learns that the title is taken, and no more.
    if (content?.isFor(seat) === true) return refused(content.id, content.record.owner);
    refused(0, outcome.holder);
  }
  #delete(content: Content): void {
    const seats = [...this.room.seats()].filter((seat) => content.isFor(seat));
    if (this.#record.activeContent === content.id) this.#show(undefined);
    this.uploads.handleContentGone(content.id);
    this.#contents.delete(content.id);
    this.titles.free(content.record.title);
    content.close();
    this.around.note({ kind: 'content-gone', content: content.id });
    for (const seat of seats) this.#hide(seat, content);
    this.uploads.tellSpace();
  }
  #show(content: Content | undefined): void {
    const before = this.#contents.get(this.#record.activeContent);
    this.#record.activeContent = content?.id ?? 0;
    this.#keep();
    if (before !== undefined && before !== content) before.tellPresented();
    content?.tellPresented();
    for (const seat of this.room.seats()) this.to(seat).cSetActiveContent(this.#activeFor(seat));
  }
  #setPresenter(number: number): void {
    if (this.#record.activePresenter === number) return;
    this.#record.activePresenter = number;
    this.#keep();
    this.everyone.cSetActivePresenter(number);
    this.#contents.get(this.#record.activeContent)?.tellPresented();
  }
  #keep(): void {
    this.around.note({ kind: 'conference', record: this.#record });
  }
}
