import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';

/** Bytes of a raw Ed25519 public key and of a signature (RFC 8032 §5.1). */
const PUBLIC_BYTES = 32;
const SIGNATURE_BYTES = 64;

/** The key with which a management store signs what it publishes. */
export interface SigningKey {
  /** The raw public key, base64url. */
  readonly publicKey: string;
  /** What people compare: see {@link fingerprintOf}. */
  readonly fingerprint: string;
  readonly secret: KeyObject;
}

export function makeSigningKey(): SigningKey {
  return signingKey(generateKeyPairSync('ed25519').privateKey);
}

/** @returns undefined for what is no Ed25519 private key in PEM form */
export function readSigningKey(pem: string): SigningKey | undefined {
  try {
    const key = createPrivateKey(pem);
    return key.asymmetricKeyType === 'ed25519' ? signingKey(key) : undefined;
  } catch {
    return undefined;
  }
}

export function signingKeyPem(key: SigningKey): string {
  return key.secret.export({ format: 'pem', type: 'pkcs8' }) as string;
}

function signingKey(secret: KeyObject): SigningKey {
  const publicKey = createPublicKey(secret).export({ format: 'jwk' }).x ?? '';
  return { publicKey, fingerprint: fingerprintOf(publicKey), secret };
}

/** `SHA256:` and the hash of the raw public key in base64, as SSH prints the fingerprints of its keys. */
export function fingerprintOf(publicKey: string): string {
  const hash = createHash('sha256').update(Buffer.from(publicKey, 'base64url')).digest('base64');
  return `SHA256:${hash.replace(/=+$/, '')}`;
}

/** What a store signs. */
export type SignedPurpose = 'link' | 'activation';

/** Signatures of one purpose are none for another. */
function signedBytes(purpose: SignedPurpose, text: string): Buffer {
  return Buffer.from(`sallyport replication ${purpose} 1\0${text}`);
}

/** @returns base64url */
export function signText(key: SigningKey, purpose: SignedPurpose, text: string): string {
  return sign(null, signedBytes(purpose, text), key.secret).toString('base64url');
}

export function verifyText(
  publicKey: string,
  purpose: SignedPurpose,
  text: string,
  signature: string,
): boolean {
  const raw = exactly(publicKey, PUBLIC_BYTES);
  const bytes = exactly(signature, SIGNATURE_BYTES);
  if (raw === undefined || bytes === undefined) return false;
  try {
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey }, format: 'jwk' });
    return verify(null, signedBytes(purpose, text), key, bytes);
  } catch {
    return false;
  }
}

/** Base64url in its one spelling, of exactly so many bytes. */
export function exactly(text: string, bytes: number): Buffer | undefined {
  const decoded = Buffer.from(text, 'base64url');
  return decoded.length === bytes && decoded.toString('base64url') === text ? decoded : undefined;
}
