import { err, ok, RecentMap, type Result } from '#kernel';
import { consistsOf, DIGIT, HOST, PASSWORD, URI_HEADER, URI_PARAMETER, USER } from './characters.ts';
import { lowerCase, noParameters, type Parameters } from './parameters.ts';

/** A SIP or SIPS URI (RFC 3261 §19.1). Escapes (%40) are kept as written everywhere. */
export interface SipUri {
  readonly scheme: 'sip' | 'sips';
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** Lower case; an IPv6 address in its brackets. */
  readonly host: string;
  /** 1..65535; undefined when not written. */
  readonly port?: number | undefined;
  readonly parameters: Parameters;
  /** The part behind `?`, name and value as written. */
  readonly headers?: readonly (readonly [name: string, value: string])[] | undefined;
}

export type UriProblem =
  | 'unsupported-scheme'
  | 'user'
  | 'host'
  | 'port'
  | 'escape'
  | 'uri-parameter'
  | 'duplicate-parameter'
  | 'uri-header';

/** Parses a `sip:` or `sips:` URI; another scheme is `unsupported-scheme` (status 416 in a Request-URI). */
export function parseSipUri(text: string): Result<SipUri, UriProblem> {
  const scheme = schemeOf(text);
  if (scheme === undefined) return err('unsupported-scheme');
  const start = scheme.length + 1;
  if (text.includes('%') && BAD_ESCAPE.test(text)) return err('escape');
  // '@' is legal nowhere behind the user part, ';' and '?' are legal inside it: the first '@' decides.
  const at = text.indexOf('@', start);
  const user = at < 0 ? undefined : parseUser(text.slice(start, at));
  if (at >= 0 && user === undefined) return err('user');
  const hostStart = at < 0 ? start : at + 1;
  const question = text.indexOf('?', hostStart);
  const tail = question < 0 ? text.length : question;
  const semicolon = text.indexOf(';', hostStart);
  const hostEnd = semicolon < 0 || semicolon > tail ? tail : semicolon;
  const hostPort = parseHostPort(text, hostStart, hostEnd);
  if (typeof hostPort === 'string') return err(hostPort);
  const parameters = hostEnd === tail ? noParameters : parseUriParameters(text.slice(hostEnd + 1, tail));
  if (typeof parameters === 'string') return err(parameters);
  const headers = question < 0 ? undefined : parseUriHeaders(text.slice(question + 1));
  if (question >= 0 && headers === undefined) return err('uri-header');
  const { host, port } = hostPort;
  return ok({ scheme, user: user?.user, password: user?.password, host, port, parameters, headers });
}

/** Entries of one generation, and the longest text that is worth one. */
const REMEMBERED = 2048;
const LONGEST_REMEMBERED = 128;
const recent = new RecentMap<string, Result<SipUri, UriProblem>>(REMEMBERED);

/** The same for the URIs of messages, which come again and again. */
export function recentSipUri(text: string): Result<SipUri, UriProblem> {
  const known = recent.get(text);
  if (known !== undefined) return known;
  const parsed = parseSipUri(text);
  if (text.length <= LONGEST_REMEMBERED) recent.set(text, parsed);
  return parsed;
}

const BAD_ESCAPE = /%(?![0-9A-Fa-f]{2})/;

function schemeOf(text: string): 'sip' | 'sips' | undefined {
  if (text.startsWith('sip:')) return 'sip';
  if (text.startsWith('sips:')) return 'sips';
  const colon = text.indexOf(':');
  if (colon !== 3 && colon !== 4) return undefined;
  const scheme = text.slice(0, colon).toLowerCase();
  return scheme === 'sip' || scheme === 'sips' ? scheme : undefined;
}

function parseUser(text: string): { user: string; password?: string } | undefined {
  const colon = text.indexOf(':');
  const end = colon < 0 ? text.length : colon;
  if (!consistsOf(text, 0, end, USER)) return undefined;
  if (colon < 0) return { user: text };
  const password = text.slice(colon + 1);
  if (password !== '' && !consistsOf(password, 0, password.length, PASSWORD)) return undefined;
  return { user: text.slice(0, colon), password };
}

/** Parses `host [":" port]` in `text[start..end)`; the problem's name when it is neither. */
export function parseHostPort(
  text: string,
  start: number,
  end: number,
): { readonly host: string; readonly port: number | undefined } | 'host' | 'port' {
  let hostEnd = end;
  if (text.charCodeAt(start) === 0x5b) {
    const close = text.indexOf(']', start);
    if (close < 0 || close >= end) return 'host';
    if (!IPV6.test(text.slice(start + 1, close))) return 'host';
    hostEnd = close + 1;
    if (hostEnd < end && text.charCodeAt(hostEnd) !== 0x3a) return 'host';
  } else {
    const colon = text.indexOf(':', start);
    if (colon >= 0 && colon < end) hostEnd = colon;
    if (!consistsOf(text, start, hostEnd, HOST)) return 'host';
  }
  const host = lowerCase(text, start, hostEnd);
  if (hostEnd === end) return { host, port: undefined };
  const port = parsePort(text, hostEnd + 1, end);
  return port === undefined ? 'port' : { host, port };
}

// The shape only: whoever turns a host into an address parses it for real.
const IPV6 = /^[0-9A-Fa-f:.]{2,45}$/;

function parsePort(text: string, start: number, end: number): number | undefined {
  if (end - start > 5 || !consistsOf(text, start, end, DIGIT)) return undefined;
  const port = Number(text.slice(start, end));
  return port >= 1 && port <= 65535 ? port : undefined;
}

function parseUriParameters(text: string): Parameters | 'uri-parameter' | 'duplicate-parameter' {
  const parameters = new Map<string, string | undefined>();
  for (const part of text.split(';')) {
    const equals = part.indexOf('=');
    const nameEnd = equals < 0 ? part.length : equals;
    if (!consistsOf(part, 0, nameEnd, URI_PARAMETER)) return 'uri-parameter';
    const name = part.slice(0, nameEnd).toLowerCase();
    if (parameters.has(name)) return 'duplicate-parameter';
    if (equals >= 0 && !consistsOf(part, equals + 1, part.length, URI_PARAMETER)) return 'uri-parameter';
    parameters.set(name, equals < 0 ? undefined : part.slice(equals + 1));
  }
  return parameters;
}

function parseUriHeaders(text: string): (readonly [string, string])[] | undefined {
  const headers: (readonly [string, string])[] = [];
  for (const part of text.split('&')) {
    const equals = part.indexOf('=');
    if (!consistsOf(part, 0, equals, URI_HEADER)) return undefined;
    if (equals + 1 < part.length && !consistsOf(part, equals + 1, part.length, URI_HEADER)) return undefined;
    headers.push([part.slice(0, equals), part.slice(equals + 1)]);
  }
  return headers;
}

/**
 * The URI as text. Parts are written as they stand: whoever fills in a user escapes it ({@link escapeUser}).
 */
export function formatSipUri(uri: SipUri): string {
  let text = `${uri.scheme}:`;
  if (uri.user !== undefined) {
    text += uri.password === undefined ? `${uri.user}@` : `${uri.user}:${uri.password}@`;
  }
  text += uri.host;
  if (uri.port !== undefined) text += `:${uri.port}`;
  for (const [name, value] of uri.parameters) text += value === undefined ? `;${name}` : `;${name}=${value}`;
  if (uri.headers !== undefined)
    text += `?${uri.headers.map(([name, value]) => `${name}=${value}`).join('&')}`;
  return text;
}

/** Any text as the user part of a SIP URI: what the grammar does not allow there is written as %HH. */
export function escapeUser(text: string): string {
  return encodeURIComponent(text).replace(/%(26|3D|2B|24|2C|3B|3F|2F)/g, (written) =>
    decodeURIComponent(written),
  );
}
