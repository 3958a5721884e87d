import type { WallTime } from '#kernel';
import { bounds } from './limits.ts';
import type { Seat } from './shared-object.ts';
import { oneLine } from './text.ts';

interface Reservation {
  readonly seat: Seat;
  readonly cookie: number;
  readonly title: string;
  until: WallTime;
}

export type TitleOutcome =
  | { readonly kind: 'reserved' }
  /** `contentId` 0: another participant holds it back. */
  | { readonly kind: 'taken'; readonly contentId: number; readonly holder: number }
  | { readonly kind: 'refused' };

/** Titles are unique in a meeting, whatever the case of their letters. A reservation lasts as long as its connection, and not for ever. */
export class Titles {
  readonly #contents = new Map<string, number>();
  readonly #reserved = new Map<string, Reservation>();

  reserve(seat: Seat, cookie: number, text: string, now: WallTime): TitleOutcome {
    this.#expire(now);
    const title = titleOf(text);
    const mine = [...this.#reserved.values()].filter((one) => one.seat === seat);
    if (title === '' || mine.length >= bounds.reservations || mine.some((one) => one.cookie === cookie))
      return { kind: 'refused' };
    const key = keyOf(title);
    const contentId = this.#contents.get(key);
    if (contentId !== undefined) return { kind: 'taken', contentId, holder: 0 };
    const other = this.#reserved.get(key);
    if (other !== undefined) return { kind: 'taken', contentId: 0, holder: other.seat.participant.number };
    this.#reserved.set(key, { seat, cookie, title, until: now + bounds.reservationMs });
    return { kind: 'reserved' };
  }
  /** The title that this connection holds back under this cookie. */
  reserved(seat: Seat, cookie: number, now: WallTime): string | undefined {
    this.#expire(now);
    return this.#find(seat, cookie)?.title;
  }
  /** For as long as the connection lasts: its file is under way. */
  hold(seat: Seat, cookie: number): void {
    const found = this.#find(seat, cookie);
    if (found !== undefined) found.until = Number.POSITIVE_INFINITY;
  }
  /** False when there was no such reservation. */
  release(seat: Seat, cookie: number): boolean {
    const found = this.#find(seat, cookie);
    return found !== undefined && this.#reserved.delete(keyOf(found.title));
  }
  releaseAll(seat: Seat): void {
    for (const [key, one] of this.#reserved) if (one.seat === seat) this.#reserved.delete(key);
  }

  /** Whether a content may bear this title: nobody else has it or holds it back. */
  isFree(title: string, contentId: number, now: WallTime): boolean {
    this.#expire(now);
    const key = keyOf(title);
    return (this.#contents.get(key) ?? contentId) === contentId && !this.#reserved.has(key);
  }
  bear(title: string, contentId: number): void {
    this.#contents.set(keyOf(title), contentId);
  }
  free(title: string): void {
    this.#contents.delete(keyOf(title));
  }

  #find(seat: Seat, cookie: number): Reservation | undefined {
    for (const one of this.#reserved.values()) if (one.seat === seat && one.cookie === cookie) return one;
    return undefined;
  }
  #expire(now: WallTime): void {
    for (const [key, { until }] of this.#reserved) if (until <= now) this.#reserved.delete(key);
  }
}

/** Empty when nothing of it can be seen. */
export function titleOf(text: string): string {
  return oneLine(text, bounds.titleCharacters);
}
function keyOf(title: string): string {
  return title.normalize('NFKC').toLowerCase();
}
