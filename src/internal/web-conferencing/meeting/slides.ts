import { pptContent } from '#protocols/psom';
import type { Annotations } from './annotations.ts';
import type { Content } from './content.ts';
import { hashBytes } from './hash-bytes.ts';
import { bounds } from './limits.ts';
import type { SlideRecord } from './records.ts';
import { type AnyObject, type Calls, type Room, type Seat, SharedObject } from './shared-object.ts';
import type { Surroundings } from './surroundings.ts';

const EMPTY = new Uint8Array();

/** Images one after another, the one that everyone sees, and what is drawn on them. */
export class Slides extends SharedObject<typeof pptContent.server, typeof pptContent.client> {
  readonly annotations: Annotations;
  readonly #content: Content;
  readonly #around: Surroundings;
  readonly #slides = new Map<number, SlideRecord>();
  #count = 0;

  constructor(
    content: Content,
    { around, room }: { around: Surroundings; room: Room },
    annotations: Annotations,
    stored: readonly SlideRecord[],
  ) {
    super(pptContent, room);
    this.#content = content;
    this.#around = around;
    this.annotations = annotations;
    for (const slide of stored) if (slide.content === content.record.id) this.#put(slide);
  }
  get bytes(): number {
    let bytes = 0;
    for (const { size } of this.#slides.values()) bytes += size;
    return bytes;
  }
  hasPage(page: number): boolean {
    return page >= 1 && page <= this.#count;
  }
  fileOf(hash: string): SlideRecord | undefined {
    for (const slide of this.#slides.values()) if (slide.hash === hash) return slide;
    return undefined;
  }
  /** The image of a slide has come. */
  add(record: SlideRecord): void {
    const before = this.#count;
    this.#put(record);
    this.#around.note({ kind: 'slide', record });
    if (this.#count > before) this.everyone.cSetSlideCount(this.#count);
    this.everyone.cSetSlideJpegInfo(record.slide, '', EMPTY, EMPTY, hashBytes(record.hash));
  }
  /** Says again what everyone sees. */
  repeat(): void {
    this.everyone.cSetLocation(`${this.#content.record.location}`);
  }

  override isFor(seat: Seat): boolean {
    return this.#content.isFor(seat);
  }
  override child(name: string): AnyObject | undefined {
    return name === 'annotationContainer' ? this.annotations : undefined;
  }
  override replay(seat: Seat): void {
    const say = this.to(seat);
    say.cSetSlideCount(this.#count);
    for (const { slide, hash } of this.#slides.values())
      say.cSetSlideJpegInfo(slide, '', EMPTY, EMPTY, hashBytes(hash));
    say.cSetLocation(`${this.#content.record.location}`);
    say.cConnectCompleted();
  }
  protected readonly calls: Calls<typeof pptContent.server> = {
    sSetLocation: (seat, text) => {
      const slide = /^[1-9]\d{0,4}$/.test(text) ? Number(text) : 0;
      if (!seat.participant.presenter || !this.hasPage(slide)) return;
      this.#content.record.location = slide;
      this.#content.keep();
      this.everyone.cSetLocation(`${slide}`);
    },
  };

  #put(record: SlideRecord): void {
    if (record.slide < 1 || record.slide > bounds.pages) return;
    this.#slides.set(record.slide, record);
    this.#count = Math.max(this.#count, record.slide);
  }
}
