import { traceOf } from '#platform/message-log';
import { compareEvents, type LogEvent, type SearchQuery, searchQuery } from '#protocols/log-query';

/** How long a media credential may have been given out before the call that uses it. Milliseconds. */
const CREDENTIAL_MS = 24 * 3_600_000;
/** Relays are asked for before an INVITE leaves, and given back after the last message. Milliseconds. */
const MARGIN_MS = 60_000;
const MOST_TERMS = 16;
const MOST_EVENTS = 10_000;

interface Window {
  readonly from: number;
  readonly to: number;
}

/** The time of a call's messages, with what belongs to it around them; undefined when there are none. */
export function windowOf(events: readonly LogEvent[]): Window | undefined {
  const times = events.map(({ time }) => time);
  const [first, last] = [times[0], times.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  return { from: Math.max(0, first - MARGIN_MS), to: last + MARGIN_MS };
}

/**
 * Finds out under which traces the parties of a call have relays: the A/V Authentication service has told it when it gave
 * out their credentials.
 */
export function credentialsQuery(call: readonly LogEvent[], { from, to }: Window): SearchQuery | undefined {
  const parties = unique(call.flatMap(({ keys }) => keys.uri ?? [])).filter((uri) => uri.includes('@'));
  if (parties.length === 0) return undefined;
  return searchQuery.parse({
    from: Math.max(0, from - CREDENTIAL_MS),
    to,
    providers: ['AvAuthentication'],
    keys: { uri: parties },
    limit: MOST_EVENTS,
  });
}

/** What the relays of these credentials did meanwhile. */
export function relaysQuery(issued: readonly LogEvent[], { from, to }: Window): SearchQuery | undefined {
  const ofCalls = new Set(issued.flatMap(({ keys }) => (keys.callId ?? []).map(traceOf)));
  const traces = unique(issued.flatMap(({ keys }) => keys.trace ?? [])).filter(
    (trace) => !ofCalls.has(trace),
  );
  if (traces.length === 0) return undefined;
  return searchQuery.parse({
    from,
    to,
    providers: ['Turn', 'Stun', 'Av'],
    keys: { trace: traces },
    limit: MOST_EVENTS,
  });
}

/** Answers of a relay name nobody: they are found by the clients that asked. */
export function answersQuery(relayed: readonly LogEvent[], { from, to }: Window): SearchQuery | undefined {
  const addresses = unique(relayed.flatMap(({ remote }) => (remote === undefined ? [] : [remote])));
  if (addresses.length === 0) return undefined;
  return searchQuery.parse({
    from,
    to,
    providers: ['Stun'],
    keys: { address: addresses },
    limit: MOST_EVENTS,
  });
}
/** Only those to the very sockets that asked: others may share their address. */
export function ofSameClients(answers: readonly LogEvent[], relayed: readonly LogEvent[]): LogEvent[] {
  const place = ({ node, service, remote }: LogEvent) => `${node} ${service} ${remote}`;
  const clients = new Set(relayed.map(place));
  return answers.filter((answer) => clients.has(place(answer)));
}

/** One list, oldest first, each event once. */
export function joined(...lists: readonly (readonly LogEvent[])[]): LogEvent[] {
  const known = new Map<string, LogEvent>();
  for (const event of lists.flat()) known.set(`${event.node} ${event.sequence}`, event);
  return [...known.values()].sort(compareEvents);
}

/** The latest ones, when there are more than one query may name. */
function unique(values: readonly string[]): string[] {
  return [...new Set(values)].slice(-MOST_TERMS);
}
