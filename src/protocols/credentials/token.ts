import { timingSafeEqual } from 'node:crypto';
import { err, ok, type Result, type WallTime } from '#kernel';
import { hmac, longTermKey, type PasswordAlgorithm } from '#protocols/stun';
import type { MediaKeyRing } from './key-ring.ts';
import type { MediaKey } from './media-key.ts';
import type { Credential, CredentialRefusal, MediaCredentialVerifier } from './verifier.ts';

/**
 * Relay credentials in the manner of [MS-AVEDGEA] §3.1.5.1: the server is free in what a token is, so that this
 * one is self-contained. Layout (big endian): major 1, minor 0, size 0x0020, expiry as a Windows FILETIME with
 * its low word first, 20 bytes of client id; then HMAC-SHA1 over these 32 bytes. The password is a second
 * HMAC-SHA1 over all 52.
 */
const BLOB_BYTES = 32;
const USERNAME_BYTES = 52;
/** What base64 makes of 52 bytes. */
const USERNAME_CHARACTERS = 72;
const EXPIRY_AT = 4;
const CLIENT_ID_AT = 12;

/** Hundreds of nanoseconds between 1601-01-01 and 1970-01-01. */
const FILETIME_OF_EPOCH = 116_444_736_000_000_000n;
const TICKS_PER_MS = 10_000n;

export interface MediaToken {
  /** base64 of the 52 username bytes (72 characters). */
  readonly username: string;
  /** base64 of the 20 password bytes (28 characters). */
  readonly password: string;
  readonly expires: WallTime;
}

/** Mints tokens; what an authority needs. */
export interface TokenIssuer {
  /** A token for `identity` that ends at `expires`; `wall` is now. */
  issue(identity: string, expires: WallTime, wall: WallTime): MediaToken;
}

/** Mints with the key of a ring whose turn it is. */
export class RingTokenIssuer implements TokenIssuer {
  readonly #ring: MediaKeyRing;

  constructor(ring: MediaKeyRing) {
    this.#ring = ring;
  }
  issue(identity: string, expires: WallTime, wall: WallTime): MediaToken {
    return new MediaTokenIssuer(this.#ring.current(wall).key).issue(identity, expires);
  }
}

/** Mints tokens from one key. Holds no state: the same arguments give the same token. */
export class MediaTokenIssuer implements TokenIssuer {
  readonly #key: MediaKey;

  constructor(key: MediaKey) {
    this.#key = key;
  }

  /** A token for `identity` (an address of record; compared as it is written) that ends at `expires`. */
  issue(identity: string, expires: WallTime): MediaToken {
    const blob = Buffer.alloc(USERNAME_BYTES);
    blob.writeUInt8(1, 0);
    blob.writeUInt16BE(BLOB_BYTES, 2);
    hmac('sha1', this.#key.identity, Buffer.from(identity, 'utf8')).copy(blob, CLIENT_ID_AT);
    let ticks = FILETIME_OF_EPOCH + BigInt(Math.floor(expires)) * TICKS_PER_MS;
    for (;;) {
      blob.writeUInt32BE(Number(ticks & 0xffff_ffffn), EXPIRY_AT);
      blob.writeUInt32BE(Number((ticks >> 32n) & 0xffff_ffffn), EXPIRY_AT + 4);
      hmac('sha1', this.#key.username, blob.subarray(0, BLOB_BYTES)).copy(blob, BLOB_BYTES);
      const password = hmac('sha1', this.#key.password, blob);
      if (survivesTrimming(blob) && survivesTrimming(password)) {
        return { username: blob.toString('base64'), password: password.toString('base64'), expires };
      }
      ticks -= 1n;
    }
  }
}

/**
 * A deployed client library trims quotation marks at both ends and zero bytes at the end of the raw bytes before
 * it hashes them; such a token would never authenticate, so another is minted, a tenth of a microsecond shorter.
 */
function survivesTrimming(bytes: Buffer): boolean {
  const last = bytes[bytes.length - 1];
  return bytes[0] !== 0x22 && last !== 0x22 && last !== 0;
}

/** A key and the moment from which nothing made with it counts. */
export interface HonouredKey {
  readonly key: MediaKey;
  readonly until: WallTime;
}

/** Verifies tokens against every key that is honoured. */
export class MediaTokenVerifier implements MediaCredentialVerifier {
  readonly #keys: readonly HonouredKey[];

  /** @param keys current first; at most 128: a forged token costs one HMAC a key */
  constructor(keys: readonly HonouredKey[]) {
    if (keys.length > 128) throw new RangeError('more than 128 media keys');
    this.#keys = keys;
  }

  /**
   * Takes both forms that clients send: the base64 text as it was issued, and (the older dialect) the 52 bytes it
   * stands for. The password is hashed in the form in which the username came.
   */
  lookup(
    username: Uint8Array,
    realm: string,
    wall: WallTime,
    algorithm: PasswordAlgorithm = 'md5',
  ): Result<Credential, CredentialRefusal> {
    const raw = rawUsername(username);
    if (raw === undefined) return err('unknown');
    const signer = this.#keys.find(({ key, until }) => until > wall && isSigned(raw, key));
    if (signer === undefined) return err('unknown');
    const { key, until } = signer;
    // Nobody need ask again whether the key is still honoured: what it has signed is worth nothing after that.
    const expires = Math.min(expiryOf(raw), until);
    if (expires <= wall) return err('expired');
    const password = hmac('sha1', key.password, raw);
    const isRaw = username.length === USERNAME_BYTES;
    const longTerm = longTermKey(username, realm, isRaw ? password : password.toString('base64'), algorithm);
    return ok({
      keys: [longTerm],
      user: accountIn(raw),
      expires,
    });
  }
}

/** Whose token it looks like, `token:` and its client id; whether anybody issued it is another question. */
export function accountOfToken(username: Uint8Array): string | undefined {
  const raw = rawUsername(username);
  return raw === undefined ? undefined : accountIn(raw);
}
/** The same for everybody whose tokens were made for `identity` with this key. */
export function accountOfIdentity(key: MediaKey, identity: string): string {
  return `token:${hmac('sha1', key.identity, Buffer.from(identity, 'utf8')).toString('hex')}`;
}
function accountIn(raw: Buffer): string {
  return `token:${raw.toString('hex', CLIENT_ID_AT, BLOB_BYTES)}`;
}

/** The 52 bytes, or undefined when this is no token. */
function rawUsername(username: Uint8Array): Buffer | undefined {
  const bytes = Buffer.isBuffer(username)
    ? username
    : Buffer.from(username.buffer, username.byteOffset, username.length);
  let raw: Buffer;
  if (username.length === USERNAME_BYTES) raw = bytes;
  else if (username.length === USERNAME_CHARACTERS) {
    const text = bytes.toString('latin1');
    raw = Buffer.from(text, 'base64');
    // Only the one spelling that was issued: anything else would be a second name for the same token.
    if (raw.length !== USERNAME_BYTES || raw.toString('base64') !== text) return undefined;
  } else return undefined;
  return raw[0] === 1 && raw[1] === 0 && raw.readUInt16BE(2) === BLOB_BYTES ? raw : undefined;
}

function isSigned(raw: Buffer, key: MediaKey): boolean {
  return timingSafeEqual(hmac('sha1', key.username, raw.subarray(0, BLOB_BYTES)), raw.subarray(BLOB_BYTES));
}

/** Milliseconds since 1970, rounded down. */
function expiryOf(raw: Buffer): WallTime {
  const ticks = BigInt(raw.readUInt32BE(EXPIRY_AT)) | (BigInt(raw.readUInt32BE(EXPIRY_AT + 4)) << 32n);
  return Number((ticks - FILETIME_OF_EPOCH) / TICKS_PER_MS);
}
