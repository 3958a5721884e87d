/** Character classes of RFC 3261 §25.1 as one table of bit flags, indexed by the octet. */
export const TOKEN = 1;
export const DIGIT = 2;
/** user-unreserved and unreserved of a SIP URI's user part, '%' included. */
export const USER = 4;
/** unreserved and param-unreserved of a SIP URI parameter, '%' included. */
export const URI_PARAMETER = 8;
/** unreserved and hnv-unreserved of a SIP URI header, '%' included. */
export const URI_HEADER = 16;
/** What may stand in a URI at all: no white space, controls, quotes or angle brackets. */
export const URI = 32;
export const HOST = 64;
export const PASSWORD = 128;

const ALPHANUMERIC = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
const MARK = "-_.!~*'()";

export const classes = new Uint8Array(256);

function mark(characters: string, flag: number): void {
  for (let i = 0; i < characters.length; i++) {
    const code = characters.charCodeAt(i);
    classes[code] = classes[code]! | flag;
  }
}

mark(`${ALPHANUMERIC}-.!%*_+\`'~`, TOKEN);
mark('0123456789', DIGIT);
mark(`${ALPHANUMERIC}${MARK}%&=+$,;?/`, USER);
mark(`${ALPHANUMERIC}${MARK}%&=+$,`, PASSWORD);
mark(`${ALPHANUMERIC}${MARK}%[]/:&+$`, URI_PARAMETER);
mark(`${ALPHANUMERIC}${MARK}%[]/?:+$`, URI_HEADER);
mark(`${ALPHANUMERIC}${MARK}%;/?:@&=+$,[]#`, URI);
mark(`${ALPHANUMERIC}-._`, HOST);

/** True when `text[start..end)` is not empty and every character has `flag`. */
export function consistsOf(text: string, start: number, end: number, flag: number): boolean {
  if (start >= end) return false;
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code > 255 || (classes[code]! & flag) === 0) return false;
  }
  return true;
}

export function isToken(text: string): boolean {
  return consistsOf(text, 0, text.length, TOKEN);
}

/** The offset behind the token that begins at `start`; `start` itself when none does. */
export function endOfToken(text: string, start: number): number {
  let at = start;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code > 127 || (classes[code]! & TOKEN) === 0) break;
    at++;
  }
  return at;
}

/**
 * Behind the spaces and tabs at `start`. Reading beyond the end of a string is slow in V8, so nothing here
 * does.
 */
export function skipSpace(text: string, start: number): number {
  let at = start;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code !== 0x20 && code !== 0x09) break;
    at++;
  }
  return at;
}

/** The number that the octets write in digits; -1 when they are no digits, or more than ten. */
export function numberIn(bytes: Uint8Array, start: number, end: number): number {
  if (end <= start || end - start > 10) return -1;
  let number = 0;
  for (let at = start; at < end; at++) {
    const octet = bytes[at]!;
    if ((classes[octet]! & DIGIT) === 0) return -1;
    number = number * 10 + octet - 0x30;
  }
  return number;
}
