import type { webcrypto } from 'node:crypto';

/** The library that makes certificates and requests. */
export type X509Library = typeof import('@peculiar/x509');

/** Only who makes certificates pays for the library (and for the metadata polyfill that it insists on). */
export async function loadX509Library(): Promise<X509Library> {
  await import('reflect-metadata');
  return import('@peculiar/x509');
}

/** The private key as unencrypted PKCS #8 in PEM. */
export async function keyPem(x509: X509Library, keys: webcrypto.CryptoKeyPair): Promise<string> {
  const pkcs8 = await crypto.subtle.exportKey('pkcs8', keys.privateKey);
  return `${x509.PemConverter.encode(pkcs8, 'PRIVATE KEY').trim()}\n`;
}
