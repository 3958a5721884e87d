import type { webcrypto } from 'node:crypto';
import { keyPem, loadX509Library } from './x509-library.ts';

/** What a certificate is asked for. */
export interface RequestedCertificate {
  /** dNSName entries; the first one becomes the common name too if it is short enough for one. */
  readonly hosts: readonly [string, ...string[]];
  readonly usages: readonly ('serverAuth' | 'clientAuth')[];
  readonly key: KeyKind;
}

/** ECDSA on P-256, or RSA with 3072 bits: about as strong as one another. */
export type KeyKind = 'ecdsa-p256' | 'rsa-3072';

/** A request (PKCS #10, RFC 2986) and the new key that signed it. */
export interface CertificateRequest {
  readonly requestPem: string;
  /** PKCS #8, unencrypted: a secret. */
  readonly keyPem: string;
}

const ALGORITHMS = {
  'ecdsa-p256': { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  'rsa-3072': {
    name: 'RSASSA-PKCS1-v1_5',
    modulusLength: 3072,
    publicExponent: Uint8Array.of(1, 0, 1),
    hash: 'SHA-256',
  },
} as const;

/** ub-common-name of RFC 5280 appendix A.1. */
const LONGEST_COMMON_NAME = 64;

/** Makes a key and a request for a certificate of it. */
export async function requestCertificate(wanted: RequestedCertificate): Promise<CertificateRequest> {
  const x509 = await loadX509Library();
  const algorithm = ALGORITHMS[wanted.key];
  const keys = (await crypto.subtle.generateKey(algorithm, true, [
    'sign',
    'verify',
  ])) as webcrypto.CryptoKeyPair;
  const [first] = wanted.hosts;
  // TLS 1.2 without forward secrecy, which older clients may ask an RSA key for, enciphers with it.
  const more = wanted.key === 'rsa-3072' ? x509.KeyUsageFlags.keyEncipherment : 0;
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: first.length <= LONGEST_COMMON_NAME ? [{ CN: [first] }] : [],
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | more, true),
      new x509.ExtendedKeyUsageExtension(wanted.usages.map((usage) => x509.ExtendedKeyUsage[usage])),
      // Without a subject the names alone say whose it is (RFC 5280 §4.2.1.6).
      new x509.SubjectAlternativeNameExtension(
        wanted.hosts.map((value) => ({ type: 'dns' as const, value })),
        first.length > LONGEST_COMMON_NAME,
      ),
    ],
  });
  return { requestPem: `${request.toString('pem').trim()}\n`, keyPem: await keyPem(x509, keys) };
}
