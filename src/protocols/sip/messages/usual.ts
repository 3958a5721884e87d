import { classes, DIGIT, HOST, numberIn, TOKEN, URI } from './characters.ts';
import type { CSeq } from './cseq.ts';
import type { Head } from './head.ts';
import type { NameAddress } from './name-address.ts';
import { noParameters, plainValue, unreadParameters } from './parameters.ts';
import { RecentTexts, textHashStep } from './recent-texts.ts';
import type { RequestLine, StatusLine } from './start-line.ts';
import type { Via } from './via.ts';

/*
 * The values that every message has, read from its octets where they are written as nearly everybody writes them: no folding, no
 * white space where none is needed, nothing quoted but a display name. `undefined` says only that this is something else: then
 * via.ts, name-address.ts, cseq.ts and start-line.ts read it. What these functions do accept, those accept as well, and make the same of it
 * (usual.test.ts); reading octets costs a third of reading text that was cut from other text.
 */

const TAB = 0x09;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const SLASH = 0x2f;
const COLON = 0x3a;
const SEMICOLON = 0x3b;
const LESS = 0x3c;
const EQUALS = 0x3d;
const GREATER = 0x3e;
const OPEN = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE = 0x5d;

const octetsOf = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
const SIP = octetsOf('SIP/2.0');

/** Spellings that are not made anew for each message. */
class Words {
  readonly #byLength: { readonly octets: Uint8Array; readonly text: string }[][] = [];

  constructor(texts: readonly string[]) {
    for (const text of texts) {
      this.#byLength[text.length] ??= [];
      this.#byLength[text.length]?.push({ octets: octetsOf(text), text });
    }
  }
  text(head: Head, start: number, end: number): string {
    const known = this.#byLength[end - start];
    if (known !== undefined) {
      for (const { octets, text } of known) if (isAt(head.bytes, start, octets)) return text;
    }
    return head.text(start, end);
  }
}
const methods = new Words([
  ...['INVITE', 'ACK', 'BYE', 'CANCEL', 'REGISTER', 'OPTIONS', 'INFO', 'PRACK', 'UPDATE', 'MESSAGE', 'REFER'],
  ...['SUBSCRIBE', 'NOTIFY', 'PUBLISH', 'SERVICE', 'BENOTIFY'],
]);
const transports = new Words(['TLS', 'TCP', 'UDP', 'WSS', 'WS']);
const reasons = new Words(['OK', 'Trying', 'Ringing', 'Unauthorized', 'Accepted', 'Not Found']);
/** URIs of requests and of their parties, and hosts of Vias in lower case: a connection repeats a handful of them. */
const uris = new RecentTexts(2048);
const hosts = new RecentTexts(1024);

function isAt(bytes: Uint8Array, start: number, octets: Uint8Array): boolean {
  for (let i = 0; i < octets.length; i++) if (bytes[start + i] !== octets[i]) return false;
  return true;
}

function endOf(flag: number, bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && (classes[bytes[at]!]! & flag) !== 0) at++;
  return at;
}
function skipBlank(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && (bytes[at] === SPACE || bytes[at] === TAB)) at++;
  return at;
}

/** RFC 3261 §7.1 and §7.2. */
export function usualStartLine(head: Head): RequestLine | StatusLine | undefined {
  const { bytes, startLineEnd } = head;
  if (isAt(bytes, 0, SIP)) return usualStatusLine(head);
  const methodEnd = endOf(TOKEN, bytes, 0, startLineEnd);
  const uriStart = methodEnd + 1;
  const uriEnd = startLineEnd - SIP.length - 1;
  if (methodEnd === 0 || bytes[methodEnd] !== SPACE || uriEnd <= uriStart) return undefined;
  if (bytes[uriEnd] !== SPACE || !isAt(bytes, uriEnd + 1, SIP)) return undefined;
  let hash = 0;
  for (let at = uriStart; at < uriEnd; at++) hash = textHashStep(hash, bytes[at]!);
  const uri = uriText(head, uriStart, uriEnd, hash);
  return uri === undefined ? undefined : { kind: 'request', method: methods.text(head, 0, methodEnd), uri };
}

function usualStatusLine(head: Head): StatusLine | undefined {
  const { bytes, startLineEnd } = head;
  const at = SIP.length + 1;
  if (startLineEnd < at + 4 || bytes[at - 1] !== SPACE || bytes[at + 3] !== SPACE) return undefined;
  const status = numberIn(bytes, at, at + 3);
  if (status < 100 || status > 699) return undefined;
  return { kind: 'response', status, reason: reasons.text(head, at + 4, startLineEnd) };
}

/** The text of a URI; undefined for what is none. */
function uriText(head: Head, start: number, end: number, hash: number): string | undefined {
  const { bytes } = head;
  const known = uris.text(bytes, start, end, hash);
  if (known !== undefined) return known;
  return isUri(bytes, start, end)
    ? uris.learn(bytes, start, end, hash, bytes.toString('latin1', start, end))
    : undefined;
}
/** A URI as far as its characters go: a scheme, a colon, and something behind it. */
function isUri(bytes: Uint8Array, start: number, end: number): boolean {
  const letter = bytes[start]! | 0x20;
  const colon = endOf(TOKEN, bytes, start, end);
  if (letter < 0x61 || letter > 0x7a || bytes[colon] !== COLON || colon >= end - 1) return false;
  return endOf(URI, bytes, start, end) === end;
}

/** callid of RFC 3261 §25.1 as far as it is checked: visible ASCII. */
export function usualCallId(head: Head, field: number): string | undefined {
  const { bytes } = head;
  const end = head.valueEndAt(field);
  const start = head.valueStartAt(field);
  for (let at = start; at < end; at++) {
    const octet = bytes[at]!;
    if (octet <= SPACE || octet >= 0x7f) return undefined;
  }
  return end === start ? undefined : head.text(start, end);
}

/** RFC 3261 §20.16. */
export function usualCSeq(head: Head, field: number): CSeq | undefined {
  const { bytes } = head;
  const start = head.valueStartAt(field);
  const end = head.valueEndAt(field);
  const digits = endOf(DIGIT, bytes, start, end);
  const number = numberIn(bytes, start, digits);
  const method = skipBlank(bytes, digits, end);
  if (number < 0 || number >= 2 ** 31 || method === digits || method === end) return undefined;
  if (endOf(TOKEN, bytes, method, end) !== end) return undefined;
  return { number, method: methods.text(head, method, end) };
}

/** RFC 3261 §20.10, the URI in brackets. */
export function usualAddress(head: Head, field: number): NameAddress | undefined {
  if (head.isFolded(field)) return undefined;
  const { bytes } = head;
  const start = head.valueStartAt(field);
  const end = head.valueEndAt(field);
  let display: string | undefined;
  let open = start;
  if (bytes[start] === QUOTE) {
    const close = endOfPlainQuoted(bytes, start, end);
    if (close < 0) return undefined;
    display = head.text(start + 1, close);
    open = skipBlank(bytes, close + 1, end);
  }
  if (bytes[open] !== LESS) return undefined;
  let close = open + 1;
  let hash = 0;
  for (; close < end && bytes[close] !== GREATER; close++) hash = textHashStep(hash, bytes[close]!);
  const uri = close === end ? undefined : uriText(head, open + 1, close, hash);
  if (uri === undefined) return undefined;
  if (close + 1 === end) return { display, uri, parameters: noParameters, tag: undefined };
  if (scanParameters(bytes, close + 1, end) !== end) return undefined;
  const tag = contentOf(head, TAG);
  if (tag === UNUSUAL) return undefined;
  return { display, uri, parameters: unreadParameters(head.text(close + 1, end)), tag };
}

/** The closing quote of a quoted string without escapes and controls; -1 when it is another one. */
function endOfPlainQuoted(bytes: Uint8Array, open: number, end: number): number {
  for (let at = open + 1; at < end; at++) {
    const octet = bytes[at]!;
    if (octet === QUOTE) return at;
    if (octet === BACKSLASH || octet < SPACE) return -1;
  }
  return -1;
}

/** The values of one Via line (RFC 3261 §20.42), added to `into`; false, and nothing added, when not all of them are usual. */
export function usualVias(head: Head, field: number, into: Via[]): boolean {
  if (head.isFolded(field)) return false;
  const { bytes } = head;
  const end = head.valueEndAt(field);
  const before = into.length;
  for (let at = head.valueStartAt(field); ; at++) {
    at = usualVia(head, skipBlank(bytes, at, end), end, into);
    if (at >= 0) at = skipBlank(bytes, at, end);
    if (at === end) return true;
    if (at < 0 || bytes[at] !== COMMA) break;
  }
  into.length = before;
  return false;
}

/** Adds the value that begins at `start`; where it ends, or -1. */
function usualVia(head: Head, start: number, end: number, into: Via[]): number {
  const { bytes } = head;
  const name = start + SIP.length + 1;
  if (!isAt(bytes, start, SIP) || bytes[name - 1] !== SLASH) return -1;
  const nameEnd = endOf(TOKEN, bytes, name, end);
  const host = nameEnd + 1;
  if (nameEnd === name || bytes[nameEnd] !== SPACE) return -1;
  const hostEnd = endOfHost(bytes, host, end);
  if (hostEnd <= host) return -1;
  let port: number | undefined;
  let at = hostEnd;
  if (bytes[at] === COLON && at < end) {
    at = endOf(DIGIT, bytes, hostEnd + 1, end);
    port = numberIn(bytes, hostEnd + 1, at);
    if (port < 1 || port > 65535 || at - hostEnd > 6) return -1;
  }
  const last = scanParameters(bytes, at, end);
  if (last < 0) return -1;
  const branch = contentOf(head, BRANCH);
  const rport = rportOf(head);
  if (branch === UNUSUAL || rport === UNUSUAL) return -1;
  const via = {
    protocol: 'SIP/2.0',
    transport: upperCase(transports.text(head, name, nameEnd)),
    host: lowerHost(head, host, hostEnd),
    port,
    branch,
    received: textOf(head, RECEIVED),
    rport,
    parameters: last === at ? noParameters : unreadParameters(head.text(at, last)),
  };
  into.push(via);
  return last;
}

function endOfHost(bytes: Uint8Array, start: number, end: number): number {
  if (bytes[start] !== OPEN) return endOf(HOST, bytes, start, end);
  let at = start + 1;
  for (; at < end && bytes[at] !== CLOSE; at++) if (!isAddressOctet(bytes[at]!)) return -1;
  const length = at - start - 1;
  return at < end && length >= 2 && length <= 45 ? at + 1 : -1;
}
/** Of an IPv6 address. */
function isAddressOctet(octet: number): boolean {
  const letter = octet | 0x20;
  return (octet >= 0x30 && octet <= COLON) || octet === 0x2e || (letter >= 0x61 && letter <= 0x66);
}

function lowerHost(head: Head, start: number, end: number): string {
  const { bytes } = head;
  let hash = 0;
  for (let at = start; at < end; at++) hash = textHashStep(hash, bytes[at]!);
  const known = hosts.text(bytes, start, end, hash);
  if (known !== undefined) return known;
  return hosts.learn(bytes, start, end, hash, bytes.toString('latin1', start, end).toLowerCase());
}
function upperCase(text: string): string {
  return text === 'TLS' ? text : text.toUpperCase();
}

/** More are unusual. */
const MOST_PARAMETERS = 8;
/** Offsets of the parameters that were scanned last: begin and end of the name, begin and end of the content (0: none). */
const found = new Int32Array(4 * MOST_PARAMETERS);
let count = 0;
/** Which of them have a content that is a token, by bits. */
let tokens = 0;

/** Those that are asked for, and the slots in which they were found (-1: they were not). */
const names = ['tag', 'branch', 'rport', 'received'].map(octetsOf);
const [TAG, BRANCH, RPORT, RECEIVED] = [0, 1, 2, 3] as const;
const slots = new Int32Array(names.length);
/** By the length of a name, which of them it may be; their lengths differ. */
const nameByLength = new Int8Array(16).fill(-1);
for (const [index, { length }] of names.entries()) nameByLength[length] = index;

/** Finds the parameters from `start` on; where they end, or -1. No two have the same name. */
function scanParameters(bytes: Uint8Array, start: number, end: number): number {
  count = 0;
  tokens = 0;
  for (let index = 0; index < slots.length; index++) slots[index] = -1;
  let at = start;
  while (at < end && bytes[at] === SEMICOLON) {
    const name = at + 1;
    at = endOf(TOKEN, bytes, name, end);
    if (at === name || count === MOST_PARAMETERS || isFound(bytes, name, at)) return -1;
    noteName(bytes, name, at);
    const slot = 4 * count++;
    found[slot] = name;
    found[slot + 1] = at;
    found[slot + 2] = 0;
    if (at === end || bytes[at] !== EQUALS) continue;
    const content = ++at;
    let flags = TOKEN;
    for (; at < end; at++) {
      const octet = bytes[at]!;
      if (plainValue[octet] === 0) break;
      flags &= classes[octet]!;
    }
    if (at === content) return -1;
    if (flags !== 0) tokens |= 1 << (count - 1);
    found[slot + 2] = content;
    found[slot + 3] = at;
  }
  return at;
}

/** The parameter that comes next may be one of those that are asked for. */
function noteName(bytes: Uint8Array, start: number, end: number): void {
  const length = end - start;
  const index = length < nameByLength.length ? nameByLength[length]! : -1;
  if (index < 0) return;
  const name = names[index]!;
  for (let i = 0; i < length; i++) if (lower(bytes[start + i]!) !== name[i]) return;
  slots[index] = count;
}

function isFound(bytes: Uint8Array, start: number, end: number): boolean {
  for (let slot = 0; slot < 4 * count; slot += 4) {
    const other = found[slot]!;
    if (found[slot + 1]! - other !== end - start) continue;
    let at = start;
    while (at < end && lower(bytes[at]!) === lower(bytes[other + at - start]!)) at++;
    if (at === end) return true;
  }
  return false;
}
function lower(octet: number): number {
  return octet >= 0x41 && octet <= 0x5a ? octet | 0x20 : octet;
}

/** No content can be this. */
const UNUSUAL = ' ';

function textOf(head: Head, name: number): string | undefined {
  const slot = 4 * slots[name]!;
  return slot < 0 || found[slot + 2] === 0 ? undefined : head.text(found[slot + 2]!, found[slot + 3]!);
}
/** One that has to have a content, which is a token. */
function contentOf(head: Head, name: number): string | undefined {
  const place = slots[name]!;
  if (place < 0) return undefined;
  if ((tokens & (1 << place)) === 0) return UNUSUAL;
  return head.text(found[4 * place + 2]!, found[4 * place + 3]!);
}
function rportOf(head: Head): number | true | undefined | typeof UNUSUAL {
  const slot = 4 * slots[RPORT]!;
  if (slot < 0) return undefined;
  const start = found[slot + 2]!;
  const end = found[slot + 3]!;
  if (start === 0) return true;
  const port = end - start > 5 ? -1 : numberIn(head.bytes, start, end);
  return port < 0 || port > 65535 ? UNUSUAL : port;
}
