import type { LogEvent } from './event.ts';

/** Time first; the edges' names and their own order settle what has the same. */
export function compareEvents(one: LogEvent, other: LogEvent): number {
  if (one.time !== other.time) return one.time - other.time;
  if (one.node !== other.node) return one.node < other.node ? -1 : 1;
  return one.sequence - other.sequence;
}

interface Source {
  readonly waiting: LogEvent[];
  next: number;
  ended: boolean;
}

/**
 * Events of several agents, each in time order, as one list in time order. An event goes out once every agent that has
 * not ended has one that is not older; what waits is bounded by the sources, who are asked to pause.
 */
export class EventMerge {
  readonly #sources = new Map<string, Source>();

  add(source: string): void {
    this.#sources.set(source, { waiting: [], next: 0, ended: false });
  }
  /** Events in time order; those of a source that has ended or was never added are left out. */
  push(source: string, events: readonly LogEvent[]): LogEvent[] {
    const of = this.#sources.get(source);
    if (of === undefined || of.ended) return [];
    of.waiting.push(...events);
    return this.#drain();
  }
  end(source: string): LogEvent[] {
    const of = this.#sources.get(source);
    if (of !== undefined) of.ended = true;
    return this.#drain();
  }
  /** Events of one source that wait for the others. */
  waiting(source: string): number {
    const of = this.#sources.get(source);
    return of === undefined ? 0 : of.waiting.length - of.next;
  }

  #drain(): LogEvent[] {
    const out: LogEvent[] = [];
    for (;;) {
      let first: Source | undefined;
      for (const source of this.#sources.values()) {
        const head = source.waiting[source.next];
        if (head === undefined) {
          if (source.ended) continue;
          return out;
        }
        const best = first?.waiting[first.next];
        if (best === undefined || compareEvents(head, best) < 0) first = source;
      }
      const event = first?.waiting[first.next];
      if (first === undefined || event === undefined) return out;
      out.push(event);
      first.next += 1;
      if (first.next === first.waiting.length || first.next === 1024) {
        first.waiting.splice(0, first.next);
        first.next = 0;
      }
    }
  }
}
