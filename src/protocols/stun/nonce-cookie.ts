/**
 * The nonce cookie of RFC 8489 §9.2: a nonce that begins with it says what the server can do, within what the
 * message's integrity covers, so that nobody between can take it away.
 */
const COOKIE = 'obMatJos2';
/** Octets of cookie and features. */
export const NONCE_COOKIE_BYTES = COOKIE.length + 4;

/** Bits of the security feature set, RFC 8489 §18.1. */
export const SecurityFeature = { PasswordAlgorithms: 1, UsernameAnonymity: 2 } as const;

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** The beginning of a nonce that says these features. */
export function nonceCookie(features: number): string {
  let cookie = COOKIE;
  for (let shift = 18; shift >= 0; shift -= 6) cookie += BASE64.charAt((features >>> shift) & 0x3f);
  return cookie;
}

/** The features that a nonce says; undefined when it has no cookie. */
export function securityFeatures(nonce: Uint8Array): number | undefined {
  if (nonce.length < NONCE_COOKIE_BYTES) return undefined;
  for (let at = 0; at < COOKIE.length; at++) if (nonce[at] !== COOKIE.charCodeAt(at)) return undefined;
  let features = 0;
  for (let at = COOKIE.length; at < NONCE_COOKIE_BYTES; at++) {
    const bits = sextets[nonce[at] ?? 0] ?? NO_SEXTET;
    if (bits === NO_SEXTET) return undefined;
    features = (features << 6) | bits;
  }
  return features;
}

const NO_SEXTET = 64;
/** What an octet stands for in base64 (RFC 4648 §4). */
const sextets = new Uint8Array(256).fill(NO_SEXTET);
for (let bits = 0; bits < BASE64.length; bits++) sextets[BASE64.charCodeAt(bits)] = bits;
