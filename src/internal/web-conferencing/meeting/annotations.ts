import { annotationContainer, SharedCall } from '#protocols/psom';
import type { Content } from './content.ts';
import { bounds } from './limits.ts';
import type { AnnotationRecord } from './records.ts';
import { type Calls, type Room, type Seat, SharedObject } from './shared-object.ts';
import type { Surroundings } from './surroundings.ts';
import { severalLines } from './text.ts';

const KIND = { pen: 1, marker: 2, text: 3, line: 4, rectangle: 5, ellipse: 6, arrow: 7 } as const;
const MOST_COLOUR = 0xff_ff_ff;
const MOST_WIDTH = 1000;

interface Drawn {
  readonly record: AnnotationRecord;
  /** With those that were added since it was begun. */
  readonly points: number[];
  /** What is told of it as it is now: everybody who comes is told the same. */
  told: SharedCall | undefined;
}
type Shape = Pick<AnnotationRecord, 'page' | 'kind' | 'colour' | 'width' | 'points' | 'text'>;

/**
 * What is drawn on the pages of one content. Everyone who sees it may draw; a presenter erases what anybody drew. Who draws
 * shows it on their own screen at once, so that what is refused is taken back there by cErased.
 */
export class Annotations extends SharedObject<
  typeof annotationContainer.server,
  typeof annotationContainer.client
> {
  readonly #content: Content;
  readonly #around: Surroundings;
  readonly #hasPage: (page: number) => boolean;
  /** In the order of drawing, by author and number. */
  readonly #drawn = new Map<string, Drawn>();
  #weight = 0;
  #sequence = 0;

  constructor(
    content: Content,
    { around, room }: { around: Surroundings; room: Room },
    hasPage: (page: number) => boolean,
    stored: readonly AnnotationRecord[],
  ) {
    super(annotationContainer, room);
    this.#content = content;
    this.#around = around;
    this.#hasPage = hasPage;
    for (const record of stored) if (record.content === content.record.id) this.#put(record);
  }
  get count(): number {
    return this.#drawn.size;
  }
  /** What everything drawn here comes to, as numbers. */
  get weight(): number {
    return this.#weight;
  }

  override isFor(seat: Seat): boolean {
    return this.#content.isFor(seat);
  }
  override replay(seat: Seat): void {
    for (const drawn of this.#drawn.values()) {
      drawn.told ??= new SharedCall(annotationContainer, 'cAdded', added(drawn));
      seat.tell(this, drawn.told);
    }
    this.to(seat).cConnectCompleted();
  }

  protected readonly calls: Calls<typeof annotationContainer.server> = {
    sAdd: (seat, page, number, kind, colour, width, points, text) =>
      this.#add(seat, number, { page, kind, colour, width, points, text }),
    sExtend: (seat, number, points) => this.#extend(seat, number, points),
    sErase: (seat, userId, number) => {
      const drawn = this.#drawn.get(keyOf(userId, number));
      if (drawn !== undefined && (userId === seat.participant.number || seat.participant.presenter))
        this.#erase(drawn);
    },
    sUndo: ({ participant }) => {
      const own = [...this.#drawn.values()].findLast(({ record }) => record.author === participant.number);
      if (own !== undefined) this.#erase(own);
    },
    sClear: (seat, page) => {
      if (!seat.participant.presenter) return;
      const there = [...this.#drawn.values()].filter(({ record }) => record.page === page);
      for (const drawn of there) this.#forget(drawn);
      if (there.length > 0) this.everyone.cCleared(page);
    },
    sPoint: (seat, page, x, y) => {
      if (!this.#hasPage(page) || !areCoordinates([x, y])) return;
      const { number } = seat.participant;
      this.passing(number, (other) => other !== seat).cPointed(number, page, x, y);
    },
  };

  #add(seat: Seat, number: number, shape: Shape): void {
    const author = seat.participant.number;
    const key = keyOf(author, number);
    // A number names one annotation; a second one of the same is not there for anybody.
    if (this.#drawn.has(key)) return this.#correct(seat, number);
    const text = shape.kind === KIND.text ? severalLines(shape.text, bounds.textCharacters) : '';
    const fits =
      number > 0 &&
      this.#hasPage(shape.page) &&
      isShape({ ...shape, text }) &&
      this.#drawn.size < this.#around.limits().annotations &&
      this.#weight + weightOf(shape.points, text) <= bounds.contentPoints;
    if (!fits) return this.#correct(seat, number);
    const { id: content } = this.#content;
    const record = { ...shape, text, content, author, number, sequence: this.#sequence + 1 };
    this.#around.note({ kind: 'annotation', record });
    this.everyone.cAdded(...added(this.#put(record)));
  }
  #extend(seat: Seat, number: number, points: readonly number[]): void {
    const drawn = this.#drawn.get(keyOf(seat.participant.number, number));
    if (drawn === undefined || points.length === 0) return;
    const { kind, sequence } = drawn.record;
    const fits =
      (kind === KIND.pen || kind === KIND.marker) &&
      points.length % 2 === 0 &&
      areCoordinates(points) &&
      drawn.points.length + points.length <= bounds.annotationPoints &&
      this.#weight + points.length <= bounds.contentPoints;
    if (!fits) return this.#correct(seat, number);
    for (const point of points) drawn.points.push(point);
    drawn.told = undefined;
    this.#weight += points.length;
    this.#around.note({ kind: 'extended', content: this.#content.id, sequence, points });
    this.everyone.cExtended(seat.participant.number, number, points);
  }
  /** The author's screen shows what is not so: it is told what is. */
  #correct(seat: Seat, number: number): void {
    const say = this.to(seat);
    const drawn = this.#drawn.get(keyOf(seat.participant.number, number));
    say.cErased(seat.participant.number, number);
    if (drawn !== undefined) say.cAdded(...added(drawn));
  }
  #erase(drawn: Drawn): void {
    this.#forget(drawn);
    this.everyone.cErased(drawn.record.author, drawn.record.number);
  }
  #forget({ record, points }: Drawn): void {
    this.#drawn.delete(keyOf(record.author, record.number));
    this.#weight -= weightOf(points, record.text);
    this.#around.note({ kind: 'erased', content: this.#content.id, sequence: record.sequence });
  }
  #put(record: AnnotationRecord): Drawn {
    const drawn: Drawn = { record, points: [...record.points], told: undefined };
    this.#drawn.set(keyOf(record.author, record.number), drawn);
    this.#weight += weightOf(drawn.points, record.text);
    this.#sequence = Math.max(this.#sequence, record.sequence);
    return drawn;
  }
}

/** In numbers of four bytes: what is told of an annotation beside its points, a little more than it is. */
const HEAD = 16;
function weightOf(points: readonly number[], text: string): number {
  return HEAD + points.length + text.length;
}

function isShape({ kind, colour, width, points, text }: Shape): boolean {
  if (colour < 0 || colour > MOST_COLOUR || width < 0 || width > MOST_WIDTH) return false;
  if (points.length % 2 !== 0 || points.length > bounds.annotationPoints || !areCoordinates(points))
    return false;
  switch (kind) {
    case KIND.pen:
    case KIND.marker:
      return points.length >= 2;
    case KIND.text:
      return points.length === 2 && text !== '';
    case KIND.line:
    case KIND.rectangle:
    case KIND.ellipse:
    case KIND.arrow:
      return points.length === 4;
    default:
      return false;
  }
}
function areCoordinates(points: readonly number[]): boolean {
  return points.every((one) => one >= -bounds.coordinate && one <= bounds.coordinate);
}
function added({
  record,
  points,
}: Drawn): [number, number, number, number, number, number, readonly number[], string] {
  const { author, page, number, kind, colour, width, text } = record;
  return [author, page, number, kind, colour, width, points, text];
}
function keyOf(author: number, number: number): string {
  return `${author} ${number}`;
}
