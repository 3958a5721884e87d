import { annotationContainer, whiteboard } from '../meeting/annotations.ts';
import { type ContentType, content, contentTypes, pptContent } from '../meeting/content.ts';
import { poll } from '../meeting/poll.ts';
import type { DistributedInterface, Handlers, Methods } from '../objects/interface.ts';
import type { DistributedObject } from '../objects/object-table.ts';
import { MirroredAnnotations } from './mirrored-annotations.ts';
import { MirroredPoll } from './mirrored-poll.ts';
import type { ContentView, SlidesView, SlideView, Visibility } from './snapshot.ts';

const visibilities: readonly Visibility[] = ['everyone', 'presenters', 'organizer'];
const MOST_SLIDES = 5_000;
const NO_SLIDE: SlideView = { url: '', hash: '' };

/** How a content speaks to the tree of objects. */
export interface Tree {
  /** Connects a child, whose state the server then tells; undefined when there is no room or no connection. */
  connect<C extends Methods>(
    parent: DistributedObject,
    name: string,
    declared: DistributedInterface<Methods, C>,
    handlers: Handlers<C>,
  ): DistributedObject | undefined;
  onChange(): void;
  /** One of the objects that were connected has told its whole state. */
  onCompleted(object: DistributedObject): void;
}

/** One content with what hangs below it. */
export class MirroredContent {
  readonly id: number;
  readonly object: DistributedObject | undefined;
  /** PptContent, Whiteboard or Poll. */
  readonly extended: DistributedObject | undefined;
  readonly container: DistributedObject | undefined;
  readonly annotations: MirroredAnnotations | undefined;
  readonly #poll: MirroredPoll | undefined;
  readonly #tree: Tree;
  #slides: SlidesView | undefined;
  #base: Omit<ContentView, 'slides' | 'annotations' | 'poll'>;
  #view: ContentView | undefined;
  /** Titles that one asked for, in order: the server answers in the same. */
  readonly #titleAnswers: ((status: number) => void)[] = [];

  constructor(id: number, type: string, manager: DistributedObject, tree: Tree) {
    this.id = id;
    this.#tree = tree;
    this.#base = {
      ...{ id, type: knownType(type), title: '', ownerId: 0, visibility: 'everyone', order: 0 },
      ...{ created: '', presented: false, presenterId: 0, file: undefined },
    };
    const changed = () => this.#changed();
    const kind = this.#base.type;
    if (kind === 'Content.Ppt') this.#slides = { location: 0, slides: [] };
    if (kind === 'Content.Poll') this.#poll = new MirroredPoll(changed);
    if (kind === 'Content.Ppt' || kind === 'Content.Whiteboard')
      this.annotations = new MirroredAnnotations(changed);
    this.object = tree.connect(manager, `content.${id}`, content, this.#contentHandlers);
    if (this.object === undefined) return;
    this.extended = this.#connectExtended(this.object);
    if (this.extended === undefined || this.annotations === undefined) return;
    const { handlers } = this.annotations;
    this.container = tree.connect(this.extended, 'annotationContainer', annotationContainer, handlers);
    this.annotations.onCompleted = () => this.#completed(this.container);
  }

  get type(): ContentType {
    return this.#base.type;
  }
  /** The same object until something of it changes. */
  get view(): ContentView {
    this.#view ??= {
      ...this.#base,
      slides: this.#slides,
      annotations: this.annotations?.view,
      poll: this.#poll?.view,
    };
    return this.#view;
  }
  /** To be called with the status of cSetTitleComplete, in the order of asking. */
  awaitTitle(answer: (status: number) => void): void {
    this.#titleAnswers.push(answer);
  }
  /** The content is gone, or the connection. */
  close(): void {
    for (const answer of this.#titleAnswers.splice(0)) answer(NOT_ALLOWED);
  }

  readonly #contentHandlers: Handlers<(typeof content)['client']> = {
    cConnectCompleted: () => this.#completed(this.object),
    cSetCreationTime: (created) => this.#change({ created }),
    cSetLastUsedTime: () => undefined,
    cSetNativeFileInfo: (name, _key, _iv, hash, size) =>
      this.#change({ file: { name, hash: hexadecimal(hash), size } }),
    cSetOwnerId: (ownerId) => this.#change({ ownerId }),
    cSetPresentInfo: (presented, presenterId) => this.#change({ presented, presenterId }),
    cSetPresentationOrder: (order) => this.#change({ order }),
    cSetTitle: (title) => this.#change({ title }),
    cSetTitleComplete: (status) => this.#titleAnswers.shift()?.(status),
    cSetVisibility: (visibility) => this.#change({ visibility: visibilities[visibility] ?? 'organizer' }),
  };

  readonly #slideHandlers: Handlers<(typeof pptContent)['client']> = {
    cConnectCompleted: () => this.#completed(this.extended),
    cSetLocation: (slide) => {
      const location = Number(slide);
      if (Number.isSafeInteger(location)) this.#changeSlides({ location });
    },
    cSetSlideCount: (count) => {
      const { slides } = this.#slides ?? { slides: [] };
      const length = Math.min(Math.max(count, 0), MOST_SLIDES);
      this.#changeSlides({ slides: Array.from({ length }, (_, index) => slides[index] ?? NO_SLIDE) });
    },
    cSetSlideJpegInfo: (slide, url, _key, _iv, hash) => {
      if (slide < 1 || slide > MOST_SLIDES) return;
      const slides = [...(this.#slides?.slides ?? [])];
      while (slides.length < slide) slides.push(NO_SLIDE);
      slides[slide - 1] = { url, hash: hexadecimal(hash) };
      this.#changeSlides({ slides });
    },
  };

  #connectExtended(object: DistributedObject): DistributedObject | undefined {
    const tree = this.#tree;
    if (this.#poll !== undefined) {
      this.#poll.onCompleted = () => this.#completed(this.extended);
      return tree.connect(object, 'extendedContent', poll, this.#poll.handlers);
    }
    if (this.#slides !== undefined)
      return tree.connect(object, 'extendedContent', pptContent, this.#slideHandlers);
    if (this.annotations === undefined) return undefined;
    return tree.connect(object, 'extendedContent', whiteboard, {
      cConnectCompleted: () => this.#completed(this.extended),
    });
  }
  #completed(object: DistributedObject | undefined): void {
    if (object !== undefined) this.#tree.onCompleted(object);
  }
  #change(part: Partial<ContentView>): void {
    this.#base = { ...this.#base, ...part };
    this.#changed();
  }
  #changeSlides(part: Partial<SlidesView>): void {
    this.#slides = { location: 0, slides: [], ...this.#slides, ...part };
    this.#changed();
  }
  #changed(): void {
    this.#view = undefined;
    this.#tree.onChange();
  }
}

/** Of cSetTitleComplete. */
const NOT_ALLOWED = 2;

function knownType(type: string): ContentType {
  return contentTypes.find((known) => known === type) ?? 'Content.NativeFileOnly';
}

function hexadecimal(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
