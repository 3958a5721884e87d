/**
 * The nonce cookie of RFC 8489 §9.2: a nonce that begins with it says what the server can do, within what the
 * message's integrity covers, so that nobody between can take it away.
 */
const COOKIE = 'obMatJos2';
/** Octets of cookie and features. */
export const NONCE_COOKIE_BYTES = COOKIE.length + 4;

/** Bits of the security feature set, RFC 8489 §18.1. */
export const SecurityFeature = { PasswordAlgorithms: 1, UsernameAnonymity: 2 } as const;

/** The beginning of a nonce that says these features. */
export function nonceCookie(features: number): string {
  return COOKIE + Buffer.from([features >>> 16, features >>> 8, features]).toString('base64');
}

/** The features that a nonce says; undefined when it has no cookie. */
export function securityFeatures(nonce: Uint8Array): number | undefined {
  if (nonce.length < NONCE_COOKIE_BYTES) return undefined;
  for (let at = 0; at < COOKIE.length; at++) if (nonce[at] !== COOKIE.charCodeAt(at)) return undefined;
  const text = String.fromCharCode(...nonce.subarray(COOKIE.length, NONCE_COOKIE_BYTES));
  const bits = Buffer.from(text, 'base64');
  return bits.length === 3 ? bits.readUIntBE(0, 3) : undefined;
}
