import { isToken } from './characters.ts';
import { isAddress } from './name-address.ts';

export interface RequestLine {
  readonly kind: 'request';
  readonly method: string;
  readonly uri: string;
}
export interface StatusLine {
  readonly kind: 'response';
  readonly status: number;
  readonly reason: string;
}
/** Not usable; `method` is set when the line is a request's and its method could be read. */
export interface BadStartLine {
  readonly kind: 'bad';
  readonly problem: StartLineProblem;
  readonly method?: string | undefined;
}
export type StartLineProblem = 'not-sip' | 'version' | 'start-line' | 'request-uri' | 'status-code';

const VERSION = 'SIP/2.0';

/** RFC 3261 §7.1 and §7.2: single spaces, no white space inside the URI. */
export function parseStartLine(line: string): RequestLine | StatusLine | BadStartLine {
  if (line.startsWith('SIP/')) return parseStatusLine(line);
  const first = line.indexOf(' ');
  const last = line.lastIndexOf(' ');
  const method = line.slice(0, Math.max(first, 0));
  const version = line.slice(last + 1);
  if (last > first && version === VERSION && isToken(method)) {
    const uri = line.slice(first + 1, last);
    if (isAddress(uri, 0, uri.length)) return { kind: 'request', method, uri };
    return { kind: 'bad', problem: /[ \t]/.test(uri) ? 'start-line' : 'request-uri', method };
  }
  return badRequestLine(line, method, version);
}

function badRequestLine(line: string, method: string, version: string): BadStartLine {
  if (!isSipRequestLine(line) || !isToken(method)) return { kind: 'bad', problem: 'not-sip' };
  if (/^SIP\/\d+\.\d+$/i.test(version) && version.toUpperCase() !== VERSION) {
    return { kind: 'bad', problem: 'version', method };
  }
  return { kind: 'bad', problem: 'start-line', method };
}

/** Something that means to be a SIP request, however badly it is written. */
function isSipRequestLine(line: string): boolean {
  return /[ \t]SIP\/\d+\.\d+[ \t]*$/i.test(line);
}

/** False when a first line shows that the peer does not speak SIP at all. */
export function looksLikeSip(line: string): boolean {
  return line.startsWith('SIP/') || isSipRequestLine(line);
}

function parseStatusLine(line: string): StatusLine | BadStartLine {
  if (!line.startsWith(`${VERSION} `)) return { kind: 'bad', problem: 'version' };
  const code = line.slice(8, 11);
  if (!/^[1-6][0-9]{2}$/.test(code)) return { kind: 'bad', problem: 'status-code' };
  if (line.length === 11) return { kind: 'response', status: Number(code), reason: '' };
  if (line.charCodeAt(11) !== 0x20) return { kind: 'bad', problem: 'status-code' };
  return { kind: 'response', status: Number(code), reason: line.slice(12) };
}
