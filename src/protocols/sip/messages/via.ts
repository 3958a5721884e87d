import { err, ok, type Result } from '#kernel';
import { consistsOf, DIGIT, endOfToken, skipSpace, TOKEN } from './characters.ts';
import { trimSpace } from './header-value.ts';
import { formatParameters, type ParameterProblem, type Parameters, parseParameters } from './parameters.ts';
import { parseHostPort } from './uri.ts';

/** One Via value (RFC 3261 §20.42, RFC 3581). */
export interface Via {
  /** Protocol name and version, `SIP/2.0`. */
  readonly protocol: string;
  /** Upper case: `UDP`, `TCP`, `TLS`, `WSS` ... */
  readonly transport: string;
  /** sent-by, lower case; an IPv6 address in its brackets. */
  readonly host: string;
  readonly port?: number | undefined;
  readonly branch?: string | undefined;
  readonly received?: string | undefined;
  /** True when asked for without a value, else the port. */
  readonly rport?: number | true | undefined;
  /** All parameters, those above included. */
  readonly parameters: Parameters;
}

type ViaProblem = ParameterProblem | 'sent-protocol' | 'host' | 'port' | 'branch' | 'rport';

/** Parses one value of a Via header. */
export function parseVia(text: string): Result<Via, ViaProblem> {
  const sent = text.startsWith(USUAL) ? { protocol: PROTOCOL, end: USUAL.length } : parseProtocol(text);
  if (sent === undefined) return err('sent-protocol');
  const transportStart = skipSpace(text, sent.end);
  const at = endOfToken(text, transportStart);
  const hostStart = skipSpace(text, at);
  if (hostStart === at) return err('sent-protocol');
  const transport = transportOf(text.slice(transportStart, at));
  const semicolon = text.indexOf(';', hostStart);
  const hostEnd = semicolon < 0 ? text.length : semicolon;
  const sentBy = parseSentBy(text, hostStart, hostEnd);
  if (typeof sentBy === 'string') return err(sentBy);
  const parameters = parseParameters(text, hostEnd);
  if (typeof parameters === 'string') return err(parameters);
  return withParameters(sent.protocol, transport, sentBy, parameters);
}

const PROTOCOL = 'SIP/2.0';
const USUAL = 'SIP/2.0/';

/** Protocol name and version, which white space may surround; `end` is behind the second slash. */
function parseProtocol(text: string): { readonly protocol: string; readonly end: number } | undefined {
  const slash = text.indexOf('/');
  const second = text.indexOf('/', slash + 1);
  if (slash < 0 || second < 0) return undefined;
  const name = trimSpace(text.slice(0, slash));
  const version = trimSpace(text.slice(slash + 1, second));
  if (!isTokenText(name) || !isTokenText(version)) return undefined;
  const usual = name === 'SIP' && version === '2.0';
  return { protocol: usual ? PROTOCOL : `${name.toUpperCase()}/${version}`, end: second + 1 };
}

function transportOf(written: string): string {
  return written === 'TLS' ? written : written.toUpperCase();
}

function withParameters(
  protocol: string,
  transport: string,
  { host, port }: { readonly host: string; readonly port: number | undefined },
  parameters: Parameters,
): Result<Via, ViaProblem> {
  const branch = parameters.get('branch');
  if (branch === undefined ? parameters.has('branch') : !isTokenText(branch)) return err('branch');
  const rport = parseRport(parameters);
  if (rport === 'rport') return err('rport');
  const received = parameters.get('received');
  return ok({ protocol, transport, host, port, branch, received, rport, parameters });
}

function isTokenText(text: string): boolean {
  return consistsOf(text, 0, text.length, TOKEN);
}

/** sent-by; unlike in a URI, white space may stand around the colon. */
function parseSentBy(text: string, start: number, end: number): ReturnType<typeof parseHostPort> {
  let last = end;
  while (last > start && text.charCodeAt(last - 1) <= 0x20) last--;
  const direct = parseHostPort(text, start, last);
  if (typeof direct !== 'string') return direct;
  const colon = text.lastIndexOf(':', last);
  if (colon <= start) return direct;
  const tight = `${trimSpace(text.slice(start, colon))}:${trimSpace(text.slice(colon + 1, last))}`;
  return parseHostPort(tight, 0, tight.length);
}

function parseRport(parameters: Parameters): number | true | undefined | 'rport' {
  const text = parameters.get('rport');
  if (text === undefined) return parameters.has('rport') ? true : undefined;
  if (text.length > 5 || !consistsOf(text, 0, text.length, DIGIT)) return 'rport';
  const port = Number(text);
  return port <= 65535 ? port : 'rport';
}

export function formatVia(via: Via): string {
  const port = via.port === undefined ? '' : `:${via.port}`;
  return `${via.protocol}/${via.transport} ${via.host}${port}${formatParameters(via.parameters)}`;
}
