import { err, ok, type Result } from '#kernel';
import { consistsOf, isToken, skipSpace, TOKEN, URI } from './characters.ts';
import { endOfQuoted, trimSpace } from './header-value.ts';
import {
  formatParameters,
  noParameters,
  type ParameterProblem,
  type Parameters,
  parseParameters,
  quote,
  unquote,
} from './parameters.ts';

/** The value of From, To, Contact, Route, Record-Route, Path ... (RFC 3261 §20.10). */
export interface NameAddress {
  readonly display?: string | undefined;
  /** The URI as written, of any scheme; only its characters were checked. */
  readonly uri: string;
  /** The header's parameters, `tag` included. */
  readonly parameters: Parameters;
  readonly tag?: string | undefined;
}

export type NameAddressProblem = ParameterProblem | 'display-name' | 'address' | 'tag';

/** Parses one name-addr or addr-spec with its parameters. `*` (of Contact) is not an address. */
export function parseNameAddress(text: string): Result<NameAddress, NameAddressProblem> {
  const start = skipSpace(text, 0);
  const first = text.charCodeAt(start);
  if (first === 0x22) {
    const close = endOfQuoted(text, start, text.length);
    if (close >= text.length) return err('quoted-string');
    const open = skipSpace(text, close + 1);
    if (text.charCodeAt(open) !== 0x3c) return err('address');
    return bracketed(text, open, unquote(text, start, close));
  }
  if (first === 0x3c) return bracketed(text, start, undefined);
  const open = text.indexOf('<', start);
  if (open >= 0 && !isAddressBefore(text, start, open)) {
    const display = trimSpace(text.slice(start, open));
    return isDisplay(display) ? bracketed(text, open, display) : err('display-name');
  }
  return bare(text, start);
}

/** True when a ':' or ';' shows that what stands before '<' is an address and its parameters, not a name. */
function isAddressBefore(text: string, start: number, open: number): boolean {
  const colon = text.indexOf(':', start);
  return colon >= 0 && colon < open;
}

/** display-name = *(token LWS) */
function isDisplay(display: string): boolean {
  for (let at = 0; at < display.length; ) {
    let end = at;
    while (end < display.length && display.charCodeAt(end) !== 0x20 && display.charCodeAt(end) !== 0x09)
      end++;
    if (!consistsOf(display, at, end, TOKEN)) return false;
    at = skipSpace(display, end);
  }
  return display !== '';
}

function bracketed(
  text: string,
  open: number,
  display: string | undefined,
): Result<NameAddress, NameAddressProblem> {
  const close = text.indexOf('>', open);
  if (close < 0 || !isAddress(text, open + 1, close)) return err('address');
  return finish(text, close + 1, text.slice(open + 1, close), display);
}

/** addr-spec without brackets: a ';' begins the header's parameters, ',' and '?' are not allowed. */
function bare(text: string, start: number): Result<NameAddress, NameAddressProblem> {
  const semicolon = text.indexOf(';', start);
  let end = semicolon < 0 ? text.length : semicolon;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
  const uri = text.slice(start, end);
  if (!isAddress(uri, 0, uri.length) || uri.includes(',') || uri.includes('?')) return err('address');
  return finish(text, semicolon < 0 ? text.length : semicolon, uri, undefined);
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function finish(
  text: string,
  at: number,
  uri: string,
  display: string | undefined,
): Result<NameAddress, NameAddressProblem> {
  const parameters = parseParameters(text, at);
  if (typeof parameters === 'string') return err(parameters);
  if (parameters === noParameters) return ok({ display, uri, parameters, tag: undefined });
  const tag = parameters.get('tag');
  if (tag === undefined ? parameters.has('tag') : !isToken(tag)) return err('tag');
  return ok({ display, uri, parameters, tag });
}

/** A scheme, a colon, and at least one character that may stand in a URI. */
export function isAddress(text: string, start: number, end: number): boolean {
  const colon = text.indexOf(':', start);
  if (colon <= start || colon >= end - 1) return false;
  const first = text.charCodeAt(start) | 0x20;
  if (first < 0x61 || first > 0x7a || !consistsOf(text, start, colon, TOKEN)) return false;
  return consistsOf(text, start, end, URI);
}

/**
 * The address with its URI in angle brackets, always: a URI with parameters needs them.
 * Throws when the URI could break out of them, which is a mistake of the caller.
 */
export function formatNameAddress(address: {
  readonly display?: string | undefined;
  readonly uri: string;
  readonly tag?: string | undefined;
  readonly parameters?: Parameters | undefined;
}): string {
  if (!isAddress(address.uri, 0, address.uri.length)) throw new TypeError('not a URI for a name-addr');
  const parameters = address.parameters ?? noParameters;
  let text = `<${address.uri}>`;
  if (address.display !== undefined) text = `${quote(address.display)} ${text}`;
  if (address.tag !== undefined && !parameters.has('tag')) text += `;tag=${address.tag}`;
  return text + formatParameters(parameters);
}
