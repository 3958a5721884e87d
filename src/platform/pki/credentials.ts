import { createPrivateKey, type KeyObject, type X509Certificate } from 'node:crypto';
import { statSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { err, type Failure, failure, ok, type Result, type WallTime } from '#kernel';
import { type CertificateFacts, certificateFacts } from './certificate.ts';
import type { CertificateNames } from './names.ts';
import { parseCertificates, readPemFile } from './pem.ts';
import { fingerprint, subjectText } from './verify.ts';

/** PEM files, absolute paths. */
export interface KeyPairFiles {
  readonly certificate: string;
  readonly key: string;
}

const DAY = 86_400_000;
/** An operator wants to hear of a certificate that ends sooner. */
const EXPIRY_NOTICE = 14 * DAY;

/** An identity of our own, ready for TLS: certificate chain and private key that belong together. */
export class Credentials {
  readonly names: CertificateNames;
  readonly notAfter: WallTime;
  /** SHA-256 of the leaf, lower-case hex. */
  readonly fingerprint: string;
  /** Things worth telling the operator that do not prevent use. */
  readonly warnings: readonly string[];
  readonly #certificatePem: string;
  readonly #keyPem: string;

  constructor(parts: {
    readonly leaf: X509Certificate;
    readonly facts: CertificateFacts;
    readonly certificatePem: string;
    readonly keyPem: string;
    readonly warnings: readonly string[];
  }) {
    this.names = parts.facts.names;
    this.notAfter = parts.facts.notAfter;
    this.fingerprint = fingerprint(parts.leaf);
    this.warnings = parts.warnings;
    this.#certificatePem = parts.certificatePem;
    this.#keyPem = parts.keyPem;
  }
  /** For `tls.createSecureContext`. The key is a secret: pass it on and forget it. */
  secureContextOptions(): { readonly cert: string; readonly key: string } {
    return { cert: this.#certificatePem, key: this.#keyPem };
  }
}

/** Loads and checks a chain and its key; a failure names the file and the cause, its catalogue entry the remedy. */
export function loadCredentials(files: KeyPairFiles, at: WallTime = Date.now()): Result<Credentials> {
  const certificatePem = readPemFile(files.certificate);
  if (!certificatePem.ok) return certificatePem;
  const keyPem = readPemFile(files.key);
  if (!keyPem.ok) return keyPem;
  const warnings = isReadableByOthers(files.key) ? [`${files.key}: everyone may read this private key`] : [];
  return parseCredentials(
    { certificatePem: certificatePem.value, keyPem: keyPem.value },
    at,
    files,
    warnings,
  );
}

/**
 * The same from text.
 * @param origin file names for the failures
 */
export function parseCredentials(
  pem: { readonly certificatePem: string; readonly keyPem: string },
  at: WallTime,
  origin: KeyPairFiles,
  warnings: readonly string[] = [],
): Result<Credentials> {
  const chain = parseCertificates(pem.certificatePem);
  if (!chain.ok) return err(failure('SLP-NET-0002', `${origin.certificate}: ${chain.error}`));
  const leaf = chain.value[0]!;
  const facts = certificateFacts(leaf);
  if (!facts.ok) return err(failure('SLP-NET-0002', `${origin.certificate}: ${facts.error}`));
  const key = parseKey(pem.keyPem);
  if (key === undefined) return err(failure('SLP-NET-0003', origin.key));
  if (!leaf.checkPrivateKey(key))
    return err(failure('SLP-NET-0004', `${origin.key} for ${origin.certificate} (${subjectText(leaf)})`));
  const problem = factProblem(facts.value, origin.certificate, at) ?? contextProblem(pem, origin.certificate);
  if (problem !== undefined) return err(problem);
  return ok(
    new Credentials({
      leaf,
      facts: facts.value,
      ...pem,
      warnings: [...warnings, ...chainWarnings(chain.value, facts.value, origin.certificate, at)],
    }),
  );
}

function parseKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}

function factProblem(facts: CertificateFacts, file: string, at: WallTime): Failure | undefined {
  if (at > facts.notAfter)
    return failure('SLP-NET-0005', `${file}: expired ${new Date(facts.notAfter).toISOString()}`);
  if (at < facts.notBefore)
    return failure('SLP-NET-0005', `${file}: not valid before ${new Date(facts.notBefore).toISOString()}`);
  const { dns, ip, uri, xmpp, srv } = facts.names;
  if ([dns, ip, uri, xmpp, srv].every((names) => names.length === 0)) return failure('SLP-NET-0006', file);
  return undefined;
}

function contextProblem(
  pem: { readonly certificatePem: string; readonly keyPem: string },
  file: string,
): Failure | undefined {
  try {
    createSecureContext({ cert: pem.certificatePem, key: pem.keyPem });
    return undefined;
  } catch (problem) {
    const code = (problem as NodeJS.ErrnoException).code ?? 'refused';
    return failure('SLP-NET-0008', `${file}: ${code}`, problem);
  }
}

function chainWarnings(
  chain: readonly X509Certificate[],
  facts: CertificateFacts,
  file: string,
  at: WallTime,
): string[] {
  const warnings: string[] = [];
  if (facts.notAfter - at < EXPIRY_NOTICE)
    warnings.push(`${file}: expires in ${Math.floor((facts.notAfter - at) / DAY)} days`);
  for (const [index, certificate] of chain.entries()) {
    const issuer = chain[index + 1];
    if (issuer !== undefined && !certificate.checkIssued(issuer))
      warnings.push(
        `${file}: certificate ${index + 2} did not issue certificate ${index + 1}; order the chain`,
      );
  }
  return warnings;
}

function isReadableByOthers(file: string): boolean {
  return (statSync(file).mode & 0o007) !== 0;
}
