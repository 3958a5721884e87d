import type { X509Certificate } from 'node:crypto';
import { err, ok, type Result, type WallTime } from '#kernel';
import { type CertificateFacts, certificateFacts } from './certificate.ts';
import type { CertificateNames } from './names.ts';
import type { TrustAnchors } from './trust-anchors.ts';

/** A peer whose certificate chain was verified by our own code. */
export interface VerifiedPeer {
  readonly names: CertificateNames;
  /** Distinguished name on one line, for logs only; never an identity. */
  readonly subject: string;
  /** SHA-256 of the leaf, lower-case hex. */
  readonly fingerprint: string;
  readonly notBefore: WallTime;
  readonly notAfter: WallTime;
  /** The path that was verified: the leaf first, the anchor last (only the leaf when it is an anchor itself). */
  readonly path: readonly X509Certificate[];
}

/** What the leaf's extended key usage must allow. */
export type Purpose =
  /** The peer acts as a server, or asserts a server's identity: serverAuth (or no EKU at all). */
  | 'server-identity'
  /** A server of the internal network that connects to us: clientAuth or serverAuth (or no EKU at all). */
  | 'internal-peer';

/** Everything that can be wrong with a chain, gravest first: trust, then form, dates, purpose. */
export const chainProblems = [
  'unreadable',
  'self-signed',
  'unknown-issuer',
  'bad-signature',
  'issuer-not-ca',
  'path-length',
  'chain-too-long',
  'weak-algorithm',
  'unsupported-extension',
  'issuer-expired',
  'issuer-not-yet-valid',
  'expired',
  'not-yet-valid',
  'wrong-purpose',
] as const;

export type ChainProblem = (typeof chainProblems)[number];

export interface ChainFailure {
  /** The gravest problem. */
  readonly problem: ChainProblem;
  /** Every problem found, gravest first. */
  readonly problems: readonly ChainProblem[];
  readonly subject: string;
  /** The certificate that was refused, in words for an operator: whose it is, who issued it, which one, from when to when. */
  readonly seen: string;
}

export interface ChainQuery {
  readonly leaf: X509Certificate;
  /** As the peer sent them, in any order. */
  readonly intermediates: readonly X509Certificate[];
  readonly anchors: TrustAnchors;
  readonly at: WallTime;
  readonly purpose: Purpose;
}

const Usage = {
  any: '2.5.29.37.0',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

const acceptedUsages: { readonly [purpose in Purpose]: readonly string[] } = {
  'server-identity': [Usage.serverAuth, Usage.any],
  'internal-peer': [Usage.serverAuth, Usage.clientAuth, Usage.any],
};

/** Signature algorithms with MD2, MD4, MD5 or SHA-1 (RFC 9155, RFC 8446 §4.4.2.4). */
const weakSignatures: ReadonlySet<string> = new Set([
  '1.2.840.113549.1.1.2',
  '1.2.840.113549.1.1.3',
  '1.2.840.113549.1.1.4',
  '1.2.840.113549.1.1.5',
  '1.3.14.3.2.29',
  '1.2.840.10040.4.3',
  '1.2.840.10045.4.1',
]);

/** Whether nobody should believe a signature by this algorithm any more (RFC 9155). */
export function isWeakSignature(algorithm: string): boolean {
  return weakSignatures.has(algorithm);
}

/** RSA keys with fewer bits are refused. */
export const SMALLEST_RSA_BITS = 2048;
/** CA certificates in a path, the anchor included. */
const MOST_ISSUERS = 5;
/** Certificates of the peer that are looked at. */
const MOST_INTERMEDIATES = 8;
/** Signature checks for one peer: certificates that all issue one another must not cost more. */
const MOST_SIGNATURES = 16;

/**
 * Builds and checks a chain from the leaf to an anchor (RFC 5280 §6.1 without policies, name constraints and
 * revocation; a certificate that has name constraints is refused). Names are the caller's to match.
 */
export function verifyChain(query: ChainQuery): Result<VerifiedPeer, ChainFailure> {
  const subject = subjectText(query.leaf);
  const seen = certificateText(query.leaf);
  const facts = certificateFacts(query.leaf);
  if (!facts.ok) return err({ problem: 'unreadable', problems: ['unreadable'], subject, seen });
  const found = new Set<ChainProblem>(leafProblems(query, facts.value));
  const search = new PathSearch(query);
  if (!search.reachesAnchor(query.leaf, facts.value))
    for (const problem of search.problems) found.add(problem);
  const problems = chainProblems.filter((problem) => found.has(problem));
  if (problems[0] !== undefined) return err({ problem: problems[0], problems, subject, seen });
  return ok({
    names: facts.value.names,
    subject,
    fingerprint: fingerprint(query.leaf),
    notBefore: facts.value.notBefore,
    notAfter: facts.value.notAfter,
    path: search.path,
  });
}

/** SHA-256 of the certificate, lower-case hex. */
export function fingerprint(certificate: X509Certificate): string {
  return certificate.fingerprint256.replaceAll(':', '').toLowerCase();
}

/** The subject on one line without anything that could break a log line. */
export function subjectText(certificate: X509Certificate): string {
  return nameText(certificate.subject);
}

/** What an operator needs to know a certificate again, whether it can be believed or not. */
export function certificateText(certificate: X509Certificate): string {
  const { issuer, validFromDate, validToDate } = certificate;
  const print = fingerprint(certificate).slice(0, 16);
  const dates = `valid from ${dateText(validFromDate)} until ${dateText(validToDate)}`;
  return `${subjectText(certificate)}, issued by ${nameText(issuer)}, SHA-256 ${print}…, ${dates}`;
}

function dateText(date: Date): string {
  return Number.isNaN(date.getTime()) ? 'nobody knows when' : date.toISOString();
}

function nameText(name: string | undefined): string {
  const text = (name ?? '').replaceAll('\n', ', ').replaceAll(/[^\x20-\x7e]/g, '?');
  return text.length > 200 ? `${text.slice(0, 197)}...` : text;
}

function* leafProblems(query: ChainQuery, facts: CertificateFacts): Generator<ChainProblem> {
  if (query.at > facts.notAfter) yield 'expired';
  if (query.at < facts.notBefore) yield 'not-yet-valid';
  if (!allowsPurpose(facts, query.purpose)) yield 'wrong-purpose';
  if (facts.unsupported.length > 0) yield 'unsupported-extension';
  if (hasWeakKey(query.leaf)) yield 'weak-algorithm';
}

function allowsPurpose(facts: CertificateFacts, purpose: Purpose): boolean {
  const usages = facts.extendedKeyUsages;
  return usages === undefined || usages.some((usage) => acceptedUsages[purpose].includes(usage));
}

/** Also true for a key that this runtime cannot use. */
function hasWeakKey(certificate: X509Certificate): boolean {
  try {
    const key = certificate.publicKey;
    return (
      key.asymmetricKeyType?.startsWith('rsa') === true &&
      (key.asymmetricKeyDetails?.modulusLength ?? 0) < SMALLEST_RSA_BITS
    );
  } catch {
    return true;
  }
}

/** Depth-first search for an anchor; remembers what stood in the way. */
class PathSearch {
  readonly problems = new Set<ChainProblem>();
  readonly #query: ChainQuery;
  readonly #intermediates: readonly X509Certificate[];
  readonly #path = new Set<X509Certificate>();
  #anchor: X509Certificate | undefined;
  #signatures = 0;

  constructor(query: ChainQuery) {
    this.#query = query;
    this.#intermediates = query.intermediates.slice(0, MOST_INTERMEDIATES);
    if (query.intermediates.length > MOST_INTERMEDIATES) this.problems.add('chain-too-long');
  }

  /** After reachesAnchor: leaf, intermediates, anchor. */
  get path(): X509Certificate[] {
    const above = this.#anchor === undefined ? [] : [this.#anchor];
    return [this.#query.leaf, ...this.#path, ...above];
  }

  reachesAnchor(leaf: X509Certificate, facts: CertificateFacts): boolean {
    if (this.#climb(leaf, facts, 0)) return true;
    if (this.problems.size > 0) return false;
    this.problems.add(facts.selfIssued && isSignedBy(leaf, leaf) ? 'self-signed' : 'unknown-issuer');
    return false;
  }

  /** @param below CA certificates under the issuer sought, self-issued ones not counted (RFC 5280 §6.1.4 l) */
  #climb(subject: X509Certificate, facts: CertificateFacts, below: number): boolean {
    const anchors = this.#query.anchors.certificates;
    if (anchors.some((anchor) => anchor.raw.equals(subject.raw))) return true;
    if (isWeakSignature(facts.signatureAlgorithm)) return this.#blocked('weak-algorithm');
    for (const anchor of anchors) {
      if (!this.#mayIssue(anchor, subject, below)) continue;
      this.#anchor = anchor;
      return true;
    }
    if (this.#path.size + 1 >= MOST_ISSUERS) return this.#blocked('chain-too-long');
    for (const issuer of this.#intermediates) {
      if (this.#path.has(issuer) || !this.#mayIssue(issuer, subject, below)) continue;
      const above = certificateFacts(issuer);
      if (!above.ok) continue;
      this.#path.add(issuer);
      if (this.#climb(issuer, above.value, below + (above.value.selfIssued ? 0 : 1))) return true;
      this.#path.delete(issuer);
    }
    return false;
  }

  #mayIssue(issuer: X509Certificate, subject: X509Certificate, below: number): boolean {
    if (issuer === subject || !subject.checkIssued(issuer)) return false;
    const facts = certificateFacts(issuer);
    if (!facts.ok) return this.#blocked('unreadable');
    const problems = [...this.#issuerProblems(issuer, facts.value, below)];
    for (const problem of problems) this.problems.add(problem);
    if (problems.length > 0) return false;
    if (++this.#signatures > MOST_SIGNATURES) return this.#blocked('chain-too-long');
    return isSignedBy(subject, issuer) || this.#blocked('bad-signature');
  }

  *#issuerProblems(issuer: X509Certificate, facts: CertificateFacts, below: number): Generator<ChainProblem> {
    if (!facts.ca || facts.mayNotSignCertificates) yield 'issuer-not-ca';
    if (facts.pathLength !== undefined && facts.pathLength < below) yield 'path-length';
    if (facts.unsupported.length > 0) yield 'unsupported-extension';
    if (this.#query.at > facts.notAfter) yield 'issuer-expired';
    if (this.#query.at < facts.notBefore) yield 'issuer-not-yet-valid';
    if (!allowsPurpose(facts, this.#query.purpose)) yield 'wrong-purpose';
    if (hasWeakKey(issuer)) yield 'weak-algorithm';
  }

  #blocked(problem: ChainProblem): false {
    this.problems.add(problem);
    return false;
  }
}

function isSignedBy(subject: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return subject.verify(issuer.publicKey);
  } catch {
    return false;
  }
}
