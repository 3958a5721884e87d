import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { err, failure, ok, type Result } from '#kernel';

/** No certificate, key or bundle of anchors is larger (the public web's bundle has 0.2 MB). */
const LARGEST_FILE = 4 * 1024 * 1024;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/** The text of a PEM file. */
export function readPemFile(file: string): Result<string> {
  try {
    const { size } = statSync(file);
    if (size > LARGEST_FILE) return err(failure('SLP-NET-0001', `${file}: ${size} bytes is no PEM file`));
    return ok(readFileSync(file, 'utf8'));
  } catch (problem) {
    const code = (problem as NodeJS.ErrnoException).code ?? 'unreadable';
    return err(failure('SLP-NET-0001', `${file}: ${code}`, problem));
  }
}

/** Every certificate of a PEM text in its order; a text says what is wrong with the first bad one. */
export function parseCertificates(pem: string): Result<X509Certificate[], string> {
  const certificates: X509Certificate[] = [];
  for (const [block] of pem.matchAll(CERTIFICATE)) {
    try {
      certificates.push(new X509Certificate(block));
    } catch {
      return err(`certificate ${certificates.length + 1} is not readable`);
    }
  }
  return certificates.length === 0 ? err('no BEGIN CERTIFICATE block') : ok(certificates);
}
