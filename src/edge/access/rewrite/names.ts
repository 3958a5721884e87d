import type { HeaderId, SipMessage } from '#protocols/sip';

/** Spellings whose lower case is kept; peers choose them, so there is an end to it. */
const REMEMBERED = 1024;
const lowerCases = new Map<string, string>();

/**
 * Each name of a message's fields once, whatever the case of its letters: what is done for a name is done for all its
 * fields, and a peer that repeats one must not have that done again for each. Names that are of no interest are left out.
 */
export function distinctNames(message: SipMessage, skips: ReadonlySet<HeaderId>): readonly string[] {
  let seen: Set<string> | undefined;
  const names: string[] = [];
  for (let field = 0; field < message.fieldCount; field++) {
    if (skips.has(message.fieldId(field))) continue;
    const name = message.fieldName(field);
    const lower = lowerCase(name);
    seen ??= new Set();
    if (seen.has(lower)) continue;
    seen.add(lower);
    names.push(name);
  }
  return names;
}

function lowerCase(name: string): string {
  const known = lowerCases.get(name);
  if (known !== undefined) return known;
  const lower = name.toLowerCase();
  if (lowerCases.size < REMEMBERED) lowerCases.set(name, lower);
  return lower;
}
