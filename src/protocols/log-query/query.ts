import { z } from 'zod';
import { EVENT_BOUNDS, type LogEvent } from './event.ts';
import { type KeyName, keyNames, normaliseKey } from './keys.ts';
import { logLevels, reaches } from './providers.ts';

/** Bounds of one query. */
export const QUERY_BOUNDS = { terms: 16, shortestText: 3, longestText: 256, events: 1_000_000 } as const;

const term = z.string().min(1).max(EVENT_BOUNDS.keyValue);
const terms = z.array(term).max(QUERY_BOUNDS.terms).optional();
const words = z.array(z.string().min(1).max(EVENT_BOUNDS.word)).max(32).optional();
const time = z.number().min(0).max(8.64e15);

/**
 * What is looked for. Time, level, components, providers and services always narrow; of the terms (keys and text)
 * `any` wants one of them and `all` wants every one. Without terms everything in the window is found.
 */
export const searchQuery = z.object({
  /** Not before, milliseconds since 1970. */
  from: time.optional(),
  /** Before. */
  to: time.optional(),
  /** This level and those that matter more. */
  level: z.enum(logLevels).optional(),
  components: words,
  providers: words,
  services: words,
  match: z.enum(['any', 'all']).default('any'),
  keys: z
    .object({
      callId: terms,
      uri: terms,
      phone: terms,
      address: terms,
      domain: terms,
      conference: terms,
      trace: terms,
    })
    .default({}),
  /** In the text or the body of an event, whatever the case of its letters. */
  text: z
    .array(z.string().min(QUERY_BOUNDS.shortestText).max(QUERY_BOUNDS.longestText))
    .max(QUERY_BOUNDS.terms)
    .optional(),
  /** At most so many events; the oldest are given. */
  limit: z.int().min(1).max(QUERY_BOUNDS.events).default(10_000),
});
export type SearchQuery = z.output<typeof searchQuery>;
export type SearchQueryInput = z.input<typeof searchQuery>;

export interface KeyTerm {
  readonly name: KeyName;
  readonly value: string;
}

/** The keys that a query names, in their one form; empty ones say nothing. */
export function keyTerms(query: SearchQuery): KeyTerm[] {
  return keyNames.flatMap((name) =>
    (query.keys[name] ?? [])
      .map((value) => ({ name, value: normaliseKey(name, value) }))
      .filter(({ value }) => value !== ''),
  );
}

/** What `matches` asks of every event. */
export interface Matcher {
  narrows(event: LogEvent): boolean;
  terms(event: LogEvent): boolean;
}

export function matcherOf(query: SearchQuery): Matcher {
  const keys = keyTerms(query);
  const texts = (query.text ?? []).map(foldCase);
  const { from = 0, to = Number.POSITIVE_INFINITY, level, components, providers, services, match } = query;
  const among = (list: readonly string[] | undefined, word: string) =>
    list === undefined || list.length === 0 || list.includes(word);
  return {
    narrows: (event) =>
      event.time >= from &&
      event.time < to &&
      (level === undefined || reaches(event.level, level)) &&
      among(components, event.component) &&
      among(providers, event.provider) &&
      among(services, event.service),
    terms: (event) => {
      if (keys.length + texts.length === 0) return true;
      const whole = texts.length === 0 ? '' : foldCase(`${event.text}\n${event.body ?? ''}`);
      const has = ({ name, value }: KeyTerm) => event.keys[name]?.includes(value) === true;
      return match === 'any'
        ? keys.some(has) || texts.some((text) => whole.includes(text))
        : keys.every(has) && texts.every((text) => whole.includes(text));
    },
  };
}

/**
 * Lower case, but for the two letters beyond ASCII whose lower case is one within, so that an index may look at the
 * letters of ASCII alone.
 */
function foldCase(text: string): string {
  if (!/[\u0130\u212a]/.test(text)) return text.toLowerCase();
  return text.replace(/[^\u0130\u212a]+/g, (piece) => piece.toLowerCase());
}

/** Whether a query finds this event: the definition to which every index has to keep. */
export function matches(query: SearchQuery, event: LogEvent): boolean {
  const matcher = matcherOf(query);
  return matcher.narrows(event) && matcher.terms(event);
}
