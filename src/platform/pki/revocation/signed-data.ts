import { type KeyObject, verify } from 'node:crypto';
import { type DerReader, DerTag, readBits, readOid } from '../der.ts';

/** Something signed in the manner of X.509: what is signed, by which algorithm, and the signature. */
export interface SignedData {
  /** With tag and length, as it was signed. */
  readonly signed: Uint8Array;
  readonly algorithm: string;
  readonly signature: Uint8Array;
}

/** Digest of each algorithm that counts (RFC 9155: none with SHA-1); null where the key says it. */
const digests: ReadonlyMap<string, string | null> = new Map([
  ['1.2.840.113549.1.1.11', 'sha256'],
  ['1.2.840.113549.1.1.12', 'sha384'],
  ['1.2.840.113549.1.1.13', 'sha512'],
  ['1.2.840.10045.4.3.2', 'sha256'],
  ['1.2.840.10045.4.3.3', 'sha384'],
  ['1.2.840.10045.4.3.4', 'sha512'],
  ['1.3.101.112', null],
  ['1.3.101.113', null],
]);

/** Reads the three fields; what follows them stays in the reader. */
export function readSignedData(fields: DerReader): SignedData {
  const signed = fields.whole();
  const algorithm = readOid(fields.sequence().expect(DerTag.oid));
  return { signed, algorithm, signature: readBits(fields.expect(DerTag.bitString)) };
}

/** Whether the key made the signature; false also for algorithms that do not count. */
export function isSignedWith({ signed, algorithm, signature }: SignedData, key: KeyObject): boolean {
  const digest = digests.get(algorithm);
  if (digest === undefined) return false;
  try {
    return verify(digest, signed, key, signature);
  } catch {
    return false; // a key of another kind
  }
}
