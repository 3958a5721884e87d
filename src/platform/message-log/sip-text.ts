import type { SipMessage } from '#protocols/sip';
import { bodyText } from './body-text.ts';
import { TAKEN_OUT } from './taken-out.ts';

/** Of an answer to a challenge, and of a challenge: what says who and how, and proves nothing. */
const HARMLESS =
  /\b(username|realm|uri|algorithm|qop|stale|version|targetname)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,]+)/gi;
const SCHEME = /^[A-Za-z][A-Za-z0-9-]*/;
const AUTHENTICATION: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'www-authenticate',
  'proxy-authenticate',
]);
/** What bears a proof or a key by its whole value. */
const SECRET: ReadonlySet<string> = new Set([
  'authentication-info',
  'proxy-authentication-info',
  'identity',
  'cookie',
  'set-cookie',
]);
const SECRET_NAME =
  /token|secret|passw|credential|cookie|assertion|apikey|api-key|private-key|session-key|auth/i;
/** Names that look like the ones above and are not. */
const TRUSTED: ReadonlySet<string> = new Set(['ms-asserted-verification-level', 'p-asserted-identity']);
const URI_SECRET =
  /((?:^|[;?&\s<])(?:[a-z-]{0,32}(?:token|secret|passw(?:or)?d|pwd|auth)[a-z-]{0,32})\s{0,8})=\s{0,8}(?:"[^"]*"?|[^;?&>\s"]*)/gi;
/** Where a URI begins in what stands before an `@`, and what cannot stand between the two. */
const URI_SCHEME = /sips?:/i;
const URI_BORDER = /[@;<>\s"]/;

/**
 * What every head has that is written differently below: a name or parameter that may be secret, one letter for a name, a
 * line that goes on. Much that is harmless has it, too; most heads do not, and are told as they are.
 */
const WORTH_READING =
  /token|secret|passw|pwd|credential|cookie|assertion|api-?key|private-key|session-key|auth|\n(?:identity|[a-z][ \t]*:|[ \t])/i;

/** The head as it was on the wire, but for what would let its reader in somewhere. */
export function sipHead(message: SipMessage): string {
  const { head } = message;
  const text = head.text(0, head.end);
  return WORTH_READING.test(text) || mayHavePassword(text) ? readHead(message) : text;
}

/** A user and a colon behind the scheme's: two colons before an `@`. Looks at each octet once or twice. */
function mayHavePassword(text: string): boolean {
  for (let end = text.indexOf('@'); end >= 0; end = text.indexOf('@', end + 1)) {
    let colons = 0;
    for (let at = end - 1; at >= 0 && !isBorder(text.charCodeAt(at)); at--)
      if (text.charCodeAt(at) === COLON && ++colons === 2) return true;
  }
  return false;
}
/** What `URI_BORDER` has in ASCII; one border less shows a password to whoever looks more closely. */
function isBorder(code: number): boolean {
  if (code <= 0x20) return code === 0x20 || (code >= 0x09 && code <= 0x0d);
  return code === 0x40 || code === 0x3c || code === 0x3e || code === 0x3b || code === 0x22;
}
const COLON = 0x3a;

function readHead(message: SipMessage): string {
  const lines = [withoutPassword(message.head.startLine)];
  for (const [name, value] of message.fields()) lines.push(`${name}: ${fieldText(name, value)}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function fieldText(name: string, value: string): string {
  const lower = name.toLowerCase();
  if (AUTHENTICATION.has(lower)) return authenticationText(value);
  if (SECRET.has(lower) || (SECRET_NAME.test(lower) && !TRUSTED.has(lower))) return TAKEN_OUT;
  return withoutPassword(value);
}

function authenticationText(value: string): string {
  const scheme = SCHEME.exec(value)?.[0] ?? '';
  const kept = [...value.matchAll(HARMLESS)].map((found) => found[0]);
  return [`${scheme} ${kept.join(', ')}`.trim(), TAKEN_OUT].join(kept.length === 0 ? ' ' : ', ');
}

function withoutPassword(text: string): string {
  return withoutUserPassword(text).replace(URI_SECRET, `$1=${TAKEN_OUT}`);
}

/** `sip:user:password@host` (RFC 3261 §19.1.1). Each octet is looked at once or twice, whoever wrote them. */
function withoutUserPassword(text: string): string {
  let written = '';
  let from = 0;
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    let begin = at;
    while (begin > from && !URI_BORDER.test(text.charAt(begin - 1))) begin -= 1;
    const before = text.slice(begin, at);
    const scheme = URI_SCHEME.exec(before);
    const user = scheme === null ? -1 : scheme.index + scheme[0].length;
    const colon = user < 0 ? -1 : before.indexOf(':', user);
    written += text.slice(from, begin) + (colon < 0 ? before : `${before.slice(0, colon)}:${TAKEN_OUT}`);
    from = at;
  }
  return written + text.slice(from);
}

/** What stands in place of a body, and the body itself for those who ask for it. */
export function sipBody(
  message: SipMessage,
  bodies: boolean,
): { readonly note: string; readonly body?: string } {
  if (message.body.length === 0) return { note: '' };
  const type = message.header('Content-Type') ?? 'no type';
  const note = `[${message.body.length} octets of ${type.slice(0, 80)}]`;
  return bodies ? { note: '', body: bodyText(type, message.body.toString('utf8')) } : { note };
}
