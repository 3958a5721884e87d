import type { WallTime } from '#kernel';
import { uploadManager, uploadStream } from '#protocols/psom';
import type { Contents } from './contents.ts';
import type { FileDraft, StoredFile } from './files.ts';
import { bounds } from './limits.ts';
import { type Calls, type Room, type Seat, SharedObject } from './shared-object.ts';
import type { Surroundings } from './surroundings.ts';
import { fileNameOf } from './text.ts';

/** Of cRejectUpload and cUploadFinished. */
const REASON = {
  done: 0,
  tooLarge: 1,
  noSpace: 2,
  notAllowed: 3,
  wrongLength: 4,
  wrongContent: 5,
  cancelled: 6,
  tooMany: 7,
} as const;
type Reason = (typeof REASON)[keyof typeof REASON];

/** What a file is for: one slide of slides that are there, or a hand-out under the title that the cookie reserved. */
type Purpose = { readonly content: number; readonly slide: number } | 'hand-out';

/** Takes files in. */
export class Uploads extends SharedObject<typeof uploadManager.server, typeof uploadManager.client> {
  readonly #contents: Contents;
  readonly #around: Surroundings;
  readonly #uploads = new Set<Upload>();

  constructor(contents: Contents, around: Surroundings) {
    super(uploadManager, contents.room);
    this.#contents = contents;
    this.#around = around;
  }
  get underWay(): number {
    return this.#uploads.size;
  }
  override isFor(): boolean {
    return true;
  }
  override replay(seat: Seat): void {
    this.to(seat).cSetAvailableSpace(this.#available);
  }
  tellSpace(): void {
    this.everyone.cSetAvailableSpace(this.#available);
  }

  protected readonly calls: Calls<typeof uploadManager.server> = {
    sRequestUpload: (seat, packed, unpacked, cookie) => {
      const title = this.#contents.titles.reserved(seat, cookie, this.#around.wall());
      if (title === undefined || packed !== unpacked || this.#contents.full)
        return this.#reject(seat, cookie, REASON.notAllowed);
      this.#request(seat, cookie, { length: packed, most: this.#around.limits().fileBytes }, 'hand-out');
    },
    sRequestSlideUpload: (seat, content, slide, length, cookie) => {
      const slides = this.#contents.find(content);
      const known = slides?.isFor(seat) === true && slides.slides !== undefined && slides.isOwner(seat);
      if (!known || slide < 1 || slide > bounds.pages) return this.#reject(seat, cookie, REASON.notAllowed);
      this.#request(seat, cookie, { length, most: bounds.slideBytes }, { content, slide });
    },
    sUploadFinished: (seat, cookie, cancel) => {
      const upload = this.#find(seat, cookie);
      if (cancel) upload?.fail(REASON.cancelled);
      else upload?.finish();
    },
  };

  /** The upload is over; undefined when its file is where it should be. */
  handleEnd(upload: Upload, reason: Reason): void {
    const { seat, cookie } = upload;
    this.#uploads.delete(upload);
    if (reason !== REASON.done) {
      if (upload.purpose === 'hand-out') this.#contents.titles.release(seat, cookie);
      this.to(seat).cUploadFinished(cookie, reason);
    }
    seat.drop(upload);
    this.tellSpace();
  }
  /** The file is there: it takes its place in the meeting, if that is still there. */
  handleStored(upload: Upload, { hash, size, type, picture }: StoredFile): Reason {
    const { seat, cookie, purpose } = upload;
    if (purpose === 'hand-out') {
      const title = this.#contents.titles.reserved(seat, cookie, this.#around.wall());
      if (title === undefined || this.#contents.full || !seat.participant.presenter) return REASON.notAllowed;
      const file = { hash, size, type, name: fileNameOf(title) };
      this.to(seat).cUploadFinished(cookie, REASON.done);
      this.#contents.create(seat, cookie, 'Content.NativeFileOnly', file);
      return REASON.done;
    }
    if (picture === undefined || !isShowable(picture)) return REASON.wrongContent;
    const slides = this.#contents.find(purpose.content)?.slides;
    if (slides === undefined || !seat.participant.presenter) return REASON.notAllowed;
    slides.add({ ...purpose, hash, size, type });
    this.to(seat).cUploadFinished(cookie, REASON.done);
    return REASON.done;
  }
  handleSeatGone(seat: Seat): void {
    for (const upload of [...this.#uploads]) if (upload.seat === seat) this.#forget(upload);
  }
  handleNoPresenter(number: number): void {
    for (const upload of [...this.#uploads])
      if (upload.seat.participant.number === number) upload.fail(REASON.notAllowed);
  }
  /** To be called from time to time: who sends nothing makes room. */
  handleTime(): void {
    for (const upload of [...this.#uploads]) upload.handleTime();
  }
  handleContentGone(content: number): void {
    for (const upload of [...this.#uploads]) {
      if (upload.purpose !== 'hand-out' && upload.purpose.content === content) upload.fail(REASON.notAllowed);
    }
  }

  #request(
    seat: Seat,
    cookie: number,
    { length, most }: { readonly length: number; readonly most: number },
    purpose: Purpose,
  ): void {
    const reject = (reason: Reason) => this.#reject(seat, cookie, reason);
    if (!seat.participant.presenter) return reject(REASON.notAllowed);
    if (this.#find(seat, cookie) !== undefined) return reject(REASON.notAllowed);
    if (length < 1) return reject(REASON.wrongLength);
    if (length > most) return reject(REASON.tooLarge);
    if (length > this.#available) return reject(REASON.noSpace);
    const own = [...this.#uploads].filter((upload) => upload.seat === seat).length;
    if (own >= bounds.uploadsOfSeat || this.#uploads.size >= bounds.uploads) return reject(REASON.tooMany);
    const draft = this.#around.files.begin(length);
    if (draft === undefined) return reject(REASON.noSpace);
    const upload = new Upload(this, {
      ...{ seat, cookie, length, purpose, draft, wall: () => this.#around.wall() },
    });
    const proxy = seat.offer(this, `stream.${cookie}`, upload);
    if (proxy === undefined) {
      draft.abandon();
      return reject(REASON.tooMany);
    }
    this.#uploads.add(upload);
    if (purpose === 'hand-out') this.#contents.titles.hold(seat, cookie);
    this.to(seat).cAcceptUpload(cookie, proxy);
    upload.begin();
    this.tellSpace();
  }
  #reject(seat: Seat, cookie: number, reason: Reason): void {
    // The title of a hand-out that does not come is free again.
    if (this.#find(seat, cookie) === undefined) this.#contents.titles.release(seat, cookie);
    this.to(seat).cRejectUpload(cookie, reason);
  }
  #forget(upload: Upload): void {
    this.#uploads.delete(upload);
    upload.abandon();
    this.tellSpace();
  }
  #find(seat: Seat, cookie: number): Upload | undefined {
    for (const upload of this.#uploads) if (upload.seat === seat && upload.cookie === cookie) return upload;
    return undefined;
  }
  /** What is under way counts as if it were there. */
  get #available(): number {
    let taken = this.#contents.bytes;
    for (const { length } of this.#uploads) taken += length;
    return Math.max(0, this.#around.limits().meetingBytes - taken);
  }
}

/** One file under way: the stream object of the connection that sends it, and of no other. */
export class Upload extends SharedObject<typeof uploadStream.server, typeof uploadStream.client> {
  readonly seat: Seat;
  readonly cookie: number;
  readonly length: number;
  readonly purpose: Purpose;
  readonly #uploads: Uploads;
  readonly #draft: FileDraft;
  readonly #wall: () => WallTime;
  #heard: WallTime;
  #granted = 0;
  #received = 0;
  #state: 'open' | 'finishing' | 'closed' = 'open';

  constructor(
    uploads: Uploads,
    about: {
      readonly seat: Seat;
      readonly cookie: number;
      readonly length: number;
      readonly purpose: Purpose;
      readonly draft: FileDraft;
      readonly wall: () => WallTime;
    },
  ) {
    const room: Room = { seats: () => [about.seat] };
    super(uploadStream, room);
    this.seat = about.seat;
    this.cookie = about.cookie;
    this.length = about.length;
    this.purpose = about.purpose;
    this.#draft = about.draft;
    this.#uploads = uploads;
    this.#wall = about.wall;
    this.#heard = about.wall();
  }
  override isFor(seat: Seat): boolean {
    return seat === this.seat;
  }
  override replay(): void {}
  /** Its participant has disconnected it. */
  override handleGone(): void {
    if (this.#state === 'open') this.fail(REASON.cancelled);
  }

  begin(): void {
    this.#grant(bounds.grantBytes);
  }
  finish(): void {
    if (this.#state !== 'open') return;
    if (this.#received !== this.length) return this.fail(REASON.wrongLength);
    this.#state = 'finishing';
    this.#draft.finish((outcome) => {
      if (this.#state !== 'finishing') return;
      this.#state = 'closed';
      const reason = outcome.ok
        ? this.#uploads.handleStored(this, outcome.value)
        : outcome.error === 'no-space'
          ? REASON.noSpace
          : REASON.notAllowed;
      this.#uploads.handleEnd(this, reason);
    });
  }
  handleTime(): void {
    if (this.#state === 'open' && this.#wall() - this.#heard >= bounds.uploadIdleMs)
      this.fail(REASON.cancelled);
  }
  fail(reason: Reason): void {
    if (this.#state === 'closed') return;
    this.abandon();
    this.#uploads.handleEnd(this, reason);
  }
  abandon(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#draft.abandon();
  }

  protected readonly calls: Calls<typeof uploadStream.server> = {
    sWrite: (_seat, chunk) => {
      if (this.#state !== 'open' || chunk.length === 0) return;
      this.#heard = this.#wall();
      this.#received += chunk.length;
      if (this.#received > this.length) return this.fail(REASON.wrongLength);
      if (this.#received > this.#granted) return this.fail(REASON.notAllowed);
      this.#draft.write(chunk, (failure) => {
        if (this.#state === 'closed') return;
        if (failure !== undefined) this.fail(failure === 'no-space' ? REASON.noSpace : REASON.notAllowed);
        else this.#grant(chunk.length);
      });
    },
  };
  #grant(bytes: number): void {
    const more = Math.min(bytes, this.length - this.#granted);
    if (more <= 0) return;
    this.#granted += more;
    this.everyone.cGrant(more);
  }
}

function isShowable({ width, height }: { readonly width: number; readonly height: number }): boolean {
  const side = Math.max(width, height);
  return Math.min(width, height) >= 1 && side <= bounds.imageSide && width * height <= bounds.imagePixels;
}
