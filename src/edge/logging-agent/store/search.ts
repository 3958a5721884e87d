import { compareEvents, keyTerms, type LogEvent, matcherOf, type SearchQuery } from '#protocols/log-query';
import { type KeyFilter, keyToken } from './key-filter.ts';
import type { LogStore } from './log-store.ts';
import { eventIn, Segment, type TimeWindow } from './segment.ts';
import type { SegmentFacts } from './segment-files.ts';
import { lastWordBeginning, likePattern, wholeWords } from './text-terms.ts';

/** What a search did. */
export interface SearchSummary {
  readonly events: number;
  readonly more: boolean;
  readonly segments: { readonly all: number; readonly opened: number };
}

/** How one term is found: by the word index, by looking at texts, or only by reading everything. */
type Way = { readonly words: string } | { readonly like: string } | 'everything';

/** Events that are looked at between two breaths. */
const STRIDE = 2000;
const BREATH = 64;

/**
 * Events of a store in the order of their time. Yields undefined from time to time so that whoever drives it can do
 * something else; segments that are deleted meanwhile stay readable until it ends. It is also ended by `return()`.
 */
export function* search(
  store: LogStore,
  query: SearchQuery,
  onDamaged: (first: number, problem: string) => void = () => {},
): Generator<LogEvent | undefined, SearchSummary> {
  const window = { from: query.from ?? 0, to: query.to ?? Number.MAX_SAFE_INTEGER };
  const { all, chosen } = store.candidates(window, (filter) => mayHold(query, filter));
  const waiting = [...chosen].sort((one, other) => one.from - other.from);
  const open: SegmentHits[] = [];
  let events = 0;
  try {
    for (;;) {
      const first = earliest(open);
      const next = waiting[0];
      if (next !== undefined && (first === undefined || next.from <= first.time)) {
        waiting.shift();
        const hits = new SegmentHits(store.folder, next, query, window, onDamaged);
        open.push(hits);
        yield* hits.begin();
        continue;
      }
      const summary = { events, segments: { all, opened: open.length } };
      if (first === undefined) return { ...summary, more: false };
      if (events === query.limit) return { ...summary, more: true };
      events += 1;
      yield first.event;
      yield* first.hits.advance();
    }
  } finally {
    for (const hits of open) hits.close();
  }
}

function earliest(open: readonly SegmentHits[]) {
  let best: { readonly hits: SegmentHits; readonly event: LogEvent; readonly time: number } | undefined;
  for (const hits of open) {
    const event = hits.event;
    if (event !== undefined && (best === undefined || compareEvents(event, best.event) < 0))
      best = { hits, event, time: event.time };
  }
  return best;
}

/** Whether a sealed segment is worth opening. */
function mayHold(query: SearchQuery, filter: KeyFilter): boolean {
  const keys = keyTerms(query).map(({ name, value }) => filter.mayHave(keyToken(name, value)));
  if (query.match === 'all') return keys.every((has) => has);
  const texts = query.text?.length ?? 0;
  return keys.length === 0 || texts > 0 || keys.some((has) => has);
}

/** What one segment has, one event after the other. */
class SegmentHits {
  event: LogEvent | undefined;
  readonly #facts: SegmentFacts;
  readonly #folder: string;
  readonly #query: SearchQuery;
  readonly #window: TimeWindow;
  readonly #matches: (event: LogEvent) => boolean;
  readonly #onDamaged: (first: number, problem: string) => void;
  #segment: Segment | undefined;
  #ids: readonly number[] = [];
  #at = 0;

  constructor(
    folder: string,
    facts: SegmentFacts,
    query: SearchQuery,
    window: TimeWindow,
    onDamaged: (first: number, problem: string) => void,
  ) {
    this.#folder = folder;
    this.#facts = facts;
    this.#query = query;
    this.#window = window;
    this.#onDamaged = onDamaged;
    const matcher = matcherOf(query);
    this.#matches = (event) => matcher.narrows(event) && matcher.terms(event);
  }

  *begin(): Generator<undefined> {
    try {
      this.#segment = Segment.read(this.#folder, this.#facts);
      this.#ids = yield* idsOf(this.#segment, this.#facts, this.#query, this.#window);
    } catch (error) {
      this.#fail(error);
    }
    yield* this.advance();
  }
  /** To the next event that matches; `event` is undefined behind the last. */
  *advance(): Generator<undefined> {
    this.event = undefined;
    for (let looked = 1; this.#at < this.#ids.length; looked++) {
      const json = this.#read(this.#ids[this.#at++]!);
      const event = json === undefined ? undefined : eventIn(json);
      if (event !== undefined && this.#matches(event)) {
        this.event = event;
        return;
      }
      if (looked % BREATH === 0) yield undefined;
    }
    this.close();
  }
  close(): void {
    this.#segment?.close();
    this.#segment = undefined;
    this.#ids = [];
  }

  #read(id: number): string | undefined {
    try {
      return this.#segment?.json(id);
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }
  #fail(error: unknown): void {
    this.#onDamaged(this.#facts.first, (error as Error).message);
    this.close();
  }
}

function* idsOf(
  segment: Segment,
  facts: SegmentFacts,
  query: SearchQuery,
  window: TimeWindow,
): Generator<undefined, readonly number[]> {
  const ways = waysOf(query);
  if (ways.length === 0 || ways.includes('everything')) {
    // With `all` one good way is enough: the others are looked at in what it finds.
    const good = query.match === 'all' ? ways.find((way) => way !== 'everything') : undefined;
    if (good === undefined) return segment.ids(window, undefined);
    return yield* idsByWays(segment, facts, window, [good], query.match);
  }
  return yield* idsByWays(segment, facts, window, ways, query.match);
}

function* idsByWays(
  segment: Segment,
  facts: SegmentFacts,
  window: TimeWindow,
  ways: readonly Way[],
  match: SearchQuery['match'],
): Generator<undefined, readonly number[]> {
  const words = ways.flatMap((way) => (typeof way === 'object' && 'words' in way ? [`(${way.words})`] : []));
  const patterns = ways.flatMap((way) => (typeof way === 'object' && 'like' in way ? [way.like] : []));
  if (match === 'all' && words.length > 0) return segment.ids(window, words.join(' AND '));
  if (patterns.length === 0) return segment.ids(window, words.join(' OR '));
  const found = new Set(words.length === 0 ? [] : segment.ids(window, words.join(' OR ')));
  for (const pattern of match === 'all' ? patterns.slice(0, 1) : patterns) {
    for (let after = facts.first - 1; after < facts.last; after += STRIDE) {
      for (const id of segment.idsLike(window, pattern, after, STRIDE)) found.add(id);
      yield undefined;
    }
  }
  return segment.sorted([...found]);
}

function waysOf(query: SearchQuery): Way[] {
  const keys = keyTerms(query).map(({ name, value }): Way => ({ words: quoted(keyToken(name, value)) }));
  return [...keys, ...(query.text ?? []).map(wayOfText)];
}
function wayOfText(piece: string): Way {
  const last = lastWordBeginning(piece);
  const words = [...wholeWords(piece).map(quoted), ...(last === undefined ? [] : [`${quoted(last)} *`])];
  if (words.length > 0) return { words: words.join(' AND ') };
  const like = likePattern(piece);
  return like === undefined ? 'everything' : { like };
}
function quoted(word: string): string {
  return `"${word}"`;
}
