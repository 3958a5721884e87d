import { languageTag } from '#protocols/sip-xmpp';

const LONGEST_SUBJECT = 256;

/** Header fields of a text for the SIP side (RFC 7572 §4). */
export function textHeaders(message: {
  readonly language?: string | undefined;
  readonly subject?: string | undefined;
}): (readonly [string, string])[] {
  const { language, subject } = message;
  const headers: (readonly [string, string])[] = [['Content-Type', 'text/plain;charset=UTF-8']];
  const tag = languageTag(language);
  if (tag !== undefined) headers.push(['Content-Language', tag]);
  const line =
    subject
      ?.replace(/[\s\p{Cc}]+/gu, ' ')
      .trim()
      .slice(0, LONGEST_SUBJECT) ?? '';
  if (line !== '') headers.push(['Subject', line.toWellFormed()]);
  return headers;
}
