import { isUtf8 } from 'node:buffer';
import { classes, numberIn, TOKEN } from './characters.ts';
import {
  CONTENT_LENGTH,
  type HeaderId,
  idOf,
  idOfOctets,
  isListId,
  nameOf,
  sameName,
  UNKNOWN,
  WATCHED,
} from './header-name.ts';
import { endOfValue, trimSpace, unfold } from './header-value.ts';
import { type SipLimits, sipLimits } from './limits.ts';

/** Why the lines of a head cannot be trusted. */
export type HeadProblem =
  | 'line-break'
  | 'control-character'
  | 'header-line'
  | 'not-utf8'
  | 'header-too-long'
  | 'too-many-headers';

/** The end of the last header field and the empty line. */
export const HEAD_END = Buffer.from('\r\n\r\n');

const CR = 0x0d;
const LF = 0x0a;
const SPACE = 0x20;
const TAB = 0x09;
const COLON = 0x3a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

const NOTHING = Buffer.alloc(0);

/** Numbers stored for each header field line: id, start of line, start and end of value. */
const STRIDE = 4;
const FOLDED = 0x100;

/**
 * Where everything is in the start line and the header fields of one message. All offsets count from the
 * message's first octet; `bytes` is read for as long as this lives and must not change.
 */
export class Head {
  readonly bytes: Buffer;
  /** Length of the start line without its line end. */
  readonly startLineEnd: number;
  /** Offset of the body. */
  readonly end: number;
  readonly problem: HeadProblem | undefined;
  readonly #repeated: number;
  readonly #present: number;
  readonly #fields: readonly number[];
  /** The whole head, when it is ASCII and offsets into bytes are offsets into text. */
  #text: string | undefined;
  readonly #ascii: boolean;

  constructor(bytes: Buffer, end: number, scan: HeadScan, text?: string) {
    this.bytes = bytes;
    this.startLineEnd = scan.startLineEnd;
    this.end = end;
    this.problem = scan.problem;
    this.#fields = scan.fields;
    this.#repeated = scan.repeated;
    this.#present = scan.present;
    this.#ascii = scan.ascii;
    this.#text = text;
  }

  /** The same head over other memory that holds the same octets (a message put together from chunks). */
  moved(bytes: Buffer): Head {
    const { startLineEnd, problem } = this;
    const scan = {
      startLineEnd,
      problem,
      fields: this.#fields,
      repeated: this.#repeated,
      present: this.#present,
      ascii: this.#ascii,
      contentLength: -1,
    };
    return new Head(bytes, this.end, scan, this.#text);
  }

  /** Decoded octets. One decoded string serves all headers: cutting it is far cheaper than decoding again. */
  text(start: number, end: number): string {
    if (!this.#ascii) return this.bytes.toString('utf8', start, end);
    this.#text ??= this.bytes.toString('latin1', 0, this.end);
    return this.#text.slice(start, end);
  }

  get startLine(): string {
    return this.text(0, this.startLineEnd);
  }

  /** Number of header field lines. */
  get count(): number {
    return this.#fields.length / STRIDE;
  }
  idAt(field: number): HeaderId {
    return this.#fields[field * STRIDE]! & (FOLDED - 1);
  }
  /** Offset of the field's line; the line ends where the next one begins. */
  startAt(field: number): number {
    return field < this.count ? this.#fields[field * STRIDE + 1]! : this.end - 2;
  }
  valueStartAt(field: number): number {
    return this.#fields[field * STRIDE + 2]!;
  }
  valueEndAt(field: number): number {
    return this.#fields[field * STRIDE + 3]!;
  }
  /** True when the value goes over several lines. */
  isFolded(field: number): boolean {
    return (this.#fields[field * STRIDE]! & FOLDED) !== 0;
  }
  /** The field's value as one line. */
  valueAt(field: number): string {
    const text = this.text(this.valueStartAt(field), this.valueEndAt(field));
    return this.isFolded(field) ? unfold(text) : text;
  }
  /** The field's name in its usual spelling, or as written when it is not a known one. */
  nameAt(field: number): string {
    const id = this.idAt(field);
    return id === UNKNOWN ? this.text(this.startAt(field), this.#nameEndAt(field)) : nameOf(id);
  }
  /** True when more than one line has this name. For the ids below {@link WATCHED} only. */
  isRepeated(id: HeaderId): boolean {
    return (this.#repeated & (1 << id)) !== 0;
  }
  /** The first field at or behind `from` with this id, or -1. Not for {@link UNKNOWN}. */
  find(id: HeaderId, from = 0): number {
    // A proxy asks for twenty fields that nearly no message has.
    if ((this.#present & (1 << (id & 31))) === 0) return -1;
    const fields = this.#fields;
    for (let i = from * STRIDE; i < fields.length; i += STRIDE) {
      if ((fields[i]! & (FOLDED - 1)) === id) return i / STRIDE;
    }
    return -1;
  }
  /** The first field at or behind `from` with this name, or -1. */
  findName(name: string, from = 0): number {
    const id = idOf(name);
    if (id !== UNKNOWN) return this.find(id, from);
    const lower = Buffer.from(name.toLowerCase(), 'latin1');
    for (let field = this.find(UNKNOWN, from); field >= 0; field = this.find(UNKNOWN, field + 1)) {
      if (sameName(this.bytes, this.startAt(field), this.#nameEndAt(field), lower)) return field;
    }
    return -1;
  }
  /** All values of a field line: several when the field is a list. */
  valuesAt(field: number, into: string[]): void {
    const text = this.valueAt(field);
    if (!isListId(this.idAt(field))) {
      into.push(text);
      return;
    }
    for (let at = 0; at <= text.length; ) {
      const end = endOfValue(text, at, text.length);
      into.push(at === 0 && end === text.length ? text : trimSpace(text.slice(at, end)));
      at = end + 1;
    }
  }

  #nameEndAt(field: number): number {
    let at = this.startAt(field);
    while ((classes[this.bytes[at]!]! & TOKEN) !== 0) at++;
    return at;
  }
}

interface HeadScan {
  readonly startLineEnd: number;
  readonly fields: readonly number[];
  /** Bit n is set when more than one line has the id n. */
  readonly repeated: number;
  /** Bit n is set when a line has an id that is n modulo 32. */
  readonly present: number;
  readonly ascii: boolean;
  /** What the first Content-Length says; -1 when there is none, or no number. */
  readonly contentLength: number;
  readonly problem: HeadProblem | undefined;
}

/**
 * One pass over `bytes[start..end)`, which ends with the empty line. Finds the lines and the names, and
 * refuses octets that no header may hold. Nothing is decoded.
 *
 * @returns the same object every time: good until the next head is scanned
 */
export function scanHead(bytes: Buffer, start: number, end: number, limits: SipLimits): HeadScan {
  return scanner.scan(bytes, start, end, limits);
}

/**
 * The same where nobody knows yet where the head ends: at the first empty line before `limit`, which is looked for on the way.
 *
 * @returns undefined when there is none, or something else is the matter that {@link scanHead} will tell
 */
export function scanOpenHead(
  bytes: Buffer,
  start: number,
  limit: number,
  limits: SipLimits,
): OpenHeadScan | undefined {
  return scanner.scanOpen(bytes, start, limit, limits);
}

interface OpenHeadScan extends HeadScan {
  /** Offset behind the empty line, in the buffer. */
  readonly end: number;
}

class Scanner implements HeadScan {
  fields: readonly number[] = [];
  #bytes: Buffer = NOTHING;
  #start = 0;
  /** Where the empty line begins; while nobody knows, the same as the next one. */
  #end = 0;
  /** Nothing is read from here on: what lies behind a buffer is read slowly, and slows down whoever did it once. */
  #limit = 0;
  #limits: SipLimits = sipLimits;
  /** The fields so far: `#used` numbers. A list that grows anew with each message is most of what one costs. */
  readonly #found: number[] = [];
  #used = 0;
  #at = 0;
  #seen = 0;
  startLineEnd = 0;
  end = 0;
  repeated = 0;
  present = 0;
  ascii = true;
  #folded = false;
  #afterPair = -1;
  contentLength = -1;
  problem: HeadProblem | undefined;

  #begin(bytes: Buffer, start: number, limit: number, limits: SipLimits): void {
    this.#bytes = bytes;
    this.#start = start;
    this.#end = limit;
    this.#limit = limit;
    this.#limits = limits;
    this.#at = start;
    this.#used = 0;
    this.#seen = 0;
    this.repeated = 0;
    this.present = 0;
    this.ascii = true;
    this.#afterPair = -1;
    this.contentLength = -1;
    this.problem = undefined;
  }

  scan(bytes: Buffer, start: number, end: number, limits: SipLimits): HeadScan {
    this.#begin(bytes, start, end, limits);
    this.#end = end - 2;
    const startLineEnd = this.#lineEnd(start, start);
    if (startLineEnd >= 0) {
      while (this.#at < this.#end && this.#field());
    }
    return this.#finish(startLineEnd);
  }

  scanOpen(bytes: Buffer, start: number, limit: number, limits: SipLimits): OpenHeadScan | undefined {
    this.#begin(bytes, start, limit, limits);
    const startLineEnd = this.#lineEnd(start, start);
    if (startLineEnd < 0) return undefined;
    while (!this.#isAtEmptyLine()) if (!this.#field()) return undefined;
    this.#end = this.#at;
    this.end = this.#at + 2;
    return this.#finish(startLineEnd) as OpenHeadScan;
  }

  #isAtEmptyLine(): boolean {
    const at = this.#at;
    return at + 1 < this.#limit && this.#bytes[at] === CR && this.#bytes[at + 1] === LF;
  }

  #finish(startLineEnd: number): this {
    if (this.#used / STRIDE > this.#limits.headers) this.problem ??= 'too-many-headers';
    if (!this.ascii && !isUtf8(this.#bytes.subarray(this.#start, this.#end))) this.problem ??= 'not-utf8';
    this.startLineEnd = Math.max(startLineEnd - this.#start, 0);
    this.fields = this.#found.slice(0, this.#used);
    this.#bytes = NOTHING;
    return this;
  }

  /** Reads one header field with its folded lines; false when the rest of the head cannot be read. */
  #field(): boolean {
    const bytes = this.#bytes;
    const limit = this.#limit;
    const line = this.#at;
    let at = line;
    while (at < limit && (classes[bytes[at]!]! & TOKEN) !== 0) at++;
    const nameEnd = at;
    while (at < limit && isSpace(bytes[at]!)) at++;
    if (nameEnd === line || at >= limit || bytes[at] !== COLON) return this.#fail('header-line');
    at++;
    while (at < limit && isSpace(bytes[at]!)) at++;
    this.#folded = false;
    const lineEnd = this.#foldedEnd(at, line);
    if (lineEnd < 0) return false;
    let valueStart = at;
    let valueEnd = lineEnd;
    while (valueEnd > valueStart && isBlank(bytes[valueEnd - 1]!)) valueEnd--;
    while (valueStart < valueEnd && isBlank(bytes[valueStart]!)) valueStart++;
    const id = idOfOctets(bytes, line, nameEnd);
    this.present |= 1 << (id & 31);
    if (id < WATCHED) {
      this.repeated |= this.#seen & (1 << id);
      this.#seen |= 1 << id;
    }
    const start = this.#start;
    const found = this.#found;
    found[this.#used++] = this.#folded ? id | FOLDED : id;
    found[this.#used++] = line - start;
    found[this.#used++] = valueStart - start;
    found[this.#used++] = valueEnd - start;
    if (id === CONTENT_LENGTH && this.contentLength < 0)
      this.contentLength = numberIn(bytes, valueStart, valueEnd);
    if (this.#at - line > this.#limits.headerLineBytes) this.problem ??= 'header-too-long';
    return true;
  }

  /** The end of the last line of a field whose first line is being read at `at`. */
  #foldedEnd(at: number, line: number): number {
    let end = this.#lineEnd(at, line);
    while (end >= 0 && this.#at < this.#end && isSpace(this.#bytes[this.#at]!)) {
      this.#folded = true;
      end = this.#lineEnd(this.#at, line);
    }
    return end;
  }

  /**
   * The offset of the CRLF at or behind `from`, moving on to behind it; -1 after an octet that may not stand
   * there.
   */
  #lineEnd(from: number, line: number): number {
    const bytes = this.#bytes;
    const limit = this.#limit;
    for (let at = from; at < limit; at++) {
      const octet = bytes[at]!;
      if (octet >= SPACE && octet < 0x7f) continue;
      if (octet >= 0x80) {
        this.ascii = false;
      } else if (octet === CR && at + 1 < limit && bytes[at + 1] === LF) {
        this.#at = at + 2;
        return at;
      } else if (octet === CR || octet === LF) {
        this.#fail('line-break');
        return -1;
      } else if (octet !== TAB && !this.#isQuotedPair(line, at)) {
        this.#fail('control-character');
        return -1;
      }
    }
    return -1;
  }

  /**
   * A control character is allowed behind a backslash inside a quoted string, and nowhere else (RFC 3261
   * §25.1).
   */
  #isQuotedPair(line: number, at: number): boolean {
    // Goes on behind the last quoted pair, inside its string: starting over would make a line full of them
    // costly.
    const resumed = this.#afterPair > line;
    let quoted = resumed;
    for (let i = resumed ? this.#afterPair : line; i < at; i++) {
      const octet = this.#bytes[i]!;
      if (octet === QUOTE) quoted = !quoted;
      else if (octet === BACKSLASH && quoted && ++i === at) {
        this.#afterPair = at + 1;
        return true;
      }
    }
    return false;
  }

  #fail(problem: HeadProblem): false {
    this.problem ??= problem;
    return false;
  }
}

const scanner = new Scanner();

function isSpace(octet: number): boolean {
  return octet === SPACE || octet === TAB;
}
function isBlank(octet: number): boolean {
  return octet === SPACE || octet === TAB || octet === CR || octet === LF;
}
