import { hkdfSync } from 'node:crypto';
import { err, type Failure, failure, ok, type Result } from '#kernel';

/** Bytes of key material in a key file: at least this, at most twice this. */
const KEY_BYTES = 32;

/** The pool's media key, as the three keys that tokens are made with. Every edge of a pool holds the same. */
export interface MediaKey {
  /** Turns an identity into the token's client id. */
  readonly identity: Uint8Array;
  /** Signs the token's blob. */
  readonly username: Uint8Array;
  /** Turns a username into its password. */
  readonly password: Uint8Array;
}

/** The text of a new key file, from 32 unpredictable bytes. */
export function mediaKeyText(material: Uint8Array): string {
  if (material.length !== KEY_BYTES) throw new RangeError(`a media key has ${KEY_BYTES} bytes`);
  return `${Buffer.from(material).toString('base64')}\n`;
}

/** Reads a key file: base64 of 32 to 64 bytes, white space around it ignored. */
export function parseMediaKey(file: Uint8Array): Result<MediaKey, Failure> {
  const text = Buffer.from(file.buffer, file.byteOffset, Math.min(file.length, 1024))
    .toString('latin1')
    .trim();
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return err(failure('SLP-AV-0201', 'it is not base64 text'));
  const material = Buffer.from(text, 'base64');
  if (material.length < KEY_BYTES || material.length > 2 * KEY_BYTES) {
    return err(failure('SLP-AV-0201', `it holds ${material.length} bytes instead of ${KEY_BYTES}`));
  }
  return ok({
    identity: derive(material, 'identity'),
    username: derive(material, 'username'),
    password: derive(material, 'password'),
  });
}

function derive(material: Buffer, purpose: string): Uint8Array {
  return Buffer.from(hkdfSync('sha256', material, '', `sallyport media token 1 ${purpose}`, 32));
}
