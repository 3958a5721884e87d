import type { annotationContainer } from '../meeting/annotations.ts';
import type { Handlers } from '../objects/interface.ts';
import { type AnnotationsView, type AnnotationView, annotationKinds, type PointerView } from './snapshot.ts';

/** More than this in one container is no meeting of ours. */
const MOST_ANNOTATIONS = 50_000;
const MOST_POINTERS = 1_000;

interface Drawn extends Omit<AnnotationView, 'points'> {
  points: number[];
  view: AnnotationView | undefined;
  /** Drawn here: what the server echoes of it is known already. */
  own: boolean;
  /** The server is known to have it, though perhaps not all of its points. */
  told: boolean;
  /** Whoever drew it has had it erased; the server has not said so yet. */
  takenBack: boolean;
}

/** Something drawn here, as far as it is known here. */
export type OwnDrawing = Omit<AnnotationView, 'userId'> & { readonly told: boolean };

/** What is drawn on one slide deck or whiteboard. */
export class MirroredAnnotations {
  readonly #drawn = new Map<string, Drawn>();
  readonly #pointers = new Map<number, PointerView>();
  readonly #onChange: () => void;
  #sequence = 0;
  #view: AnnotationsView | undefined;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  readonly handlers: Handlers<(typeof annotationContainer)['client']> = {
    cAdded: (userId, page, number, kind, colour, width, points, text) => {
      const key = keyOf(userId, number);
      const known = this.#drawn.get(key);
      if (known?.own === true) return this.#moveLast(key, known);
      this.#add({
        userId,
        page,
        number,
        kind,
        colour,
        width,
        points,
        text,
        own: false,
        told: true,
        takenBack: false,
      });
    },
    cExtended: (userId, number, points) => {
      const drawn = this.#drawn.get(keyOf(userId, number));
      if (drawn !== undefined && !drawn.own) this.#extend(drawn, points);
    },
    cErased: (userId, number) => {
      if (this.#drawn.delete(keyOf(userId, number))) this.#changed();
    },
    cCleared: (page) => {
      for (const [key, drawn] of this.#drawn) if (drawn.page === page) this.#drawn.delete(key);
      this.#changed();
    },
    cPointed: (userId, page, x, y) => {
      this.#pointers.delete(userId);
      if (this.#pointers.size >= MOST_POINTERS) return;
      this.#pointers.set(userId, { userId, page, x, y, sequence: ++this.#sequence });
      this.#changed();
    },
    cConnectCompleted: () => this.onCompleted(),
  };
  onCompleted: () => void = () => undefined;

  /** Shows at once what is drawn here; the server's echo of it changes nothing. */
  addOwn(userId: number, annotation: Omit<AnnotationView, 'userId' | 'kind'> & { kind: number }): void {
    this.#add({ ...annotation, userId, own: true, told: false, takenBack: false });
  }
  extendOwn(userId: number, number: number, points: readonly number[]): void {
    const drawn = this.#drawn.get(keyOf(userId, number));
    if (drawn?.own === true) this.#extend(drawn, points);
  }
  /** What was drawn here, or gone on with, since the connection began, and is to stay. */
  own(): OwnDrawing[] {
    return this.#own(() => true);
  }
  /** Is erased at its author's wish: if the connection breaks before the server says so, it is not drawn again. */
  takeBack(userId: number, number: number): void {
    const drawn = this.#drawn.get(keyOf(userId, number));
    if (drawn !== undefined) drawn.takenBack = true;
  }
  /** The same for the latest that was drawn here: echoes change the order of what is shown, numbers tell that of drawing. */
  takeBackLatest(): void {
    const own = this.#own(() => true);
    const latest = Math.max(...own.map(({ number }) => number));
    for (const drawn of own) if (drawn.number === latest) drawn.takenBack = true;
  }
  takeBackPage(page: number): void {
    for (const drawn of this.#own((one) => one.page === page)) drawn.takenBack = true;
  }
  /** The points of an annotation, if it is there. */
  pointsOf(userId: number, number: number): readonly number[] | undefined {
    return this.#drawn.get(keyOf(userId, number))?.points;
  }
  /** It is gone on with here: what the server echoes of it is known already. */
  claim(userId: number, number: number): void {
    const drawn = this.#drawn.get(keyOf(userId, number));
    if (drawn !== undefined) drawn.own = true;
  }
  /** The highest number of what somebody drew here; 0 for nothing. */
  highestOf(userId: number): number {
    let highest = 0;
    for (const drawn of this.#drawn.values()) {
      if (drawn.userId === userId && drawn.number > highest) highest = drawn.number;
    }
    return highest;
  }
  forgetPointersOf(userId: number): void {
    if (this.#pointers.delete(userId)) this.#changed();
  }

  get view(): AnnotationsView {
    this.#view ??= {
      all: [...this.#drawn.values()].map(viewOf),
      pointers: [...this.#pointers.values()],
    };
    return this.#view;
  }

  #own(chosen: (drawn: Drawn) => boolean): Drawn[] {
    return [...this.#drawn.values()].filter((one) => one.own && !one.takenBack && chosen(one));
  }
  #add(added: Omit<Drawn, 'kind' | 'points' | 'view'> & { kind: number; points: readonly number[] }): void {
    const kind = annotationKinds[added.kind - 1];
    if (kind === undefined || this.#drawn.size >= MOST_ANNOTATIONS) return;
    const key = keyOf(added.userId, added.number);
    this.#drawn.set(key, { ...added, kind, points: [...added.points], view: undefined });
    this.#changed();
  }
  /** One's own, where the server has put it among what others drew at the same time. */
  #moveLast(key: string, drawn: Drawn): void {
    drawn.told = true;
    this.#drawn.delete(key);
    this.#drawn.set(key, drawn);
    this.#changed();
  }
  #extend(drawn: Drawn, points: readonly number[]): void {
    for (const point of points) drawn.points.push(point);
    drawn.view = undefined;
    this.#changed();
  }
  #changed(): void {
    this.#view = undefined;
    this.#onChange();
  }
}

function keyOf(userId: number, number: number): string {
  return `${userId} ${number}`;
}

/** The same object until the annotation changes, so that a screen draws only what did. */
function viewOf(drawn: Drawn): AnnotationView {
  const { userId, number, page, kind, colour, width, text } = drawn;
  drawn.view ??= { userId, number, page, kind, colour, width, text, points: [...drawn.points] };
  return drawn.view;
}
