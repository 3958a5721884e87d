import { randomBytes, type webcrypto } from 'node:crypto';
import { chmod, mkdir, rename, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { dirname } from 'node:path';
import type { Extension, JsonGeneralName, X509Certificate } from '@peculiar/x509';
import type { KeyPairFiles } from './credentials.ts';
import { keyPem, loadX509Library, type X509Library } from './x509-library.ts';

/** What a leaf certificate of the lab asserts and may be used for. */
export interface LeafRequest {
  /** Subject common name, for people only. */
  readonly name: string;
  /** Host names and IP addresses (sorted into dNSName and iPAddress). */
  readonly hosts?: readonly string[];
  /** uniformResourceIdentifier names, e.g. `sip:example.com`. */
  readonly uris?: readonly string[];
  /** Extended key usages; both by default, an empty list leaves the extension out. */
  readonly usages?: readonly ('serverAuth' | 'clientAuth')[];
  /** URLs of revocation lists. */
  readonly lists?: readonly string[];
  /** Default: one hour ago. */
  readonly notBefore?: Date;
  /** Default: 30 days from now. */
  readonly notAfter?: Date;
}

export interface IssuedCertificate {
  /** The leaf, followed by the intermediates up to, not including, the root. */
  readonly certificatePem: string;
  readonly keyPem: string;
}

export interface AuthorityRequest {
  /** Subject common name. */
  readonly name: string;
  /** Default: one hour ago. */
  readonly notBefore?: Date;
  /** Default: 30 days from now. */
  readonly notAfter?: Date;
  /** pathLenConstraint; none by default. */
  readonly pathLength?: number;
  /** false makes a certificate that signs without being a CA (to test that nobody believes it). */
  readonly ca?: boolean;
}

interface Parts {
  readonly x509: X509Library;
  readonly certificate: X509Certificate;
  readonly keys: webcrypto.CryptoKeyPair;
  /** Intermediates from this authority up to, not including, the root, PEM. */
  readonly chainPem: string;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const HOUR = 3_600_000;

/** A certification authority for the lab and for tests (ECDSA P-256). Not for production identities. */
export class LabAuthority {
  /** This authority's own certificate, PEM. */
  readonly certificatePem: string;
  readonly #parts: Parts;

  private constructor(parts: Parts) {
    this.#parts = parts;
    this.certificatePem = pemOf(parts.certificate);
  }

  /** A new self-signed root. */
  static async create(request: AuthorityRequest): Promise<LabAuthority> {
    const x509 = await loadX509Library();
    const keys = await newKeys();
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      ...subjectAndDates(request),
      keys,
      signingAlgorithm: ALGORITHM,
      extensions: await authorityExtensions(x509, request, keys),
    });
    return new LabAuthority({ x509, certificate, keys, chainPem: '' });
  }

  /** An authority below this one. */
  async intermediate(request: AuthorityRequest): Promise<LabAuthority> {
    const { x509 } = this.#parts;
    const keys = await newKeys();
    const certificate = await this.#sign(request, keys, await authorityExtensions(x509, request, keys));
    return new LabAuthority({
      x509,
      certificate,
      keys,
      chainPem: pemOf(certificate) + this.#parts.chainPem,
    });
  }

  async issue(request: LeafRequest): Promise<IssuedCertificate> {
    const { x509 } = this.#parts;
    const keys = await newKeys();
    const certificate = await this.#sign(request, keys, leafExtensions(x509, request));
    return {
      certificatePem: pemOf(certificate) + this.#parts.chainPem,
      keyPem: await keyPem(x509, keys),
    };
  }

  /** A leaf that signed itself (to test that nobody believes it). */
  static async selfSigned(request: LeafRequest): Promise<IssuedCertificate> {
    const x509 = await loadX509Library();
    const keys = await newKeys();
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      ...subjectAndDates(request),
      keys,
      signingAlgorithm: ALGORITHM,
      extensions: leafExtensions(x509, request),
    });
    return { certificatePem: pemOf(certificate), keyPem: await keyPem(x509, keys) };
  }

  /** Issues and writes both files, the chain 0644 and the key 0600; creates their folders. */
  async issueTo(files: KeyPairFiles, request: LeafRequest): Promise<void> {
    const issued = await this.issue(request);
    await writeWhole(files.key, issued.keyPem, 0o600);
    await writeWhole(files.certificate, issued.certificatePem, 0o644);
  }

  /**
   * A revocation list in DER that counts for a day.
   * @param serials of the revoked certificates, in hex
   */
  async revocationList(serials: readonly string[]): Promise<Buffer> {
    const { x509, certificate, keys } = this.#parts;
    const now = Date.now();
    const list = await x509.X509CrlGenerator.create({
      issuer: certificate.subject,
      thisUpdate: new Date(now - 60_000),
      nextUpdate: new Date(now + 24 * HOUR),
      entries: serials.map((serialNumber) => ({ serialNumber, revocationDate: new Date(now - 60_000) })),
      signingAlgorithm: ALGORITHM,
      signingKey: keys.privateKey,
    });
    return Buffer.from(list.rawData);
  }

  /** Writes this authority's certificate (0644), to be the trust anchor file of others. */
  async writeCertificate(file: string): Promise<void> {
    await writeWhole(file, this.certificatePem, 0o644);
  }

  async #sign(
    request: AuthorityRequest | LeafRequest,
    keys: webcrypto.CryptoKeyPair,
    extensions: Extension[],
  ): Promise<X509Certificate> {
    const { x509, certificate, keys: own } = this.#parts;
    const { name: subject, ...rest } = subjectAndDates(request);
    return x509.X509CertificateGenerator.create({
      ...rest,
      subject,
      issuer: certificate.subject,
      publicKey: keys.publicKey,
      signingKey: own.privateKey,
      signingAlgorithm: ALGORITHM,
      extensions: [...extensions, await x509.AuthorityKeyIdentifierExtension.create(own.publicKey)],
    });
  }
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>;
}

function subjectAndDates(request: AuthorityRequest | LeafRequest) {
  const now = Date.now();
  const serial = randomBytes(16);
  serial[0] = (serial[0]! & 0x7f) | 0x40; // positive and of one length
  return {
    name: [{ CN: [request.name] }],
    serialNumber: serial.toString('hex'),
    notBefore: request.notBefore ?? new Date(now - HOUR),
    notAfter: request.notAfter ?? new Date(now + 30 * 24 * HOUR),
  };
}

async function authorityExtensions(
  x509: X509Library,
  request: AuthorityRequest,
  keys: webcrypto.CryptoKeyPair,
): Promise<Extension[]> {
  const identifier = await x509.SubjectKeyIdentifierExtension.create(keys.publicKey);
  if (request.ca === false) return [new x509.BasicConstraintsExtension(false, undefined, true), identifier];
  return [
    new x509.BasicConstraintsExtension(true, request.pathLength, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    identifier,
  ];
}

function leafExtensions(x509: X509Library, request: LeafRequest): Extension[] {
  const extensions: Extension[] = [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
  ];
  const usages = request.usages ?? ['serverAuth', 'clientAuth'];
  if (usages.length > 0)
    extensions.push(new x509.ExtendedKeyUsageExtension(usages.map((usage) => x509.ExtendedKeyUsage[usage])));
  const names: JsonGeneralName[] = [
    ...(request.hosts ?? []).map((host) => ({
      type: isIP(host) ? ('ip' as const) : ('dns' as const),
      value: host,
    })),
    ...(request.uris ?? []).map((uri) => ({ type: 'url' as const, value: uri })),
  ];
  if (request.lists !== undefined)
    extensions.push(new x509.CRLDistributionPointsExtension([...request.lists]));
  if (names.length > 0) extensions.push(new x509.SubjectAlternativeNameExtension(names));
  return extensions;
}

function pemOf(certificate: X509Certificate): string {
  return `${certificate.toString('pem').trim()}\n`;
}

/** A reader never sees half a file, and a key is never readable by others for a moment. */
async function writeWhole(file: string, text: string, mode: number): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const draft = `${file}.${randomBytes(6).toString('hex')}.new`;
  await writeFile(draft, text, { mode, flag: 'wx' });
  await chmod(draft, mode); // whatever the umask is
  await rename(draft, file);
}
