import { err, type Failure, failure, ok, type Result, type WallTime } from '#kernel';
import { hmac, longTermKey, type PasswordAlgorithm } from '#protocols/stun';
import {
  type Credential,
  type CredentialRefusal,
  LONGEST_USERNAME,
  type MediaCredentialVerifier,
} from './verifier.ts';

/** A time-limited credential as services that share a static secret with the relay hand them out. */
export interface RestCredential {
  /** `expiry:user`, or only the expiry when no user is named. */
  readonly username: string;
  /** base64(HMAC-SHA1(secret, username)). */
  readonly password: string;
}

/** Most digits of an expiry in seconds: past the year 300 000, below 2^53. */
const EXPIRY_DIGITS = 13;

/** Makes the credential of `user` that is good until `expires` (rounded down to the second). */
export function restCredential(secret: Uint8Array | string, user: string, expires: WallTime): RestCredential {
  const seconds = String(Math.floor(expires / 1000));
  const username = user === '' ? seconds : `${seconds}:${user}`;
  return { username, password: restPassword(secret, username) };
}

/** The password that belongs to a username of this form: base64(HMAC-SHA1(secret, username)). */
export function restPassword(secret: Uint8Array | string, username: Uint8Array | string): string {
  const key = typeof secret === 'string' ? Buffer.from(secret) : secret;
  return hmac('sha1', key, username).toString('base64');
}

/** Reads a secret file: one line of text, its line end ignored, 16 to 512 bytes. */
export function parseRestSecret(file: Uint8Array): Result<Buffer, Failure> {
  const text = Buffer.from(file.buffer, file.byteOffset, Math.min(file.length, 1024)).toString('latin1');
  const line = text.replace(/\r?\n$/, '');
  if (/[\r\n\0]/.test(line)) return err(failure('SLP-AV-0202', 'it has more than one line'));
  if (line.length < 16 || line.length > 512) {
    return err(failure('SLP-AV-0202', `it has ${line.length} bytes; 16 to 512 are allowed`));
  }
  return ok(Buffer.from(line, 'latin1'));
}

/** Verifies REST credentials against several secrets (a new one beside the old one while they are rolled). */
export class RestVerifier implements MediaCredentialVerifier {
  readonly #secrets: readonly Uint8Array[];

  /** @param secrets at most 8: every request of an unknown key costs one HMAC a secret */
  constructor(secrets: readonly Uint8Array[]) {
    if (secrets.length > 8) throw new RangeError('more than 8 secrets');
    this.#secrets = secrets.map((secret) => Buffer.from(secret));
  }

  lookup(
    username: Uint8Array,
    realm: string,
    wall: WallTime,
    algorithm: PasswordAlgorithm = 'md5',
  ): Result<Credential, CredentialRefusal> {
    if (username.length === 0 || username.length > LONGEST_USERNAME) return err('malformed');
    if (this.#secrets.length === 0) return err('unknown');
    const parsed = readUsername(username);
    if (parsed === undefined) return err('unknown');
    if (parsed.expires <= wall) return err('expired');
    const keys = this.#secrets.map((secret) =>
      longTermKey(username, realm, restPassword(secret, username), algorithm),
    );
    return ok({ keys, user: `rest:${parsed.user}`, expires: parsed.expires });
  }
}

const COLON = 0x3a;

/**
 * The username's forms: `expiry`, `expiry:user`, and `user:expiry`, split at the first colon as coturn does. The
 * user part is kept byte for byte (as latin1), so that different bytes are different users.
 */
export function readUsername(username: Uint8Array): { expires: WallTime; user: string } | undefined {
  const colon = username.indexOf(COLON);
  const end = colon < 0 ? username.length : colon;
  const before = readSeconds(username, 0, end);
  const latin1 = Buffer.from(username.buffer, username.byteOffset, username.length);
  if (before !== undefined) {
    return { expires: before * 1000, user: colon < 0 ? '' : latin1.toString('latin1', colon + 1) };
  }
  if (colon < 0) return undefined;
  const after = readSeconds(username, colon + 1, username.length);
  return after === undefined
    ? undefined
    : { expires: after * 1000, user: latin1.toString('latin1', 0, colon) };
}

/** Decimal digits only, at least one. */
function readSeconds(bytes: Uint8Array, start: number, end: number): number | undefined {
  if (end <= start || end - start > EXPIRY_DIGITS) return undefined;
  let value = 0;
  for (let at = start; at < end; at += 1) {
    const digit = (bytes[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return value;
}
