import type { Monotonic } from '#kernel';

/** What waits, as far as its turn goes. */
export interface Waiter {
  /** The number of its connection. */
  readonly connection: number;
}

/** Of a connection: it has had a turn; or it has not, and waits since then. */
export type Standing = 'served' | Monotonic;

/** What waits of a connection that has had no turn. */
interface Fresh<One> {
  readonly since: Monotonic;
  /** Oldest first, never nothing. */
  readonly waiting: One[];
}

/**
 * Who waits of one source, by connection, in the order of their turns. Connections that have not had any come first, as they began
 * to wait, but that each further attempt which waits of one sets it back by as long as a turn may last; then those that have,
 * each of which stands behind all the others again after each turn. So while something waits, no other connection has two turns
 * before it, and who piles up a lot has none before who has one attempt.
 */
export class SourceLine<One extends Waiter> {
  readonly #turnMs: number;
  #fresh = new Map<number, Fresh<One>>();
  readonly #served = new Map<number, One[]>();
  /** The fresh ones are in order; who begins to wait later than the last place there is the next one. */
  #sorted = true;
  #lastPlace = Number.NEGATIVE_INFINITY;
  #size = 0;

  /** @param turnMs how long a turn may last */
  constructor(turnMs: number) {
    this.#turnMs = turnMs;
  }

  get size(): number {
    return this.#size;
  }
  /** How many of a connection wait. */
  sizeOf(connection: number): number {
    return this.#pileOf(connection)?.length ?? 0;
  }

  /** @param standing of its connection */
  add(one: One, standing: Standing): void {
    this.#size += 1;
    const { connection } = one;
    const pile = this.#pileOf(connection);
    if (pile !== undefined) {
      pile.push(one);
      if (this.#fresh.has(connection)) this.#sorted = false;
    } else if (standing === 'served') {
      this.#served.set(connection, [one]);
    } else {
      this.#fresh.set(connection, { since: standing, waiting: [one] });
      if (standing < this.#lastPlace) this.#sorted = false;
      else this.#lastPlace = standing;
    }
  }
  /** It does not wait any more. */
  remove(one: One): void {
    const { connection } = one;
    const pile = this.#pileOf(connection);
    const index = pile?.indexOf(one) ?? -1;
    if (pile === undefined || index < 0) return;
    pile.splice(index, 1);
    this.#size -= 1;
    if (pile.length === 0) this.#delete(connection);
    else if (this.#fresh.has(connection)) this.#sorted = false;
  }
  /** It has had a turn: what else waits of it stands behind all others. */
  serve(connection: number): void {
    const pile = this.#pileOf(connection);
    if (pile === undefined) return;
    this.#delete(connection);
    this.#served.set(connection, pile);
  }

  /** What waits of each connection, whose turn it is first. Who is served meanwhile comes again, behind all others. */
  inTurn(): Generator<readonly One[]> {
    if (!this.#sorted) this.#sort();
    return this.#piles();
  }
  /** The newest of the connection of which most wait. */
  newestOfLongest(): One | undefined {
    let longest: readonly One[] = [];
    for (const pile of this.#piles()) if (pile.length > longest.length) longest = pile;
    return longest.at(-1);
  }

  *#piles(): Generator<readonly One[]> {
    for (const { waiting } of this.#fresh.values()) yield waiting;
    yield* this.#served.values();
  }
  #delete(connection: number): void {
    if (!this.#fresh.delete(connection)) this.#served.delete(connection);
  }
  #sort(): void {
    const place = ({ since, waiting }: Fresh<One>) => since + (waiting.length - 1) * this.#turnMs;
    const inOrder = [...this.#fresh].sort(([, a], [, b]) => place(a) - place(b));
    const last = inOrder.at(-1);
    this.#fresh = new Map(inOrder);
    this.#lastPlace = last === undefined ? Number.NEGATIVE_INFINITY : place(last[1]);
    this.#sorted = true;
  }
  #pileOf(connection: number): One[] | undefined {
    return this.#fresh.get(connection)?.waiting ?? this.#served.get(connection);
  }
}
