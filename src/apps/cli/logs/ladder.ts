import type { LogEvent } from '#protocols/log-query';
import { printable } from '../terminal.ts';
import { headline, shortName } from './event-line.ts';

/** Characters between two parties. */
const WIDTH = 26;
const TIME_WIDTH = 13;
const LONGEST_LABEL = WIDTH - 4;
const LONGEST_NOTE = 90;

interface Column {
  readonly key: string;
  label: string;
}

/** Who a message went between: the edge, and the host at the other end. */
interface Hop {
  readonly from: string;
  readonly to: string;
}

/**
 * A call as people draw it: a column for each edge and each host that it spoke with, an arrow for each message, and what
 * the edges decided beside their column. Events come oldest first.
 */
export function ladder(events: readonly LogEvent[]): string {
  const columns = columnsOf(events);
  const index = new Map(columns.map(({ key }, at) => [key, at]));
  const lines = [header(columns.map(({ label }) => label))];
  for (const event of events) {
    const hop = hopOf(event);
    const [from, to] = [index.get(hop?.from ?? ''), index.get(hop?.to ?? '')];
    const row =
      from === undefined || to === undefined
        ? note(columns.length, index.get(edgeKey(event)) ?? 0, event)
        : arrow(columns.length, from, to, labelOf(event));
    lines.push(`${new Date(event.time).toISOString().slice(11, 23)} ${printable(row)}`.trimEnd());
  }
  return lines.join('\n');
}

function edgeKey({ node }: LogEvent): string {
  return `edge ${node}`;
}
function hostKey(remote: string): string {
  return `host ${hostOf(remote)}`;
}
/** Without port and brackets. */
function hostOf(endpoint: string): string {
  return endpoint.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
}
function hopOf(event: LogEvent): Hop | undefined {
  const { kind, direction, remote } = event;
  if (kind !== 'message' || direction === undefined || remote === undefined) return undefined;
  const [edge, host] = [edgeKey(event), hostKey(remote)];
  return direction === 'in' ? { from: host, to: edge } : { from: edge, to: host };
}

/** In the order in which they first take part; a host that speaks for one person only bears that name. */
function columnsOf(events: readonly LogEvent[]): Column[] {
  const columns = new Map<string, Column>();
  const people = new Map<string, Set<string>>();
  for (const event of events) {
    const hop = hopOf(event);
    const keys = hop === undefined ? [edgeKey(event)] : [hop.from, hop.to];
    for (const key of keys) columns.set(key, columns.get(key) ?? { key, label: nameOf(key) });
    const person = hop === undefined ? undefined : personOf(event);
    if (person === undefined || event.remote === undefined) continue;
    const key = hostKey(event.remote);
    people.set(key, (people.get(key) ?? new Set<string>()).add(person));
  }
  for (const [key, names] of people) {
    const column = columns.get(key);
    const [name] = names;
    if (names.size === 1 && column !== undefined && name !== undefined)
      column.label = `${name} ${column.label}`;
  }
  return [...columns.values()];
}

function nameOf(key: string): string {
  const [kind = '', name = ''] = [key.slice(0, 4), key.slice(5)];
  return kind === 'edge' ? shortName(name) : name;
}

/** Whom a request of SIP makes the host at the other end speak for: its sender, or its addressee. */
function personOf({ provider, direction, fields, keys }: LogEvent): string | undefined {
  if (provider !== 'Sip' || fields?.status !== undefined) return undefined;
  const address = direction === 'in' ? keys.uri?.[0] : keys.uri?.[1];
  return address?.split('@', 1)[0];
}

/** `INVITE`, `200 OK (INVITE)`, `Allocate request`, `401 (Allocate)`; `CALL sVote`, `CONNECT Poll`, `REFUSED used`. */
function labelOf(event: LogEvent): string {
  const { operation, interface: declared, show, method, status, reason } = event.fields ?? {};
  if (typeof operation === 'string') {
    const what = [method, declared, reason, show].find((word) => typeof word === 'string');
    return what === undefined ? operation : `${operation} ${what}`;
  }
  if (typeof method !== 'string') return headline(event).slice(0, LONGEST_LABEL);
  if (status === undefined)
    return method + (event.provider === 'Stun' ? ` ${event.fields?.class ?? ''}`.trimEnd() : '');
  const said = typeof reason === 'string' && reason !== '' ? `${status} ${reason}` : String(status);
  return `${said} (${method})`;
}

function header(labels: readonly string[]): string {
  const cells = labels.map((label) => {
    const text = label.length > WIDTH - 1 ? `${label.slice(0, WIDTH - 2)}…` : label;
    const before = Math.floor((WIDTH - text.length) / 2);
    return `${' '.repeat(before)}${text}`.padEnd(WIDTH);
  });
  return `${' '.repeat(TIME_WIDTH)}${printable(cells.join(''))}`.trimEnd();
}

function bars(count: number): string[] {
  const row: string[] = new Array<string>(count * WIDTH).fill(' ');
  for (let at = 0; at < count; at++) row[centre(at)] = '│';
  return row;
}
function centre(column: number): number {
  return column * WIDTH + WIDTH / 2;
}

function arrow(count: number, from: number, to: number, label: string): string {
  const row = bars(count);
  const [left, right] = [centre(Math.min(from, to)) + 1, centre(Math.max(from, to)) - 1];
  for (let at = left; at <= right; at++) row[at] = '─';
  if (to > from) row[right] = '▶';
  else row[left] = '◀';
  const room = right - left - 3;
  const text = ` ${label.length > room ? `${label.slice(0, Math.max(0, room - 1))}…` : label} `;
  const start = left + Math.floor((right - left + 1 - text.length) / 2);
  for (const [at, character] of [...text].entries()) row[start + at] = character;
  return row.join('');
}

/** Something that an edge decided or did, to the right of its column. */
function note(count: number, column: number, event: LogEvent): string {
  const row = bars(count).slice(0, centre(column)).join('');
  const text = headline(event);
  return `${row}● ${text.length > LONGEST_NOTE ? `${text.slice(0, LONGEST_NOTE - 1)}…` : text}`;
}
