const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const LESS = 0x3c;
const GREATER = 0x3e;
const BACKSLASH = 0x5c;

/**
 * The offset of the comma that ends the first value of `text` from `start`, or `end` when there is none.
 * Commas inside quoted strings and inside angle brackets do not separate (RFC 3261 §7.3.1).
 */
export function endOfValue(text: string, start: number, end: number): number {
  let angle = false;
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE && !angle) {
      i = endOfQuoted(text, i, end);
    } else if (code === LESS) {
      angle = true;
    } else if (code === GREATER) {
      angle = false;
    } else if (code === COMMA && !angle) {
      return i;
    }
  }
  return end;
}

/** The offset of the quote that closes the quoted string opened at `open`, or `end` when none does. */
export function endOfQuoted(text: string, open: number, end: number): number {
  for (let i = open + 1; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code === BACKSLASH) i++;
    else if (code === QUOTE) return i;
  }
  return end;
}

/** {@link endOfValue} over octets; quotes, brackets and commas are never part of a UTF-8 sequence. */
export function endOfValueOctets(bytes: Uint8Array, start: number, end: number): number {
  // Most lines have one value and no comma anywhere.
  let comma = start;
  while (comma < end && bytes[comma] !== COMMA) comma++;
  if (comma === end) return end;
  let angle = false;
  let quoted = false;
  for (let i = start; i < end; i++) {
    const octet = bytes[i]!;
    if (quoted) {
      if (octet === BACKSLASH) i++;
      else if (octet === QUOTE) quoted = false;
    } else if (octet === QUOTE && !angle) {
      quoted = true;
    } else if (octet === LESS) {
      angle = true;
    } else if (octet === GREATER) {
      angle = false;
    } else if (octet === COMMA && !angle) {
      return i;
    }
  }
  return end;
}

/** The values of a list header's text, each without the white space around it. Empty values are kept. */
export function splitValues(text: string): string[] {
  const end = text.length;
  let at = endOfValue(text, 0, end);
  if (at === end) return [trimSpace(text)];
  const values = [trimSpace(text.slice(0, at))];
  while (at < end) {
    const next = endOfValue(text, at + 1, end);
    values.push(trimSpace(text.slice(at + 1, next)));
    at = next;
  }
  return values;
}

/**
 * Folded lines joined: each line break with the white space around it becomes one space (RFC 3261 §7.3.1).
 */
export function unfold(text: string): string {
  return text.split('\r\n').map(trimSpace).join(' ');
}

/**
 * Without the spaces and tabs at both ends; unlike `trim` it leaves other white space, which is text here.
 */
export function trimSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(text.charCodeAt(start))) start++;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
  return start === 0 && end === text.length ? text : text.slice(start, end);
}
function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/**
 * Throws when text that is about to become part of a header could end the line or the message. NUL passes as a
 * quoted pair only, in which peers may send it (RFC 3261 §25.1): a value that was received can be sent on.
 */
export function refuseLineBreak(text: string): void {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    // Asked of all that is written: nearly nothing has an octet below this, and then the expression decides.
    if (code >= SPACE) continue;
    if (LINE_BREAK.test(text)) refuse();
    return;
  }
}
function refuse(): never {
  throw new TypeError('a line break or NUL in text meant for a SIP header');
}
const LINE_BREAK = /[\r\n]|(?<!\\)\0/;
