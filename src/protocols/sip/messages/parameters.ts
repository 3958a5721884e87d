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
}

/** Beyond this many a list is no longer searched from its begin. */
const FEW = 16;

/**
 * What was parsed, in order. Every proxied message brings a dozen parameters in five or six lists, and a Map for each
 * list is many objects for two or three entries.
 */
class ParameterList implements Parameters {
  // Not private: what compares two messages in a test has to see them.
  readonly names: string[] = [];
  readonly contents: (string | undefined)[] = [];
  /** Made for a list that only somebody hostile writes. */
  #index: Map<string, number> | undefined;

  get size(): number {
    return this.names.length;
  }
  get(name: string): string | undefined {
    const at = this.#at(name);
    return at < 0 ? undefined : this.contents[at];
  }
  has(name: string): boolean {
    return this.#at(name) >= 0;
  }
  *[Symbol.iterator](): Iterator<readonly [name: string, content: string | undefined]> {
    for (let at = 0; at < this.names.length; at++) yield [this.names[at]!, this.contents[at]];
  }
  /** For the parser, which has asked `has` before. */
  add(name: string, content: string | undefined): void {
    const count = this.names.push(name);
    this.contents.push(content);
    if (this.#index !== undefined) this.#index.set(name, count - 1);
    else if (count > FEW) this.#index = new Map(this.names.map((known, at) => [known, at]));
  }
  #at(name: string): number {
    if (this.#index !== undefined) return this.#index.get(name) ?? -1;
    for (let at = 0; at < this.names.length; at++) if (this.names[at] === name) return at;
    return -1;
  }
}

export const noParameters: Parameters = new Map();

export type ParameterProblem = 'parameter' | 'duplicate-parameter' | 'quoted-string';

// Values are tokens, hosts or quoted strings; the octets beyond a token's are what fielded software writes.
const value = new Uint8Array(128);
for (let code = 0; code < 128; code++) value[code] = classes[code]! & TOKEN;
for (const character of '[]:/=@&$#^{}|?') value[character.charCodeAt(0)] = 1;

/**
 * Parses `*(SEMI generic-param)` from `start` to the end of `text` (RFC 3261 §25.1, generic-param). A name
 * given twice is a problem, as RFC 3261 §7.3.1 demands.
 */
export function parseParameters(text: string, start: number): Parameters | ParameterProblem {
  let at = skipSpace(text, start);
  if (at >= text.length) return noParameters;
  const parameters = new ParameterList();
  while (at < text.length) {
    if (text.charCodeAt(at) !== 0x3b) return 'parameter';
    const nameStart = skipSpace(text, at + 1);
    const nameEnd = endOfToken(text, nameStart);
    if (nameEnd === nameStart) return 'parameter';
    const name = lowerCase(text, nameStart, nameEnd);
    if (parameters.has(name)) return 'duplicate-parameter';
    at = skipSpace(text, nameEnd);
    if (at === text.length || text.charCodeAt(at) !== 0x3d) {
      parameters.add(name, undefined);
      continue;
    }
    const valueStart = skipSpace(text, at + 1);
    if (text.charCodeAt(valueStart) === 0x22) {
      const close = endOfQuoted(text, valueStart, text.length);
      if (close >= text.length) return 'quoted-string';
      parameters.add(name, unquote(text, valueStart, close));
      at = skipSpace(text, close + 1);
    } else {
      const valueEnd = endOfPlain(text, valueStart);
      if (valueEnd === valueStart) return 'parameter';
      parameters.add(name, text.slice(valueStart, valueEnd));
      at = skipSpace(text, valueEnd);
    }
  }
  return parameters;
}

/** Nearly every parameter is written in lower case already. */
function lowerCase(text: string, start: number, end: number): string {
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
    if (code > 127 || value[code] === 0) break;
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
  let text = '';
  for (const [name, content] of parameters) {
    text += content === undefined ? `;${name}` : `;${name}=${formatParameterValue(content)}`;
  }
  return text;
}

function formatParameterValue(content: string): string {
  return content !== '' && endOfPlain(content, 0) === content.length ? content : quote(content);
}
