/** A media type (RFC 2045 §5.1), lower case, with its parameters as they stand. */
export interface MediaType {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const TYPE = /^([a-z0-9!#$&^_.+-]{1,127}\/[a-z0-9!#$&^_.+-]{1,127})[ \t]*(?:;|$)/i;
const PARAMETER = /;[ \t]*([a-z0-9!#$&^_.+-]{1,64})=(?:"((?:[^"\\]|\\.){0,256})"|([^\s;"]{1,256}))/gi;

export function parseMediaType(text: string | undefined): MediaType | undefined {
  const found = text === undefined || text.length > 1024 ? null : TYPE.exec(text.trim());
  if (text === undefined || found?.[1] === undefined) return undefined;
  const parameters = new Map<string, string>();
  for (const [, name = '', quoted, plain] of text.matchAll(PARAMETER)) {
    const key = name.toLowerCase();
    if (!parameters.has(key)) parameters.set(key, quoted?.replace(/\\(.)/g, '$1') ?? plain ?? '');
  }
  return { type: found[1].toLowerCase(), parameters };
}

/** A part with its header fields, names in lower case. */
export interface MimePart {
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/** What makes a body of another form unreadable here. */
const MOST_PARTS = 16;
const MOST_HEADERS = 32;
const LONGEST_HEADERS = 4096;

/** The parts of a multipart body (RFC 2046 §5.1.1); undefined when it is not one, or has too many parts. */
export function partsOf(body: Buffer, boundary: string): MimePart[] | undefined {
  if (boundary === '' || boundary.length > 70) return undefined;
  const text = `\r\n${body.toString('latin1')}`;
  const pieces = text.split(`\r\n--${boundary}`);
  if (pieces.length < 3 || pieces.length > MOST_PARTS + 2) return undefined;
  if (!pieces.at(-1)?.startsWith('--')) return undefined;
  const parts: MimePart[] = [];
  for (const piece of pieces.slice(1, -1)) {
    const line = /^[ \t]*\r\n/.exec(piece);
    const part = line === null ? undefined : partOf(piece.slice(line[0].length));
    if (part === undefined) return undefined;
    parts.push(part);
  }
  return parts;
}

/** Header fields, an empty line, the rest; `text` is one character an octet. */
export function partOf(text: string): MimePart | undefined {
  const empty = text.startsWith('\r\n');
  const end = empty ? 0 : text.indexOf('\r\n\r\n');
  if (end < 0 || end > LONGEST_HEADERS) return undefined;
  const headers = new Map<string, string>();
  const lines = empty ? [] : text.slice(0, end).split('\r\n');
  if (lines.length > MOST_HEADERS) return undefined;
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon <= 0) return undefined;
    const name = line.slice(0, colon).trim().toLowerCase();
    if (!headers.has(name)) headers.set(name, utf8(line.slice(colon + 1).trim()));
  }
  return { headers, body: Buffer.from(text.slice(empty ? 2 : end + 4), 'latin1') };
}

function utf8(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8');
}

/** Text in one of the character sets that clients use for it; undefined for another one, or what is none. */
export function decodeText(body: Uint8Array, { parameters }: MediaType): string | undefined {
  const charset = (parameters.get('charset') ?? 'utf-8').toLowerCase();
  if (!['utf-8', 'us-ascii', 'iso-8859-1', 'utf-16'].includes(charset)) return undefined;
  const label = charset === 'us-ascii' ? 'utf-8' : charset;
  try {
    return new TextDecoder(label, { fatal: true }).decode(body);
  } catch {
    return undefined;
  }
}
