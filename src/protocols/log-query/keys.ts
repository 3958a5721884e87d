/** By what events of one matter are found, over services and edges. */
export const keyNames = ['callId', 'uri', 'phone', 'address', 'domain', 'conference', 'trace'] as const;
export type KeyName = (typeof keyNames)[number];
export type EventKeys = Readonly<Partial<Record<KeyName, readonly string[]>>>;

/** Conferences of ours are known by their id alone, in SIP as in PSOM (docs/protocols/conference-signalling.md). */
const CONFERENCE_URI = /^([a-z2-7]{16})@.*$/s;

/** UTF-16 code units. */
export const LONGEST_KEY = 256;

/**
 * The one form in which a value is stored and searched, so that `sip:Alice@Example.com;transport=tls` finds
 * `alice@example.com`. Call-IDs and trace ids are compared to the letter.
 */
export function normaliseKey(name: KeyName, value: string): string {
  // Lower case can be longer than upper case.
  return oneForm(name, value.slice(0, LONGEST_KEY)).slice(0, LONGEST_KEY);
}

function oneForm(name: KeyName, value: string): string {
  switch (name) {
    case 'uri':
      return withoutDecoration(value);
    case 'conference':
      return withoutDecoration(value).replace(CONFERENCE_URI, '$1');
    case 'phone':
      return phoneDigits(value);
    case 'address':
      return plainAddress(value);
    case 'domain':
      return value.trim().toLowerCase().replace(/\.$/, '');
    case 'callId':
    case 'trace':
      return value.trim();
  }
}

function withoutDecoration(uri: string): string {
  const inner = /<([^<>]{0,512})>/.exec(uri)?.[1] ?? uri;
  return inner
    .trim()
    .replace(/^(?:(?:sips?|xmpp|tel|pres|im|mailto):)+/i, '')
    .replace(/[;?].*$/s, '')
    .toLowerCase();
}

/** Digits, with the plus of a number that is valid everywhere. */
function phoneDigits(value: string): string {
  const inner = withoutDecoration(value).replace(/@.*$/s, '');
  return `${inner.startsWith('+') ? '+' : ''}${inner.replace(/\D/g, '')}`;
}

/** Without brackets and port; IPv6 in lower case, IPv4 mapped into it as IPv4. */
function plainAddress(value: string): string {
  const text = value.trim().toLowerCase();
  const bracketed = /^\[([0-9a-f:.]+)\]/.exec(text)?.[1];
  const host = bracketed ?? (/^[\d.]+:\d+$/.test(text) ? text.slice(0, text.indexOf(':')) : text);
  const mapped = /^(?:0*:)*:?:ffff:([\d.]+)$/.exec(host)?.[1];
  return mapped ?? host;
}
