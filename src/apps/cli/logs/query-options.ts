import { type Command, InvalidArgumentError } from 'commander';
import { err, type Failure, failure, ok, type Result } from '#kernel';
import { type KeyName, keyNames, readProviderRequest, type SearchQueryInput } from '#protocols/log-query';
import { parseDuration } from './duration.ts';

/** What may be asked of a search or a follow. */
export interface QueryOptions {
  readonly last?: number;
  readonly from?: number;
  readonly to?: number;
  readonly callId?: string[];
  readonly uri?: string[];
  readonly phone?: string[];
  readonly address?: string[];
  readonly domain?: string[];
  readonly conference?: string[];
  readonly trace?: string[];
  readonly text?: string[];
  readonly all?: true;
  readonly level?: string;
  readonly component?: string[];
  readonly provider?: string[];
  readonly service?: string[];
  readonly limit: number;
}

const MINUTE_MS = 60_000;
/** Without anything to look for, and with. */
const USUAL_MS = { plain: 30 * MINUTE_MS, keyed: 24 * 60 * MINUTE_MS };

export function addWindowOptions(command: Command): Command {
  return command
    .option(
      '--last <duration>',
      'so far back: 90s, 30m, 24h, 7d; 30m, or 24h with a term, when left out',
      parseDuration,
    )
    .option(
      '--from <time>',
      'not before, such as 2026-11-26T15:00 or 15:00 today (UTC unless it says otherwise)',
      parseTime,
    )
    .option('--to <time>', 'before', parseTime);
}

export function addQueryOptions(command: Command): Command {
  return command
    .option('--call-id <ids...>', 'Call-ID; the relays of the call are found too')
    .option('--uri <uris...>', 'SIP address, with or without sip:')
    .option('--phone <numbers...>', 'telephone number')
    .option('--address <addresses...>', 'IP address of a peer')
    .option('--domain <domains...>', 'domain of a party, or of a certificate')
    .option('--conference <ids...>', 'conference id')
    .option('--trace <ids...>', 'correlation id, as events show it')
    .option('--text <pieces...>', 'piece of text, three characters or more')
    .option('--all', 'every term has to be there; any one when left out')
    .option('--level <level>', 'error, warning, info or verbose, and what matters more')
    .option('--component <names...>', 'part of a service')
    .option('--provider <names...>', 'provider: logs show --known lists them')
    .option('--service <names...>', 'service: access, av, ...')
    .option('--limit <count>', 'at most so many events of an edge', parseCount, 10_000);
}

/** The query that the options mean; names that nobody knows are errors that say what was probably meant. */
export function queryOf(options: QueryOptions, now: number): Result<SearchQueryInput, Failure> {
  const providers: string[] = [];
  for (const name of options.provider ?? []) {
    const known = readProviderRequest(name.split(':', 1)[0] ?? '');
    if (!known.ok) return known;
    providers.push(known.value.provider);
  }
  const level = options.level === undefined ? undefined : readProviderRequest(`Sip:${options.level}`);
  if (level?.ok === false) return level;
  const keys = keysOf(options);
  const isKeyed = Object.keys(keys).length > 0 || options.text !== undefined;
  const window = windowOf(options, now, isKeyed);
  if (window.from >= window.to) return err(failure('SLP-LOG-0114', 'it ends before it begins'));
  const { component, service, text } = options;
  return ok({
    ...window,
    keys,
    limit: options.limit,
    match: options.all === true ? 'all' : 'any',
    ...(level === undefined ? {} : { level: level.value.level }),
    ...(providers.length === 0 ? {} : { providers }),
    ...(component === undefined ? {} : { components: component }),
    ...(service === undefined ? {} : { services: service }),
    ...(text === undefined ? {} : { text }),
  });
}

export function windowOf(
  { last, from, to }: Pick<QueryOptions, 'last' | 'from' | 'to'>,
  now: number,
  isKeyed: boolean,
): { readonly from: number; readonly to: number } {
  // Events of this very moment are in it, and those of an edge whose clock is a little ahead.
  const end = to ?? now + MINUTE_MS;
  const length = last ?? (isKeyed ? USUAL_MS.keyed : USUAL_MS.plain);
  return { from: Math.max(0, from ?? (to ?? now) - length), to: end };
}

function keysOf(options: QueryOptions): Partial<Record<KeyName, string[]>> {
  const named = keyNames.flatMap((name) => {
    const values = options[name];
    return values === undefined ? [] : [[name, values] as const];
  });
  return Object.fromEntries(named);
}

function parseTime(text: string): number {
  const today = new Date().toISOString().slice(0, 10);
  const whole = /^\d\d:\d\d/.test(text) ? `${today}T${text}` : text;
  const zoned = /(?:Z|[+-]\d\d:?\d\d)$/.test(whole) || !whole.includes('T') ? whole : `${whole}Z`;
  const time = Date.parse(zoned);
  if (Number.isFinite(time)) return time;
  throw new InvalidArgumentError('Write a time such as 2026-11-26T15:00.');
}
function parseCount(text: string): number {
  const count = Number(text);
  if (Number.isSafeInteger(count) && count >= 1 && count <= 1_000_000) return count;
  throw new InvalidArgumentError('Write a whole number from 1 to 1000000.');
}
