import type { X509Certificate } from 'node:crypto';
import { err, ok, type Result, type WallTime } from '#kernel';
import {
  DerError,
  DerReader,
  DerTag,
  readBits,
  readBoolean,
  readOid,
  readSerial,
  readSmallInteger,
} from './der.ts';
import { type CertificateNames, canonicalAddress, canonicalPresentedName } from './names.ts';

/** What verification needs to know of a certificate, read from its DER once. */
export interface CertificateFacts {
  readonly notBefore: WallTime;
  readonly notAfter: WallTime;
  readonly selfIssued: boolean;
  readonly ca: boolean;
  /** pathLenConstraint, if any. */
  readonly pathLength: number | undefined;
  /** keyUsage present and without keyCertSign: signs no certificates. */
  readonly mayNotSignCertificates: boolean;
  /** keyUsage present and without cRLSign: signs no revocation lists. */
  readonly mayNotSignLists: boolean;
  /** Extended key usages; undefined when the extension is absent (any use). */
  readonly extendedKeyUsages: readonly string[] | undefined;
  readonly names: CertificateNames;
  readonly signatureAlgorithm: string;
  /** Object identifiers of extensions that must be processed and that we do not process. */
  readonly unsupported: readonly string[];
}

const Extension = {
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  certificatePolicies: '2.5.29.32',
  extendedKeyUsage: '2.5.29.37',
} as const;

const XMPP_ADDR = '1.3.6.1.5.5.7.8.5';
const DNS_SRV = '1.3.6.1.5.5.7.8.7';
/** Bit 5 of keyUsage (RFC 5280 §4.2.1.3), counted from the most significant. */
const KEY_CERT_SIGN = 0x04;
const CRL_SIGN = 0x02;
/** More names than this in one certificate are not read (RFC 5280 sets no bound). */
const MOST_NAMES = 1000;

const known = new WeakMap<X509Certificate, Result<CertificateFacts, string>>();

/** Facts of a certificate, read once for each object; an error text when its DER is not as RFC 5280 wants it. */
export function certificateFacts(certificate: X509Certificate): Result<CertificateFacts, string> {
  let facts = known.get(certificate);
  if (facts === undefined) {
    facts = readCertificate(certificate.raw, {
      notBefore: certificate.validFromDate.getTime(),
      notAfter: certificate.validToDate.getTime(),
    });
    known.set(certificate, facts);
  }
  return facts;
}

/** The same from DER (RFC 5280 §4.1); the caller knows the dates. */
export function readCertificate(
  der: Uint8Array,
  dates: { readonly notBefore: WallTime; readonly notAfter: WallTime },
): Result<CertificateFacts, string> {
  try {
    return ok(readFacts(der, dates));
  } catch (problem) {
    if (problem instanceof DerError) return err(problem.message);
    throw problem;
  }
}

function readFacts(
  der: Uint8Array,
  dates: { readonly notBefore: WallTime; readonly notAfter: WallTime },
): CertificateFacts {
  const { signatureAlgorithm, issuer, subject, extensions } = readFields(der);
  return {
    ...dates,
    signatureAlgorithm,
    selfIssued: Buffer.compare(issuer, subject) === 0,
    ...readExtensions(extensions),
  };
}

interface Fields {
  readonly serial: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly signatureAlgorithm: string;
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly extensions: Uint8Array | undefined;
}

/** The fields of RFC 5280 §4.1 that matter here. */
function readFields(der: Uint8Array): Fields {
  const certificate = new DerReader(der).sequence();
  const tbs = certificate.sequence();
  const signatureAlgorithm = readOid(certificate.sequence().expect(DerTag.oid));
  tbs.optional(DerTag.explicit(0)); // version
  const serial = tbs.expect(DerTag.integer);
  tbs.sequence(); // signature
  const issuer = tbs.expect(DerTag.sequence);
  tbs.sequence(); // validity
  const subject = tbs.expect(DerTag.sequence);
  const publicKey = tbs.expect(DerTag.sequence);
  tbs.optional(DerTag.implicit(1)); // issuerUniqueID
  tbs.optional(DerTag.implicit(2)); // subjectUniqueID
  return {
    serial,
    publicKey,
    signatureAlgorithm,
    issuer,
    subject,
    extensions: tbs.optional(DerTag.explicit(3)),
  };
}

/**
 * The value of one extension (the DER in its OCTET STRING), undefined when the certificate has none.
 * @throws DerError when the certificate is not as RFC 5280 wants it
 */
export function extensionValue(der: Uint8Array, oid: string): Uint8Array | undefined {
  for (const extension of eachExtension(readFields(der).extensions)) {
    if (extension.oid === oid) return extension.value;
  }
  return undefined;
}

/** What revocation data refers to a certificate by: bytes as they stand in it. */
export interface CertificateIdentity {
  /** Lower-case hex. */
  readonly serial: string;
  /** Contents of the Name. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  /** The whole Name of the subject, as OCSP hashes it. */
  readonly subjectName: Uint8Array;
  /** The octets of the subjectPublicKey bit string, as OCSP hashes them. */
  readonly publicKeyBits: Uint8Array;
}

/** @throws DerError when the certificate is not as RFC 5280 wants it */
export function certificateIdentity(der: Uint8Array): CertificateIdentity {
  const { serial, issuer, subject, publicKey } = readFields(der);
  const key = new DerReader(publicKey);
  key.sequence(); // algorithm
  return {
    serial: readSerial(serial),
    issuer,
    subject,
    subjectName: encodeSequence(subject),
    publicKeyBits: readBits(key.expect(DerTag.bitString)),
  };
}

function encodeSequence(content: Uint8Array): Uint8Array {
  const { length } = content;
  if (length > 0xffff) throw new DerError('a name of impossible size');
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Uint8Array.of(DerTag.sequence, ...size), content]);
}

interface ExtensionField {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Uint8Array;
}

export function* eachExtension(bytes: Uint8Array | undefined): Generator<ExtensionField> {
  const seen = new Set<string>();
  const list = bytes === undefined ? undefined : new DerReader(bytes).sequence();
  while (list !== undefined && !list.done) {
    const extension = list.sequence();
    const oid = readOid(extension.expect(DerTag.oid));
    const critical = readBoolean(extension.optional(DerTag.boolean) ?? Uint8Array.of(0));
    if (seen.has(oid)) throw new DerError(`extension ${oid} appears twice`);
    seen.add(oid);
    yield { oid, critical, value: extension.expect(DerTag.octetString) };
  }
}

type ExtensionFacts = Omit<CertificateFacts, 'notBefore' | 'notAfter' | 'signatureAlgorithm' | 'selfIssued'>;

function readExtensions(bytes: Uint8Array | undefined): ExtensionFacts {
  let basic: { ca: boolean; pathLength: number | undefined } = { ca: false, pathLength: undefined };
  let mayNotSignCertificates = false;
  let mayNotSignLists = false;
  let extendedKeyUsages: readonly string[] | undefined;
  let names: CertificateNames = { dns: [], ip: [], uri: [], xmpp: [], srv: [] };
  const unsupported: string[] = [];
  for (const { oid, critical, value: bytesOfValue } of eachExtension(bytes)) {
    const value = new DerReader(bytesOfValue);
    if (oid === Extension.basicConstraints) basic = readBasicConstraints(value);
    else if (oid === Extension.keyUsage) {
      const usage = readKeyUsage(value);
      mayNotSignCertificates = (usage & KEY_CERT_SIGN) === 0;
      mayNotSignLists = (usage & CRL_SIGN) === 0;
    } else if (oid === Extension.extendedKeyUsage) extendedKeyUsages = readUsages(value);
    else if (oid === Extension.subjectAltName) names = readNames(value);
    else if (oid === Extension.nameConstraints) unsupported.push(oid);
    else if (critical && oid !== Extension.certificatePolicies) unsupported.push(oid);
  }
  return { ...basic, mayNotSignCertificates, mayNotSignLists, extendedKeyUsages, names, unsupported };
}

function readBasicConstraints(value: DerReader): { ca: boolean; pathLength: number | undefined } {
  const fields = value.sequence();
  const ca = fields.optional(DerTag.boolean);
  const pathLength = fields.optional(DerTag.integer);
  return {
    ca: ca !== undefined && readBoolean(ca),
    pathLength: pathLength === undefined ? undefined : readSmallInteger(pathLength),
  };
}

/** The first octet of the usages. */
function readKeyUsage(value: DerReader): number {
  return value.expect(DerTag.bitString)[1] ?? 0;
}

function readUsages(value: DerReader): string[] {
  const usages: string[] = [];
  const list = value.sequence();
  while (!list.done) usages.push(readOid(list.expect(DerTag.oid)));
  return usages;
}

/** GeneralNames (RFC 5280 §4.2.1.6); names that could never match anything are left out. */
function readNames(value: DerReader): CertificateNames {
  const names = {
    dns: [] as string[],
    ip: [] as string[],
    uri: [] as string[],
    xmpp: [] as string[],
    srv: [] as string[],
  };
  const list = value.sequence();
  for (let count = 0; !list.done; count++) {
    if (count >= MOST_NAMES) throw new DerError('too many names');
    const { tag, content } = list.next();
    if (tag === DerTag.implicit(2)) add(names.dns, canonicalPresentedName(visibleText(content) ?? ''));
    else if (tag === DerTag.implicit(6)) add(names.uri, visibleText(content));
    else if (tag === DerTag.implicit(7)) add(names.ip, addressText(content));
    else if (tag === DerTag.explicit(0)) readOtherName(content, names);
  }
  return names;
}

function readOtherName(
  content: Uint8Array,
  names: { readonly xmpp: string[]; readonly srv: string[] },
): void {
  const fields = new DerReader(content);
  const type = readOid(fields.expect(DerTag.oid));
  const value = fields.expect(DerTag.explicit(0));
  if (type === XMPP_ADDR) {
    const text = Buffer.from(new DerReader(value).expect(DerTag.utf8String)).toString('utf8');
    add(names.xmpp, /[\p{Cc}\p{Z}\ufffd]/u.test(text) ? undefined : text);
  } else if (type === DNS_SRV) {
    add(names.srv, visibleText(new DerReader(value).expect(DerTag.ia5String))?.toLowerCase());
  }
}

function add(list: string[], name: string | undefined): void {
  if (name !== undefined && name.length > 0) list.push(name);
}

/** Visible ASCII only; anything else (NUL above all) makes it no name. */
function visibleText(content: Uint8Array): string | undefined {
  for (const byte of content) if (byte <= 0x20 || byte >= 0x7f) return undefined;
  return Buffer.from(content).toString('latin1');
}

function addressText(content: Uint8Array): string | undefined {
  if (content.length === 4) return content.join('.');
  if (content.length !== 16) return undefined;
  const groups: string[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(((content[i]! << 8) | content[i + 1]!).toString(16));
  return canonicalAddress(groups.join(':'));
}
