import { TAKEN_OUT } from './taken-out.ts';

/**
 * Lines of SDP that hold keys or passwords: `k=` (RFC 8866 §5.12), SDES (RFC 4568), the passwords of ICE (RFC 8839 §5.4)
 * and MIKEY (RFC 4567).
 */
const SDP_KEYS =
  /^(k=|a=(?:crypto:\d+ [^ \r\n]+ |crypto:|ice-pwd:|key-mgmt:|x-crypto:|cryptoscale:))[^\r\n]*/gim;
/**
 * Elements and attributes of XML, and members of JSON, by their names. Bounded: what a peer wrote must not cost more than
 * its length.
 */
const NAMED =
  '[\\w:.-]{0,48}(?:passw|secret|token|credential|authorization|signature|cookie|apikey|sessionkey|conversationkey|\\bpwd\\b|\\bkey\\b)[\\w:.-]{0,48}';
const ELEMENT = new RegExp(`<(${NAMED})(\\s[^<>]*)?>([^<]*)<`, 'gi');
const ATTRIBUTE = new RegExp(`(\\s${NAMED})\\s*=\\s*("[^"]*"|'[^']*')`, 'gi');
const MEMBER = new RegExp(`("${NAMED}"\\s*:\\s*)("(?:[^"\\\\]|\\\\.)*"|[^\\s,}\\]]+)`, 'gi');
const HEADER = /^((?:proxy-)?authorization|cookie|set-cookie)(\s*:)[^\r\n]*/gim;
/** What people and their programs write; anything else is told by its length. */
const READABLE = /^(?:text\/|message\/|multipart\/|application\/(?:sdp|json|[\w.+-]*xml))/i;

/** A body for those who asked for bodies: keys, passwords and tokens never. */
export function bodyText(type: string, text: string): string {
  if (!READABLE.test(type.trim())) return `[${text.length} characters of ${type.slice(0, 80)}]`;
  return text
    .replace(SDP_KEYS, `$1${TAKEN_OUT}`)
    .replace(HEADER, `$1$2 ${TAKEN_OUT}`)
    .replace(ELEMENT, `<$1$2>${TAKEN_OUT}<`)
    .replace(ATTRIBUTE, `$1="${TAKEN_OUT}"`)
    .replace(MEMBER, `$1"${TAKEN_OUT}"`);
}
