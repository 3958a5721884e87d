import { type ConferencePublicKey, conferencePublicKey } from '#protocols/tokens';

/** Whether an end takes new participants. */
export type EndState = 'ready' | 'draining';

/** Where participants outside reach an edge. */
export interface OutsidePlace {
  /** Host name, as its certificate has it. */
  readonly host: string;
  readonly port: number;
}

/** What an edge says of itself. */
export interface EdgeHello {
  readonly edge: string;
  readonly place: OutsidePlace;
  readonly state: EndState;
  /** The keys of the other end that it checks tokens with, as that wrote them; undefined before it was told any. */
  readonly keys?: readonly string[] | undefined;
}

/** What a service says of itself. */
export interface ServiceHello {
  /** Its host name: the node that its tokens name. */
  readonly node: string;
  /** That its tokens can be checked with, 32 bytes each; 1 to 4. */
  readonly keys: readonly Uint8Array[];
  /** Its clock, milliseconds since 1970. */
  readonly clock: number;
  readonly state: EndState;
}
/** As an edge has read it. */
export interface ReadServiceHello extends Omit<ServiceHello, 'keys'> {
  readonly keys: readonly ConferencePublicKey[];
  /** The same as they were written. */
  readonly keyTexts: readonly string[];
}

/** Longest line of a service, in characters. */
export const MOST_LINE = 4096;
const MOST_KEYS = 4;
const HOST = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;
const PLACE = /^([^:]{1,253}):([1-9]\d{0,4})$/;
const UINT48 = 2 ** 48;

export function edgeHelloHeaders({ edge, place, state, keys }: EdgeHello): Record<string, string> {
  return {
    'sallyport-edge': edge,
    'sallyport-place': `${place.host}:${place.port}`,
    'sallyport-state': state,
    ...(keys === undefined ? {} : { 'sallyport-keys': keys.join(',') }),
  };
}

/** Undefined when a field is missing or is not what an edge of ours would write. */
export function readEdgeHello(headers: Readonly<Record<string, unknown>>): EdgeHello | undefined {
  const names = ['edge', 'place', 'state', 'keys'] as const;
  const [edge, place, state, keyList] = names.map((name) => headers[`sallyport-${name}`]);
  if (typeof edge !== 'string' || !HOST.test(edge) || typeof place !== 'string') return undefined;
  const [, host = '', digits = ''] = PLACE.exec(place) ?? [];
  const port = Number(digits);
  if (!HOST.test(host) || port < 1 || port > 65_535 || !isState(state)) return undefined;
  const said = { edge, place: { host, port }, state };
  if (keyList === undefined) return said;
  const keys = typeof keyList === 'string' ? keyList.split(',') : [];
  return readKeys(keys) === undefined ? undefined : { ...said, keys };
}

export function serviceHelloLine({ node, keys, clock, state }: ServiceHello): string {
  const texts = keys.map((key) => Buffer.from(key).toString('base64'));
  return `${JSON.stringify({ node, keys: texts, clock, state })}\n`;
}

/** Undefined when it is no line that a service of ours would write; members that are not known are passed over. */
export function readServiceHello(line: string): ReadServiceHello | undefined {
  if (line.length > MOST_LINE) return undefined;
  const said = objectOf(line);
  if (said === undefined) return undefined;
  const { node, clock, state } = said;
  const keys = readKeys(said.keys);
  if (typeof node !== 'string' || !HOST.test(node) || !isState(state) || keys === undefined) return undefined;
  if (typeof clock !== 'number' || !Number.isInteger(clock) || clock < 0 || clock >= UINT48) return undefined;
  return { node, keys, keyTexts: said.keys as string[], clock, state };
}

function readKeys(texts: unknown): ConferencePublicKey[] | undefined {
  if (!Array.isArray(texts) || texts.length < 1 || texts.length > MOST_KEYS) return undefined;
  const keys: ConferencePublicKey[] = [];
  for (const text of texts as unknown[]) {
    if (typeof text !== 'string') return undefined;
    const bytes = Buffer.from(text, 'base64');
    const key = bytes.toString('base64') === text ? conferencePublicKey(bytes) : undefined;
    if (key === undefined) return undefined;
    keys.push(key);
  }
  return keys;
}

function objectOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function isState(value: unknown): value is EndState {
  return value === 'ready' || value === 'draining';
}
