import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { exactly, fingerprintOf } from './signing-key.ts';

/**
 * A secret that one edge alone can read: X25519 with a key pair made for this secret, HKDF-SHA-256, AES-256-GCM. The
 * names of edge and secret are authenticated with it, so that a box cannot be given to another edge or pass for
 * another secret. Layout: public key (32), nonce (12), ciphertext, tag (16).
 *
 * RFC 7748 §6.1, RFC 5869 §2.
 */
export interface SealingKey {
  /** The raw public key, base64url. */
  readonly publicKey: string;
  readonly fingerprint: string;
  readonly secret: KeyObject;
}
/** What a box is bound to. */
export interface SealContext {
  /** host.name of the edge. */
  readonly edge: string;
  /** Name of the secret. */
  readonly name: string;
}

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
export const SEAL_OVERHEAD = KEY_BYTES + NONCE_BYTES + TAG_BYTES;

export function makeSealingKey(): SealingKey {
  return sealingKey(generateKeyPairSync('x25519').privateKey);
}

/** @returns undefined for what is no X25519 private key in PEM form */
export function readSealingKey(pem: string): SealingKey | undefined {
  try {
    const key = createPrivateKey(pem);
    return key.asymmetricKeyType === 'x25519' ? sealingKey(key) : undefined;
  } catch {
    return undefined;
  }
}

export function sealingKeyPem(key: SealingKey): string {
  return key.secret.export({ format: 'pem', type: 'pkcs8' }) as string;
}

function sealingKey(secret: KeyObject): SealingKey {
  const publicKey = createPublicKey(secret).export({ format: 'jwk' }).x ?? '';
  return { publicKey, fingerprint: fingerprintOf(publicKey), secret };
}

/** Whether it has the form of a public key to seal to. */
export function isSealingPublicKey(publicKey: string): boolean {
  return exactly(publicKey, KEY_BYTES) !== undefined;
}

/** @returns undefined when the public key is none, or one of those with which nothing can be agreed upon */
export function seal(secret: Uint8Array, publicKey: string, context: SealContext): Buffer | undefined {
  const recipient = exactly(publicKey, KEY_BYTES);
  if (recipient === undefined) return undefined;
  const pair = generateKeyPairSync('x25519');
  const own = Buffer.from(createPublicKey(pair.privateKey).export({ format: 'jwk' }).x ?? '', 'base64url');
  const key = agree(pair.privateKey, recipient, own, recipient);
  if (key === undefined) return undefined;
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(authenticated(context));
  const body = Buffer.concat([cipher.update(secret), cipher.final()]);
  return Buffer.concat([own, nonce, body, cipher.getAuthTag()]);
}

/** @returns undefined when the box was sealed to another key or for something else, or was changed */
export function unseal(box: Uint8Array, key: SealingKey, context: SealContext): Buffer | undefined {
  if (box.length < SEAL_OVERHEAD) return undefined;
  const sender = box.subarray(0, KEY_BYTES);
  const nonce = box.subarray(KEY_BYTES, KEY_BYTES + NONCE_BYTES);
  const body = box.subarray(KEY_BYTES + NONCE_BYTES, box.length - TAG_BYTES);
  const shared = agree(key.secret, sender, sender, Buffer.from(key.publicKey, 'base64url'));
  if (shared === undefined) return undefined;
  try {
    const decipher = createDecipheriv('aes-256-gcm', shared, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(authenticated(context));
    decipher.setAuthTag(box.subarray(box.length - TAG_BYTES));
    return Buffer.concat([decipher.update(body), decipher.final()]);
  } catch {
    return undefined;
  }
}

/** Both public keys are part of the derivation, so that a box belongs to exactly one pair. */
function agree(
  secret: KeyObject,
  other: Uint8Array,
  sender: Uint8Array,
  recipient: Uint8Array,
): Buffer | undefined {
  try {
    const x = Buffer.from(other).toString('base64url');
    const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x }, format: 'jwk' });
    const shared = diffieHellman({ privateKey: secret, publicKey });
    const salt = Buffer.concat([sender, recipient]);
    return Buffer.from(hkdfSync('sha256', shared, salt, 'sallyport sealed secret 1', 32));
  } catch {
    return undefined;
  }
}

function authenticated({ edge, name }: SealContext): Buffer {
  return Buffer.from(`${edge}\0${name}`);
}
