import { hash } from 'node:crypto';

/** RFC 7616 §6.1, RFC 8760 §2.2. With `-sess` the first hash also covers nonce and cnonce. */
export type DigestAlgorithm =
  | 'MD5'
  | 'MD5-sess'
  | 'SHA-256'
  | 'SHA-256-sess'
  | 'SHA-512-256'
  | 'SHA-512-256-sess';

const hashes: { readonly [algorithm in DigestAlgorithm]: string } = {
  MD5: 'md5',
  'MD5-sess': 'md5',
  'SHA-256': 'sha256',
  'SHA-256-sess': 'sha256',
  'SHA-512-256': 'sha512-256',
  'SHA-512-256-sess': 'sha512-256',
};
const names = new Map(Object.keys(hashes).map((name) => [name.toLowerCase(), name as DigestAlgorithm]));

/** The algorithm of that name in any case; undefined when this server does not know it. */
export function digestAlgorithm(name: string): DigestAlgorithm | undefined {
  return names.get(name.toLowerCase());
}

export function isSession(algorithm: DigestAlgorithm): boolean {
  return algorithm.endsWith('-sess');
}

/** Lower-case hexadecimal, as every hash in this scheme is written. */
export function digestHash(algorithm: DigestAlgorithm, data: string | Uint8Array): string {
  return hash(hashes[algorithm], data, 'hex');
}
