import { createHash, createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import { err, ok, type Result } from '#kernel';

/** One signing key. */
export interface TokenKey {
  /** 0..255, derived from the secret: only a hint at which key to try, so that two keys may share it. */
  readonly id: number;
  readonly secret: KeyObject;
}

/** The key that seals, and those that open besides while keys are being exchanged: the next one, and some before it. */
export interface TokenKeys {
  readonly current: TokenKey;
  readonly others?: readonly TokenKey[];
}

export type TokenError = 'malformed' | 'unknown-key' | 'forged';

/** Fewer secret bytes than this make no key. */
const SECRET_BYTES = 32;
/** HMAC-SHA-256, truncated; RFC 2104 §5 asks for at least 80 bits, this is 128. */
const MAC_BYTES = 16;
const HEAD_BYTES = 1 + MAC_BYTES;
/** Tokens travel in header fields and URLs, so they stay small. */
const PAYLOAD_BYTES = 1024;
const TOKEN_CHARACTERS = Math.ceil(((HEAD_BYTES + PAYLOAD_BYTES) * 4) / 3);
const BASE64URL = /^[A-Za-z0-9_-]+$/;

/** @throws RangeError when the secret has fewer than 32 bytes */
export function tokenKey(secret: Uint8Array): TokenKey {
  if (secret.length < SECRET_BYTES) throw new RangeError(`a token key needs ${SECRET_BYTES} bytes`);
  const digest = createHash('sha256').update('sallyport token key id').update(secret).digest();
  return { id: digest[0]!, secret: createSecretKey(secret) };
}

/**
 * Signs a small value for one purpose. The payload is readable by anyone who sees the token.
 * Layout before base64url: key id (1), MAC (16), payload.
 * @param purpose 1..255 bytes; a token sealed for one purpose does not open for another
 * @throws RangeError when payload (1024 bytes) or purpose is too long
 */
export function sealToken(keys: TokenKeys, purpose: string, payload: Uint8Array): string {
  if (payload.length > PAYLOAD_BYTES) throw new RangeError(`payload of ${payload.length} bytes`);
  const token = Buffer.allocUnsafe(HEAD_BYTES + payload.length);
  token[0] = keys.current.id;
  token.write(authenticate(keys.current, purpose, payload), 1, MAC_BYTES, 'latin1');
  token.set(payload, HEAD_BYTES);
  return token.toString('base64url');
}

/** The payload of a token that one of the keys sealed for this purpose; a view of its own bytes. */
export function openToken(keys: TokenKeys, purpose: string, token: string): Result<Buffer, TokenError> {
  if (token.length > TOKEN_CHARACTERS || !BASE64URL.test(token)) return err('malformed');
  const bytes = Buffer.from(token, 'base64url');
  // One value has one spelling: the unused low bits of the last character must be zero.
  if (bytes.length < HEAD_BYTES || bytes.toString('base64url') !== token) return err('malformed');
  const mac = bytes.subarray(1, HEAD_BYTES);
  const payload = bytes.subarray(HEAD_BYTES);
  let known = false;
  for (const key of [keys.current, ...(keys.others ?? [])]) {
    if (key.id !== bytes[0]) continue;
    known = true;
    const expected = Buffer.from(authenticate(key, purpose, payload), 'latin1');
    if (timingSafeEqual(mac, expected.subarray(0, MAC_BYTES))) return ok(payload);
  }
  return err(known ? 'forged' : 'unknown-key');
}

/**
 * The purpose is length-prefixed, so no purpose and payload can be shifted into one another.
 * @returns a character for each octet: in the runtime a short text costs a quarter less than memory outside of the heap
 */
function authenticate(key: TokenKey, purpose: string, payload: Uint8Array): string {
  const length = Buffer.byteLength(purpose);
  if (length < 1 || length > 255) throw new RangeError('purpose must have 1..255 bytes');
  const signed = Buffer.allocUnsafe(2 + length + payload.length);
  signed[0] = key.id;
  signed[1] = length;
  signed.write(purpose, 2);
  signed.set(payload, 2 + length);
  return createHmac('sha256', key.secret).update(signed).digest('binary');
}
