const LONGEST_NAME = 64;
/** Controls, what changes the direction of writing, and what cannot be seen: nothing of it belongs into a name. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/gu;

/** A text of one line for people to read: composed, without what cannot be seen, cut at `most` characters. */
export function oneLine(text: string, most: number): string {
  const clean = text.normalize('NFC').replace(UNSEEN, ' ').replace(/\s+/g, ' ').trim();
  return [...clean].slice(0, most).join('').trim();
}

/** What somebody is called in the roster; without a name of their own, the first part of their address. */
export function displayNameOf(name: string, address: string): string {
  const own = oneLine(name, LONGEST_NAME);
  return own === '' ? oneLine(address.split('@')[0] ?? '', LONGEST_NAME) || '?' : own;
}

/** As file systems everywhere take it: no separators, no reserved characters, no leading dots. */
const NOT_IN_FILE_NAMES = /[/\\:*?"<>|]/g;
const RESERVED_NAMES = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

/** A name to save a file under, made of a title. */
export function fileNameOf(title: string): string {
  const name = title.replace(NOT_IN_FILE_NAMES, '_').replace(/^[. ]+|[. ]+$/g, '');
  return name === '' || RESERVED_NAMES.test(name) ? `_${name}` : name;
}

/** A text of several lines: as `oneLine`, but line feeds stay. */
export function severalLines(text: string, most: number): string {
  const lines = text.split(/\r\n?|\n/).map((line) => line.normalize('NFC').replace(UNSEEN, ' ').trimEnd());
  return [...lines.join('\n')].slice(0, most).join('').trim();
}
