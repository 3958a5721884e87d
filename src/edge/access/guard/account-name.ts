/** Longer names are one account from here on; nobody has them. */
const LONGEST = 320;
/** Accents, and what is not seen at all: some databases compare without them. */
const UNSEEN = /[\p{M}\p{Cf}]+/gu;
/** Nearly all names: for these there is nothing to normalise. */
const PLAIN = /^[ -~]*$/;
const SCHEME = /^<?sips?:/;
const SPACE = /\s/;
const ESCAPES = /(?:%[\da-f]{2})+/gi;
/** Ends the host of a URI. */
const HOST_END = /[\s:;?/>]/;

export interface UserName {
  /** Without its domain; may be empty. */
  readonly user: string;
  /** Of `user@domain`. */
  readonly domain: string | undefined;
}

/**
 * A name as credentials give it, in the one spelling that failures are counted under. Registrars differ in what is the same
 * name to them: whatever one of them may take for one account is one here, so that nobody gains guesses by writing a
 * name in other ways. Case, compatibility forms and accents, `%61`, `sip:`, `CORP\` and a password are not told apart.
 * Undefined for a name with control characters, at which some readers stop and others do not.
 */
export function userNameOf(text: string): UserName | undefined {
  const plain = folded(unescaped(text));
  if (/\p{Cc}/u.test(plain)) return undefined;
  const bare = plain.trim().replace(SCHEME, '');
  const at = bare.indexOf('@');
  const local = at < 0 ? bare : bare.slice(0, at);
  const domain = at < 0 ? undefined : domainOf(bare.slice(at + 1));
  return { user: bounded(withoutPassword(local.slice(local.lastIndexOf('\\') + 1))), domain };
}

/** A realm, which may be any text (RFC 7616 §3.3), where others have a domain. */
export function realmOf(text: string): string {
  return bounded(folded(text).trim());
}

/** The host of an address: lower case, and without the full stops that a name may end in. */
export function domainOf(text: string): string {
  const plain = folded(text).trim();
  const end = plain.search(HOST_END);
  return bounded((end < 0 ? plain : plain.slice(0, end)).replace(/\.+$/, ''));
}

/** The key of an account: `user@domain`, without white space. */
export function accountName(user: string, domain: string): string {
  return bounded(`${user}@${domain}`);
}

function folded(text: string): string {
  if (PLAIN.test(text)) return text.toLowerCase();
  // Upper case first: some letters have two small forms.
  return text.normalize('NFKD').toUpperCase().toLowerCase().normalize('NFKD').replace(UNSEEN, '');
}

/** Each escape that is one, whatever else there is: some readers take the others as they are. What is no UTF-8 is Latin-1. */
function unescaped(text: string): string {
  if (!text.includes('%')) return text;
  return text.replace(ESCAPES, (escapes) => {
    try {
      return decodeURIComponent(escapes);
    } catch {
      return Buffer.from(escapes.replaceAll('%', ''), 'hex').toString('latin1');
    }
  });
}

function withoutPassword(local: string): string {
  const colon = local.indexOf(':');
  return (colon < 0 ? local : local.slice(0, colon)).trim();
}

/** Spaces would end a key of the guard. */
function bounded(text: string): string {
  return (SPACE.test(text) ? text.replace(/\s+/g, '_') : text).slice(0, LONGEST);
}
