import { err, ok, type Result } from '#kernel';
import type { SdpAttribute, SdpConnection, SdpMedia, SdpOrigin, SessionDescription } from './types.ts';

export interface SdpLimits {
  /** Octets of the whole description. */
  readonly bytes: number;
  readonly lines: number;
  /** `m=` sections. */
  readonly media: number;
  /** Formats of one `m=` line. */
  readonly formats: number;
}

export const sdpLimits: SdpLimits = { bytes: 32_768, lines: 1024, media: 32, formats: 64 };

/** Why a description is not read. */
export type SdpDrop =
  | 'too-large'
  | 'too-many-lines'
  | 'too-many-media'
  | 'too-many-formats'
  /** Not UTF-8, or a control character. */
  | 'characters'
  /** A line that is not a letter, `=` and a value. */
  | 'line'
  /** v, o, s or t absent, doubled or out of place. */
  | 'order'
  | 'version'
  | 'origin'
  | 'connection'
  | 'media'
  | 'attribute';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** RFC 8866 §9 token, for attribute names, media kinds and formats. */
const TOKEN = /^[\x21\x23-\x27\x2a\x2b\x2d\x2e\x30-\x39\x41-\x5a\x5e-\x7e]+$/;
const DIGITS = /^\d{1,32}$/;
const KNOWN_TYPES = 'vosiuepcbtrzkam';

/** The section that lines are read into: the session first, then one media section after the other. */
interface Section {
  connection: SdpConnection | undefined;
  readonly attributes: SdpAttribute[];
  readonly media: Pick<SdpMedia, 'kind' | 'port' | 'protocol' | 'formats' | 'portCount'> | undefined;
}

interface Draft {
  origin: SdpOrigin | undefined;
  name: string | undefined;
  readonly times: string[];
  readonly sections: [Section, ...Section[]];
}

/** Reads a session description (RFC 8866); line ends are CRLF, a bare LF is taken too (§5). */
export function parseSdp(
  bytes: Uint8Array,
  limits: SdpLimits = sdpLimits,
): Result<SessionDescription, SdpDrop> {
  if (bytes.length > limits.bytes) return err('too-large');
  const text = bytes.some(isControl) ? undefined : decode(bytes);
  if (text === undefined) return err('characters');
  const lines = text.split('\n', limits.lines + 2);
  if (lines.at(-1) === '') lines.pop();
  if (lines.length > limits.lines) return err('too-many-lines');
  const draft: Draft = {
    origin: undefined,
    name: undefined,
    times: [],
    sections: [{ connection: undefined, attributes: [], media: undefined }],
  };
  for (const [index, raw] of lines.entries()) {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (line[1] !== '=' || line.includes('\r')) return err('line');
    const drop = readLine(draft, index, line.charAt(0), line.slice(2), limits);
    if (drop !== undefined) return err(drop);
  }
  return finish(draft);
}

/** Other than tab and line ends. */
function isControl(octet: number): boolean {
  return octet === 0x7f || (octet < 0x20 && octet !== 0x09 && octet !== 0x0a && octet !== 0x0d);
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * v, o and s are the first three lines (RFC 8866 §5); what follows may stand in any order within its section.
 */
function readLine(
  draft: Draft,
  index: number,
  type: string,
  value: string,
  limits: SdpLimits,
): SdpDrop | undefined {
  if ('vos'.indexOf(type) !== (index < 3 ? index : -1)) return 'order';
  const section = draft.sections.at(-1) ?? draft.sections[0];
  switch (type) {
    case 'v':
      return value === '0' ? undefined : 'version';
    case 'o':
      draft.origin = readOrigin(value);
      return draft.origin === undefined ? 'origin' : undefined;
    case 's':
      draft.name = value;
      return undefined;
    case 't':
      draft.times.push(value);
      return section.media === undefined && /^\d{1,20} \d{1,20}$/.test(value) ? undefined : 'order';
    case 'c':
      // A media section may repeat it for layered multicast (RFC 8866 §5.7): the first one counts.
      section.connection ??= readConnection(value);
      return section.connection === undefined ? 'connection' : undefined;
    case 'a':
      return readAttribute(section, value);
    case 'm':
      return readMedia(draft, value, limits);
    default:
      return KNOWN_TYPES.includes(type) ? undefined : 'line';
  }
}

function readOrigin(value: string): SdpOrigin | undefined {
  const parts = value.split(' ');
  const [username, sessionId, sessionVersion] = parts;
  const address = readConnection(parts.slice(3).join(' '));
  if (!username || sessionId === undefined || sessionVersion === undefined || address === undefined)
    return undefined;
  if (!DIGITS.test(sessionId) || !DIGITS.test(sessionVersion)) return undefined;
  return { username, sessionId, sessionVersion, address };
}

function readConnection(value: string): SdpConnection | undefined {
  const match = /^IN (IP4|IP6) (\S{1,255})$/.exec(value);
  if (match === null) return undefined;
  return { addressType: match[1] === 'IP6' ? 'IP6' : 'IP4', address: match[2] ?? '' };
}

function readAttribute(section: Section, line: string): SdpDrop | undefined {
  const colon = line.indexOf(':');
  const name = colon < 0 ? line : line.slice(0, colon);
  if (!TOKEN.test(name)) return 'attribute';
  section.attributes.push(colon < 0 ? { name } : { name, value: line.slice(colon + 1) });
  return undefined;
}

function readMedia(draft: Draft, line: string, limits: SdpLimits): SdpDrop | undefined {
  if (draft.sections.length > limits.media) return 'too-many-media';
  const [kind = '', ports = '', protocol = '', ...formats] = line.split(' ', limits.formats + 4);
  if (formats.length > limits.formats) return 'too-many-formats';
  const match = /^(\d{1,5})(?:\/(\d{1,5}))?$/.exec(ports);
  const port = Number(match?.[1] ?? Number.NaN);
  if (!(port <= 65_535) || !TOKEN.test(kind) || formats.length === 0) return 'media';
  if (!protocol.split('/').every((part) => TOKEN.test(part)) || !formats.every((each) => TOKEN.test(each))) {
    return 'media';
  }
  const media = { kind, port, protocol, formats };
  const count = match?.[2];
  draft.sections.push({
    connection: undefined,
    attributes: [],
    media: count === undefined ? media : { ...media, portCount: Number(count) },
  });
  return undefined;
}

function finish(draft: Draft): Result<SessionDescription, SdpDrop> {
  const { origin, name, times } = draft;
  const [session, ...sections] = draft.sections;
  if (origin === undefined || name === undefined || times.length === 0) return err('order');
  const media: SdpMedia[] = [];
  for (const { media: line, connection, attributes } of sections) {
    if (line === undefined) continue;
    // RFC 8866 §5.7: an address for the session, or one for each media section.
    if (connection === undefined && session.connection === undefined) return err('connection');
    media.push({ ...line, ...(connection === undefined ? {} : { connection }), attributes });
  }
  const { connection, attributes } = session;
  return ok({ origin, name, ...(connection === undefined ? {} : { connection }), times, attributes, media });
}
