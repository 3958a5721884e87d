import { classes, endOfToken, skipSpace, TOKEN } from './characters.ts';
import { endOfQuoted } from './header-value.ts';

/**
 * Parameters by lower-case name; undefined for one without a value. Quoted values are stored without quotes.
 * Any Map will do.
 */
export interface Parameters extends Iterable<readonly [name: string, content: string | undefined]> {
  readonly size: number;
  get(name: string): string | undefined;
  has(name: string): boolean;
  /** As they were written, when that is how they would be written again; else, or when nobody knows, undefined. */
  readonly written?: string | undefined;
}

/** Beyond this many a list is no longer searched from its begin. */
const FEW = 16;
/** Offsets stored for each parameter: begin and end of its name, begin and end of its content. */
const STRIDE = 4;
/** In place of the begin of a content: there is none. */
const NO_CONTENT = -1;

/**
 * What was parsed, in order: offsets into the text it was parsed from. Every proxied message brings a dozen parameters in
 * five or six lists, of which three or four are ever asked for, so no text is made before that.
 */
class ParameterList implements Parameters {
  // Not private: what compares two messages in a test has to see it.
  readonly text: string;
  readonly #plain: boolean;
  #read: number[] | undefined;
  /** Made for a list that only somebody hostile writes. */
  #index: Map<string, number> | undefined;

  constructor(text: string, read?: number[]) {
    this.text = text;
    this.#read = read;
    this.#plain = read === undefined;
  }
  get written(): string | undefined {
    return this.#plain ? this.text : undefined;
  }
  get offsets(): readonly number[] {
    if (this.#read === undefined) {
      this.#read = [];
      readParameters(this, this.text, 0);
    }
    return this.#read;
  }
  get size(): number {
    return this.offsets.length / STRIDE;
  }
  get(name: string): string | undefined {
    const at = this.#at(name);
    return at < 0 ? undefined : this.#contentAt(at);
  }
  has(name: string): boolean {
    return this.#at(name) >= 0;
  }
  *[Symbol.iterator](): Iterator<readonly [name: string, content: string | undefined]> {
    for (let at = 0; at < this.offsets.length; at += STRIDE) yield [this.#nameAt(at), this.#contentAt(at)];
  }

  /**
   * For the parser: a parameter whose name is `text[start..end)`, without a content so far. False when there is one of
   * this name.
   */
  add(start: number, end: number): boolean {
    const offsets = this.#added();
    if (this.#index !== undefined || offsets.length >= FEW * STRIDE) return this.#addToMany(start, end);
    for (let at = 0; at < offsets.length; at += STRIDE) {
      if (sameName(this.text, offsets[at]!, offsets[at + 1]!, start, end)) return false;
    }
    offsets.push(start, end, NO_CONTENT, 0);
    return true;
  }
  /** For the parser: the content of the one that was added last; a quoted one with its quotes. */
  content(start: number, end: number): void {
    const offsets = this.#added();
    const last = offsets.length - STRIDE;
    offsets[last + 2] = start;
    offsets[last + 3] = end;
  }

  #added(): number[] {
    this.#read ??= [];
    return this.#read;
  }
  #addToMany(start: number, end: number): boolean {
    const offsets = this.#added();
    if (this.#index === undefined) {
      this.#index = new Map();
      for (let at = 0; at < offsets.length; at += STRIDE) this.#index.set(this.#nameAt(at), at);
    }
    const name = this.text.slice(start, end).toLowerCase();
    if (this.#index.has(name)) return false;
    this.#index.set(name, offsets.length);
    offsets.push(start, end, NO_CONTENT, 0);
    return true;
  }
  #at(name: string): number {
    if (this.#index !== undefined) return this.#index.get(name) ?? -1;
    const { text, offsets } = this;
    for (let at = 0; at < offsets.length; at += STRIDE) {
      if (isNamed(text, offsets[at]!, offsets[at + 1]!, name)) return at;
    }
    return -1;
  }
  #nameAt(at: number): string {
    return lowerCase(this.text, this.offsets[at]!, this.offsets[at + 1]!);
  }
  #contentAt(at: number): string | undefined {
    const start = this.offsets[at + 2]!;
    if (start === NO_CONTENT) return undefined;
    const end = this.offsets[at + 3]!;
    return this.text.charCodeAt(start) === 0x22
      ? unquote(this.text, start, end - 1)
      : this.text.slice(start, end);
  }
}

/** Tokens are ASCII, and of these only letters are told apart by this bit. */
function lower(code: number): number {
  return code >= 0x41 && code <= 0x5a ? code | 0x20 : code;
}

function sameName(text: string, start: number, end: number, otherStart: number, otherEnd: number): boolean {
  const length = end - start;
  if (length !== otherEnd - otherStart) return false;
  for (let i = 0; i < length; i++) {
    if (lower(text.charCodeAt(start + i)) !== lower(text.charCodeAt(otherStart + i))) return false;
  }
  return true;
}

/** @param name in lower case */
function isNamed(text: string, start: number, end: number, name: string): boolean {
  if (end - start !== name.length) return false;
  for (let i = 0; i < name.length; i++) {
    if (lower(text.charCodeAt(start + i)) !== name.charCodeAt(i)) return false;
  }
  return true;
}

export const noParameters: Parameters = new Map();

export type ParameterProblem = 'parameter' | 'duplicate-parameter' | 'quoted-string';

// Values are tokens, hosts or quoted strings; the octets beyond a token's are what fielded software writes.
export const plainValue = new Uint8Array(256);
for (let code = 0; code < 128; code++) plainValue[code] = classes[code]! & TOKEN;
for (const character of '[]:/=@&$#^{}|?') plainValue[character.charCodeAt(0)] = 1;

/**
 * Parses `*(SEMI generic-param)` from `start` to the end of `text` (RFC 3261 §25.1, generic-param). A name
 * given twice is a problem, as RFC 3261 §7.3.1 demands.
 */
export function parseParameters(text: string, start: number): Parameters | ParameterProblem {
  const begin = skipSpace(text, start);
  if (begin >= text.length) return noParameters;
  const parameters = new ParameterList(text, []);
  return readParameters(parameters, text, begin) ?? parameters;
}

/** Text that is known to be parameters without white space and quotes, read when somebody asks for one. */
export function unreadParameters(text: string): Parameters {
  return new ParameterList(text);
}

function readParameters(
  parameters: ParameterList,
  text: string,
  start: number,
): ParameterProblem | undefined {
  let at = start;
  while (at < text.length) {
    if (text.charCodeAt(at) !== 0x3b) return 'parameter';
    const nameStart = skipSpace(text, at + 1);
    const nameEnd = endOfToken(text, nameStart);
    if (nameEnd === nameStart) return 'parameter';
    if (!parameters.add(nameStart, nameEnd)) return 'duplicate-parameter';
    at = skipSpace(text, nameEnd);
    if (at === text.length || text.charCodeAt(at) !== 0x3d) continue;
    const valueStart = skipSpace(text, at + 1);
    if (text.charCodeAt(valueStart) === 0x22) {
      const close = endOfQuoted(text, valueStart, text.length);
      if (close >= text.length) return 'quoted-string';
      parameters.content(valueStart, close + 1);
      at = skipSpace(text, close + 1);
    } else {
      const valueEnd = endOfPlain(text, valueStart);
      if (valueEnd === valueStart) return 'parameter';
      parameters.content(valueStart, valueEnd);
      at = skipSpace(text, valueEnd);
    }
  }
  return undefined;
}

/** Nearly all that is compared without regard to case is written in lower case already. */
export function lowerCase(text: string, start: number, end: number): string {
  const name = text.slice(start, end);
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code >= 0x41 && code <= 0x5a) return name.toLowerCase();
  }
  return name;
}

function endOfPlain(text: string, start: number): number {
  let at = start;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code > 127 || plainValue[code] === 0) break;
    at++;
  }
  return at;
}

/** The content of the quoted string between the quotes at `open` and `close`, escapes resolved. */
export function unquote(text: string, open: number, close: number): string {
  const inner = text.slice(open + 1, close);
  return inner.includes('\\') ? inner.replace(/\\([\s\S])/g, '$1') : inner;
}

/**
 * A quoted string (RFC 3261 §25.1). Quotes, backslashes and control characters are escaped; line breaks,
 * which no quoted string can carry, become spaces.
 */
export function quote(text: string): string {
  return `"${text.replace(/[\r\n]+/g, ' ').replace(/["\\\u0000-\u0008\u000b-\u001f\u007f]/g, '\\$&')}"`;
}

/** `;name=value` for each parameter, values quoted where they have to be. */
export function formatParameters(parameters: Parameters): string {
  if (parameters.written !== undefined) return parameters.written;
  let text = '';
  for (const [name, content] of parameters) {
    text += content === undefined ? `;${name}` : `;${name}=${formatParameterValue(content)}`;
  }
  return text;
}

function formatParameterValue(content: string): string {
  return content !== '' && endOfPlain(content, 0) === content.length ? content : quote(content);
}
