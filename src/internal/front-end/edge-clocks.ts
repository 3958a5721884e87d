import { failure, type WallTime } from '#kernel';
import { type Log, OncePerKey } from '#platform/telemetry';

/** Answers take a moment to come, and say no more than the second. */
const TOLERANCE_MS = 30_000;
const MOST_EDGES = 1_000;

/**
 * How far the edges' clocks are from this host's, by the Date of their answers. What an edge issues ends by its clock and is
 * shown to the others of its pool; what this host makes is judged by theirs.
 */
export class EdgeClocks {
  readonly #log: Log;
  /** Milliseconds that an edge is ahead, those within the tolerance apart. */
  readonly #ahead = new Map<string, number>();
  readonly #told = new OncePerKey(MOST_EDGES);

  constructor(log: Log) {
    this.#log = log;
  }
  /** @param date of an answer that this edge made just now; nothing is learnt from none, or from one that is no date */
  note(edge: string, date: string | undefined, wall: WallTime): void {
    const ahead = Date.parse(date ?? '') - wall;
    if (Number.isNaN(ahead)) return;
    if (Math.abs(ahead) <= TOLERANCE_MS) {
      this.#ahead.delete(edge);
      return;
    }
    this.#ahead.set(edge, ahead);
    const { code } = failure('SLP-AV-0401');
    if (this.#told.first(edge)) this.#log.warn('clocks differ', { code, edge, aheadSeconds: seconds(ahead) });
  }
  /** One line an edge whose clock differs. */
  troubles(): string[] {
    return [...this.#ahead].map(([edge, ahead]) => {
      const where = ahead > 0 ? `${seconds(ahead)} s ahead of` : `${-seconds(ahead)} s behind`;
      return `${edge} clock: ${where} this host's`;
    });
  }
  /** Forgets the edges that the document no longer has. */
  keep(edges: ReadonlySet<string>): void {
    for (const edge of this.#ahead.keys()) if (!edges.has(edge)) this.#ahead.delete(edge);
  }
}

const seconds = (milliseconds: number) => Math.round(milliseconds / 1000);
