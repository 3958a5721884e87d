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
