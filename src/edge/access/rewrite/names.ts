import type { SipMessage } from '#protocols/sip';

/**
 * Each name of a message's fields once, whatever the case of its letters: what is done for a name is done for all its
 * fields, and a peer that repeats one must not have that done again for each.
 */
export function distinctNames(message: SipMessage): Iterable<string> {
  const names = new Map<string, string>();
  for (const name of message.names()) {
    const lower = name.toLowerCase();
    if (!names.has(lower)) names.set(lower, name);
  }
  return names.values();
}
