import { err, ok, type Result } from '#kernel';
import { classes, endOfToken, skipSpace, TOKEN } from '../messages/characters.ts';
import { endOfQuoted } from '../messages/header-value.ts';
import { quote, unquote } from '../messages/parameters.ts';

export type DigestProblem =
  | 'not-digest'
  | 'syntax'
  | 'repeated-parameter'
  | 'missing-parameter'
  | 'unsupported-algorithm'
  | 'qop'
  | 'nonce-count';

/**
 * The parameters behind the word `Digest` by lower-case name, quotes and escapes removed (RFC 7616 §3.4,
 * RFC 3261 §25.1). A name given twice is refused: two readers could believe different ones.
 */
export function parseAuthParameters(text: string): Result<ReadonlyMap<string, string>, DigestProblem> {
  const start = skipSpace(text, 0);
  if (text.slice(start, start + 6).toLowerCase() !== 'digest') return err('not-digest');
  let at = skipSpace(text, start + 6);
  if (at === start + 6) return err('not-digest');
  const parameters = new Map<string, string>();
  while (at < text.length) {
    const parameter = parseOne(text, at);
    if (parameter === undefined) return err('syntax');
    if (parameters.has(parameter.name)) return err('repeated-parameter');
    parameters.set(parameter.name, parameter.value);
    at = skipSpace(text, parameter.end);
    if (at < text.length && text.charCodeAt(at) !== 0x2c) return err('syntax');
    while (text.charCodeAt(at) === 0x2c) at = skipSpace(text, at + 1);
  }
  return ok(parameters);
}

function parseOne(text: string, start: number): { name: string; value: string; end: number } | undefined {
  const nameEnd = endOfToken(text, start);
  const equals = skipSpace(text, nameEnd);
  if (nameEnd === start || text.charCodeAt(equals) !== 0x3d) return undefined;
  const name = text.slice(start, nameEnd).toLowerCase();
  const valueStart = skipSpace(text, equals + 1);
  if (text.charCodeAt(valueStart) === 0x22) {
    const close = endOfQuoted(text, valueStart, text.length);
    if (close >= text.length) return undefined;
    const value = unquote(text, valueStart, close);
    return LINE_BREAK.test(value) ? undefined : { name, value, end: close + 1 };
  }
  const end = bareEnd(text, valueStart);
  return end === valueStart ? undefined : { name, value: text.slice(valueStart, end), end };
}
const LINE_BREAK = /[\r\n]/;

/**
 * A value without quotes: a token by the grammar; some senders leave the quotes off a nonce in base64, too.
 */
function bareEnd(text: string, start: number): number {
  let at = start;
  while (at < text.length && isBare(text.charCodeAt(at))) at++;
  return at;
}
function isBare(code: number): boolean {
  return (code < 128 && (classes[code]! & TOKEN) !== 0) || code === 0x2f || code === 0x3d || code === 0x3a;
}

/** `Digest name="value", name=value`; undefined values are left out. */
export function formatAuthParameters(
  parameters: readonly (readonly [name: string, value: string | undefined, form: 'quoted' | 'token'])[],
): string {
  const written = parameters
    .filter(([, value]) => value !== undefined)
    .map(([name, value, form]) => `${name}=${form === 'quoted' ? quote(value!) : value}`);
  return `Digest ${written.join(', ')}`;
}
