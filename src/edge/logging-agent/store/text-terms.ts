const WORD = /[a-z0-9]+/gi;
const SEPARATOR = /[\x00-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]/;
/** What JSON writes as it is, and LIKE compares whatever the case. */
const PLAIN = /[a-z0-9 !#$&'()*+,\-./:;<=>?@[\]^`{|}~]{3,}/gi;

/**
 * Words that every text with this piece in it must have, whole: only those with a separator of ASCII on both sides, since
 * what stands at an end of the piece may go on in the text, and letters beyond ASCII make one word with those beside them.
 */
export function wholeWords(piece: string): string[] {
  const words: string[] = [];
  for (const match of piece.matchAll(WORD)) {
    const before = piece[match.index - 1];
    const behind = piece[match.index + match[0].length];
    if (before !== undefined && behind !== undefined && SEPARATOR.test(before) && SEPARATOR.test(behind))
      words.push(match[0].toLowerCase());
  }
  return words;
}

/** The beginning that a last word has, when something stands before it: `hangs` of `bob hangs`. */
export function lastWordBeginning(piece: string): string | undefined {
  const match = /[^a-z0-9]([a-z0-9]+)$/i.exec(piece);
  const before = piece[piece.length - (match?.[1]?.length ?? 0) - 1];
  return match?.[1] !== undefined && before !== undefined && SEPARATOR.test(before)
    ? match[1].toLowerCase()
    : undefined;
}

/** A pattern that the stored JSON of every event with this piece matches; undefined when there is none that helps. */
export function likePattern(piece: string): string | undefined {
  const runs = piece.match(PLAIN) ?? [];
  const longest = runs.sort((a, b) => b.length - a.length)[0];
  return longest === undefined ? undefined : `%${longest}%`;
}
