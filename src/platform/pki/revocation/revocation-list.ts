import type { X509Certificate } from 'node:crypto';
import { err, ok, type Result, type WallTime } from '#kernel';
import { certificateFacts, certificateIdentity, eachExtension } from '../certificate.ts';
import { DerError, DerReader, DerTag, readBoolean, readOid, readSerial, readTime } from '../der.ts';
import { isSignedWith, readSignedData, type SignedData } from './signed-data.ts';

/** Why a revocation list says nothing; closed, for metrics and traces. */
export const listProblems = [
  'unreadable',
  'too-many-entries',
  /** Somebody else's list: it is not issued by the issuer of the certificate. */
  'wrong-issuer',
  'bad-signature',
  'not-yet-valid',
  'expired',
  /** It only says what has changed since another list (RFC 5280 §5.2.4); not supported. */
  'delta',
  /** It speaks for other issuers too (RFC 5280 §5.2.5); not supported. */
  'indirect',
  /** It does not speak for all reasons, for this kind of certificate, or for this place (RFC 5280 §5.2.5). */
  'other-scope',
  /** It has an extension that must be understood and is not. */
  'unsupported-extension',
] as const;

export type ListProblem = (typeof listProblems)[number];

export interface ListLimits {
  /** Revoked certificates in one list. */
  readonly entries: number;
}

/** A list that was read; nothing about it is verified yet. */
export interface RevocationList {
  readonly thisUpdate: WallTime;
  readonly nextUpdate: WallTime | undefined;
  /** Serial numbers, lower-case hex. */
  readonly revoked: ReadonlySet<string>;
  readonly issuer: Uint8Array;
  readonly scope: ListScope;
  readonly data: SignedData;
}

/** The issuing distribution point (RFC 5280 §5.2.5). */
interface ListScope {
  readonly kind: 'all' | 'leaves' | 'authorities' | 'none';
  /** URLs that it was issued for; undefined: any. */
  readonly places: readonly string[] | undefined;
}

const DELTA = '2.5.29.27';
const ISSUING_POINT = '2.5.29.28';
const CERTIFICATE_ISSUER = '2.5.29.29';
/** A clock of the authority that goes ahead of ours. */
const CLOCK_SKEW = 300_000;

class ListError extends Error {
  readonly problem: ListProblem;
  constructor(problem: ListProblem) {
    super(problem);
    this.problem = problem;
  }
}

/** Reads a certificate revocation list from DER (RFC 5280 §5.1). The caller has bounded its size. */
export function readRevocationList(der: Uint8Array, limits: ListLimits): Result<RevocationList, ListProblem> {
  try {
    return ok(readList(der, limits));
  } catch (problem) {
    if (problem instanceof ListError) return err(problem.problem);
    if (problem instanceof DerError) return err('unreadable');
    throw problem;
  }
}

/** What keeps a list from speaking for an issuer at a time (RFC 5280 §6.3.3); undefined when nothing does. */
export function listProblem(
  list: RevocationList,
  issuer: X509Certificate,
  at: WallTime,
): ListProblem | undefined {
  const facts = certificateFacts(issuer);
  if (!facts.ok) return 'unreadable';
  if (Buffer.compare(certificateIdentity(issuer.raw).subject, list.issuer) !== 0) return 'wrong-issuer';
  if (facts.value.mayNotSignLists) return 'wrong-issuer';
  if (!isGenuine(list, issuer)) return 'bad-signature';
  if (list.thisUpdate > at + CLOCK_SKEW) return 'not-yet-valid';
  return list.nextUpdate === undefined || list.nextUpdate <= at ? 'expired' : undefined;
}

/**
 * Whether a certificate stands on a list of its issuer; a text when the list does not speak for it.
 * @param url by which the list was fetched, as the certificate names it
 */
export function findInList(
  list: RevocationList,
  certificate: X509Certificate,
  url: string,
): Result<'good' | 'revoked', ListProblem> {
  const facts = certificateFacts(certificate);
  if (!facts.ok) return err('unreadable');
  const wanted = facts.value.ca ? 'authorities' : 'leaves';
  if (list.scope.kind !== 'all' && list.scope.kind !== wanted) return err('other-scope');
  if (list.scope.places !== undefined && !list.scope.places.includes(url)) return err('other-scope');
  return ok(list.revoked.has(certificateIdentity(certificate.raw).serial) ? 'revoked' : 'good');
}

/** Issuers by whose key a list was found to be signed: a large list is hashed once, not for each peer. */
const signers = new WeakMap<RevocationList, Set<string>>();

function isGenuine(list: RevocationList, issuer: X509Certificate): boolean {
  const known = signers.get(list) ?? new Set<string>();
  if (known.has(issuer.fingerprint256)) return true;
  if (!isSignedWith(list.data, issuer.publicKey)) return false;
  signers.set(list, known.add(issuer.fingerprint256));
  return true;
}

function readList(der: Uint8Array, limits: ListLimits): RevocationList {
  const file = new DerReader(der);
  const fields = file.sequence();
  if (!file.done) throw new DerError('bytes after the list');
  const data = readSignedData(fields);
  const tbs = new DerReader(data.signed).sequence();
  tbs.optional(DerTag.integer); // version
  if (readOid(tbs.sequence().expect(DerTag.oid)) !== data.algorithm) throw new ListError('bad-signature');
  const issuer = tbs.expect(DerTag.sequence);
  const thisUpdate = readTime(tbs.next());
  const next = tbs.peek();
  const timed = next === DerTag.utcTime || next === DerTag.generalizedTime;
  const nextUpdate = timed ? readTime(tbs.next()) : undefined;
  const entries = tbs.optional(DerTag.sequence);
  const extensions = tbs.optional(DerTag.explicit(0));
  if (!tbs.done) throw new DerError('unknown fields');
  const revoked = entries === undefined ? new Set<string>() : readEntries(entries, limits);
  return { thisUpdate, nextUpdate, revoked, issuer, scope: readScope(extensions), data };
}

function readEntries(bytes: Uint8Array, limits: ListLimits): Set<string> {
  const revoked = new Set<string>();
  const list = new DerReader(bytes);
  while (!list.done) {
    const entry = list.sequence();
    if (revoked.size >= limits.entries) throw new ListError('too-many-entries');
    revoked.add(readSerial(entry.expect(DerTag.integer)));
    entry.next(); // revocationDate
    if (!entry.done) checkEntryExtensions(entry.whole());
  }
  return revoked;
}

/** An entry for another issuer is one of an indirect list, whatever the list says (RFC 5280 §5.3.3). */
function checkEntryExtensions(bytes: Uint8Array): void {
  for (const { oid, critical } of eachExtension(bytes)) {
    if (oid === CERTIFICATE_ISSUER) throw new ListError('indirect');
    if (critical) throw new ListError('unsupported-extension');
  }
}

function readScope(bytes: Uint8Array | undefined): ListScope {
  let scope: ListScope = { kind: 'all', places: undefined };
  for (const { oid, critical, value } of eachExtension(bytes)) {
    if (oid === DELTA) throw new ListError('delta');
    if (oid === ISSUING_POINT) scope = readIssuingPoint(value);
    else if (critical) throw new ListError('unsupported-extension');
  }
  return scope;
}

function readIssuingPoint(value: Uint8Array): ListScope {
  const fields = new DerReader(value).sequence();
  const place = fields.optional(DerTag.explicit(0));
  const flag = (tag: number): boolean => {
    const content = fields.optional(DerTag.implicit(tag));
    return content !== undefined && readBoolean(content);
  };
  const leaves = flag(1);
  const authorities = flag(2);
  if (fields.optional(DerTag.implicit(3)) !== undefined) throw new ListError('other-scope'); // some reasons only
  if (flag(4)) throw new ListError('indirect');
  if (flag(5) || (leaves && authorities)) throw new ListError('other-scope');
  const kind = leaves ? 'leaves' : authorities ? 'authorities' : 'all';
  return { kind, places: place === undefined ? undefined : readPlaces(place) };
}

function readPlaces(bytes: Uint8Array): string[] {
  const fullName = new DerReader(bytes).optional(DerTag.explicit(0));
  if (fullName === undefined) throw new ListError('other-scope'); // a name relative to the issuer
  const places: string[] = [];
  const names = new DerReader(fullName);
  while (!names.done && places.length < 32) {
    const { tag, content } = names.next();
    if (tag === DerTag.implicit(6)) places.push(Buffer.from(content).toString('latin1'));
  }
  return places;
}
