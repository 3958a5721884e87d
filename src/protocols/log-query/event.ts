import type { WallTime } from '#kernel';
import { type EventKeys, type KeyName, keyNames, LONGEST_KEY } from './keys.ts';
import { type EventLevel, logLevels } from './providers.ts';

/** `message`: bytes of a protocol came or went; `decision`: somebody was let in or refused, and why; `drop`: lost. */
export const eventKinds = ['message', 'decision', 'state', 'drop'] as const;
export type EventKind = (typeof eventKinds)[number];

export type EventField = string | number | boolean;

/** One thing that happened, as a service emits it. */
export interface LogRecord {
  /** By the clock of the edge. */
  readonly time: WallTime;
  /** A part of the service, kebab-case: `partner-links`. */
  readonly component: string;
  /** Of the closed list; a newer edge may know more. */
  readonly provider: string;
  readonly level: EventLevel;
  readonly kind: EventKind;
  /** A stable kebab-case name: `client-signed-in`, `sip-message`. */
  readonly name: string;
  readonly flags: readonly string[];
  /** A message as it was on the wire (bodies and credentials taken out), or one sentence. */
  readonly text: string;
  readonly direction?: 'in' | 'out' | undefined;
  /** Id of the connection within the service. */
  readonly connection?: string | undefined;
  /** `192.0.2.1:5061` or `[2001:db8::1]:5061`. */
  readonly local?: string | undefined;
  readonly remote?: string | undefined;
  /** Normalised by `normaliseKey`. */
  readonly keys: EventKeys;
  /** Only if a scenario asks for bodies. */
  readonly body?: string | undefined;
  readonly fields?: Readonly<Record<string, EventField>> | undefined;
}

/** What is told of an event to whoever watches an edge, and to nobody else. */
export type LogNote = Pick<LogRecord, 'time' | 'name'> & {
  readonly fields: Readonly<Record<string, EventField>>;
};

/** As it is stored and found. */
export interface LogEvent extends LogRecord {
  /** In the order in which the logging agent of the edge took them; grows strictly, gaps are allowed. */
  readonly sequence: number;
  /** Name of the edge. */
  readonly node: string;
  readonly service: string;
}

/** UTF-16 code units, and counts. The longest event is below `FRAME_BYTES.fromAgent` as JSON, however it is escaped. */
export const EVENT_BOUNDS = {
  text: 8192,
  body: 12_288,
  word: 64,
  node: 253,
  endpoint: 128,
  flags: 8,
  keyValues: 4,
  keyValue: LONGEST_KEY,
  fields: 16,
  fieldValue: 512,
} as const;

const KIND = new Set<unknown>(eventKinds);
const LEVEL = new Set<unknown>(logLevels);
const KEY = new Set<string>(keyNames);
const LATEST = 8.64e15;

/**
 * What was parsed from JSON as a record, with unknown members left behind; undefined when it is none or exceeds a
 * bound. By hand because it runs for every event of every service.
 */
export function readRecord(value: unknown): LogRecord | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const raw = value as Record<string, unknown>;
  const keys = readKeys(raw.keys);
  const flags = readWords(raw.flags, EVENT_BOUNDS.flags, EVENT_BOUNDS.word);
  if (keys === undefined || flags === undefined) return undefined;
  if (!isTime(raw.time) || !KIND.has(raw.kind) || !LEVEL.has(raw.level)) return undefined;
  if (!(isText(raw.component, EVENT_BOUNDS.word) && isText(raw.provider, EVENT_BOUNDS.word)))
    return undefined;
  if (!(isText(raw.name, EVENT_BOUNDS.word) && isText(raw.text, EVENT_BOUNDS.text))) return undefined;
  const record: Record<string, unknown> = {
    time: raw.time,
    component: raw.component,
    provider: raw.provider,
    level: raw.level,
    kind: raw.kind,
    name: raw.name,
    flags,
    text: raw.text,
    keys,
  };
  return addOptional(raw, record) ? (record as unknown as LogRecord) : undefined;
}

/** The same for a note. */
export function readNote(value: unknown): LogNote | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { time, name, fields } = value as Record<string, unknown>;
  const known = readFields(fields);
  if (!isTime(time) || !isText(name, EVENT_BOUNDS.word) || known === undefined) return undefined;
  return { time, name, fields: known };
}

/** The same for one that comes from an agent. */
export function readEvent(value: unknown): LogEvent | undefined {
  const record = readRecord(value);
  if (record === undefined) return undefined;
  const { sequence, node, service } = value as Record<string, unknown>;
  if (!Number.isSafeInteger(sequence) || (sequence as number) < 0) return undefined;
  if (!isText(node, EVENT_BOUNDS.node) || !isText(service, EVENT_BOUNDS.word)) return undefined;
  return { ...record, sequence: sequence as number, node, service };
}

function addOptional(raw: Record<string, unknown>, record: Record<string, unknown>): boolean {
  for (const [name, longest] of OPTIONAL) {
    const value = raw[name];
    if (value === undefined) continue;
    if (!isText(value, longest)) return false;
    record[name] = value;
  }
  if (raw.direction !== undefined) {
    if (raw.direction !== 'in' && raw.direction !== 'out') return false;
    record.direction = raw.direction;
  }
  if (raw.fields === undefined) return true;
  const fields = readFields(raw.fields);
  record.fields = fields;
  return fields !== undefined;
}
const OPTIONAL = [
  ['connection', EVENT_BOUNDS.endpoint],
  ['local', EVENT_BOUNDS.endpoint],
  ['remote', EVENT_BOUNDS.endpoint],
  ['body', EVENT_BOUNDS.body],
] as const;

function readKeys(value: unknown): EventKeys | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const keys: Partial<Record<KeyName, readonly string[]>> = {};
  for (const name in value) {
    // One that this version does not know.
    if (!KEY.has(name)) continue;
    const values = readWords(
      (value as Record<string, unknown>)[name],
      EVENT_BOUNDS.keyValues,
      EVENT_BOUNDS.keyValue,
    );
    if (values === undefined) return undefined;
    keys[name as KeyName] = values;
  }
  return keys;
}

function readWords(value: unknown, most: number, longest: number): readonly string[] | undefined {
  if (!Array.isArray(value) || value.length > most) return undefined;
  for (const item of value as unknown[]) if (!isText(item, longest)) return undefined;
  return value as string[];
}

/** Every name in it is its own: it comes from JSON. */
function readFields(value: unknown): Record<string, EventField> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const fields = value as Record<string, unknown>;
  let count = 0;
  for (const name in fields) {
    count += 1;
    if (count > EVENT_BOUNDS.fields || name.length > EVENT_BOUNDS.word) return undefined;
    const field = fields[name];
    const good =
      typeof field === 'boolean' ||
      (typeof field === 'number' && Number.isFinite(field)) ||
      isText(field, EVENT_BOUNDS.fieldValue);
    if (!good) return undefined;
  }
  return fields as Record<string, EventField>;
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= LATEST;
}
function isText(value: unknown, longest: number): value is string {
  return typeof value === 'string' && value.length <= longest;
}

/** Text that fits, with the number of characters that were left out behind it. */
export function cutText(text: string, longest: number): string {
  if (text.length <= longest) return text;
  const room = longest - 24;
  // Never between the halves of a character.
  const end = /[\uD800-\uDBFF]/.test(text[room - 1] ?? '') ? room - 1 : room;
  return `${text.slice(0, end)}… [${text.length - end} more]`;
}

/** A record of any size, cut to the bounds; the same object when it is within them. */
export function boundRecord(record: LogRecord): LogRecord {
  if (isBounded(record)) return record;
  const { word, endpoint } = EVENT_BOUNDS;
  const short = (text: string | undefined, longest: number) =>
    text === undefined ? undefined : cutText(text, longest);
  const keys = Object.entries(record.keys).map(([name, values]) => [
    name,
    values.slice(0, EVENT_BOUNDS.keyValues).map((value) => value.slice(0, EVENT_BOUNDS.keyValue)),
  ]);
  return {
    ...record,
    component: record.component.slice(0, word),
    name: record.name.slice(0, word),
    flags: record.flags.slice(0, EVENT_BOUNDS.flags),
    text: cutText(record.text, EVENT_BOUNDS.text),
    connection: record.connection?.slice(0, endpoint),
    local: record.local?.slice(0, endpoint),
    remote: record.remote?.slice(0, endpoint),
    keys: Object.fromEntries(keys) as EventKeys,
    body: short(record.body, EVENT_BOUNDS.body),
    fields: record.fields === undefined ? undefined : boundFields(record.fields),
  };
}

/** By hand because it runs for every event. */
function isBounded(record: LogRecord): boolean {
  const { word, endpoint, flags, text, body, keyValue, keyValues } = EVENT_BOUNDS;
  for (const name in record.keys) {
    const values = record.keys[name as KeyName] ?? [];
    if (values.length > keyValues) return false;
    for (const value of values) if (value.length > keyValue) return false;
  }
  return (
    record.component.length <= word &&
    record.name.length <= word &&
    record.flags.length <= flags &&
    record.text.length <= text &&
    lengthOf(record.connection) <= endpoint &&
    lengthOf(record.local) <= endpoint &&
    lengthOf(record.remote) <= endpoint &&
    lengthOf(record.body) <= body &&
    (record.fields === undefined || areFieldsBounded(record.fields))
  );
}
function lengthOf(text: string | undefined): number {
  return text === undefined ? 0 : text.length;
}

/** Fields cut to the bounds; the same object when they are within them. */
export function boundFields(
  fields: Readonly<Record<string, EventField>>,
): Readonly<Record<string, EventField>> {
  if (areFieldsBounded(fields)) return fields;
  const entries = Object.entries(fields).slice(0, EVENT_BOUNDS.fields);
  return Object.fromEntries(
    entries.map(([name, value]) => [
      name.slice(0, EVENT_BOUNDS.word),
      typeof value === 'string' ? cutText(value, EVENT_BOUNDS.fieldValue) : value,
    ]),
  );
}

function areFieldsBounded(fields: Readonly<Record<string, EventField>>): boolean {
  let count = 0;
  for (const name in fields) {
    count += 1;
    const value = fields[name];
    if (count > EVENT_BOUNDS.fields || name.length > EVENT_BOUNDS.word) return false;
    if (typeof value === 'string' && value.length > EVENT_BOUNDS.fieldValue) return false;
  }
  return true;
}
