import { createHash, X509Certificate } from 'node:crypto';
import { err, ok, type Result, type WallTime } from '#kernel';
import { certificateFacts, certificateIdentity } from '../certificate.ts';
import { DerError, DerReader, DerTag, readOid, readSerial, readTime } from '../der.ts';
import { isSignedWith, readSignedData, type SignedData } from './signed-data.ts';

/** Why an OCSP response says nothing; closed, for metrics and traces. */
export const ocspProblems = [
  'unreadable',
  /** The responder could not answer. */
  'unsuccessful',
  /** It is about another certificate. */
  'other-certificate',
  /** Neither the issuer nor a responder that the issuer named has signed it. */
  'bad-signature',
  'not-yet-valid',
  'expired',
  /** The responder does not know the certificate. */
  'unknown',
] as const;

export type OcspProblem = (typeof ocspProblems)[number];

export interface OcspVerdict {
  readonly state: 'good' | 'revoked';
  /** Until when it may be believed. */
  readonly until: WallTime;
}

export interface OcspQuery {
  readonly certificate: X509Certificate;
  readonly issuer: X509Certificate;
  readonly at: WallTime;
}

const BASIC = '1.3.6.1.5.5.7.48.1.1';
const OCSP_SIGNING = '1.3.6.1.5.5.7.3.9';
const hashes: ReadonlyMap<string, string> = new Map([
  ['1.3.14.3.2.26', 'sha1'], // of names and keys only: nothing is signed by it (RFC 5019 §2.1.1)
  ['2.16.840.1.101.3.4.2.1', 'sha256'],
]);
/** A larger response is not read. */
const MOST_BYTES = 64 * 1024;
const MOST_CERTIFICATES = 4;
const MOST_ANSWERS = 32;
const CLOCK_SKEW = 300_000;

/** Reads and verifies an OCSP response (RFC 6960 §4.2) as it is stapled to a handshake (RFC 6066 §8). */
export function verifyOcspResponse(response: Uint8Array, query: OcspQuery): Result<OcspVerdict, OcspProblem> {
  if (response.length > MOST_BYTES) return err('unreadable');
  try {
    return verifyBasic(response, query);
  } catch (problem) {
    if (problem instanceof DerError) return err('unreadable');
    throw problem;
  }
}

function verifyBasic(response: Uint8Array, query: OcspQuery): Result<OcspVerdict, OcspProblem> {
  const outer = new DerReader(response).sequence();
  const status = outer.expect(DerTag.enumerated);
  if (status.length !== 1 || status[0] !== 0) return err('unsuccessful');
  const bytes = new DerReader(outer.expect(DerTag.explicit(0))).sequence();
  if (readOid(bytes.expect(DerTag.oid)) !== BASIC) return err('unreadable');
  const basic = new DerReader(bytes.expect(DerTag.octetString)).sequence();
  const data = readSignedData(basic);
  const answer = findAnswer(data, query);
  if (answer === undefined) return err('other-certificate');
  if (!isGenuine(data, basic.optional(DerTag.explicit(0)), query)) return err('bad-signature');
  if (answer.thisUpdate > query.at + CLOCK_SKEW) return err('not-yet-valid');
  if (answer.nextUpdate === undefined || answer.nextUpdate <= query.at) return err('expired');
  if (answer.state === 'unknown') return err('unknown');
  return ok({ state: answer.state, until: answer.nextUpdate });
}

interface Answer {
  readonly state: 'good' | 'revoked' | 'unknown';
  readonly thisUpdate: WallTime;
  /** Absent: newer information is there all the time, so this one is no use to keep (RFC 6960 §4.2.2.1). */
  readonly nextUpdate: WallTime | undefined;
}

function findAnswer(data: SignedData, { certificate, issuer }: OcspQuery): Answer | undefined {
  const own = certificateIdentity(certificate.raw);
  const above = certificateIdentity(issuer.raw);
  const fields = new DerReader(data.signed).sequence();
  fields.optional(DerTag.explicit(0)); // version
  fields.next(); // responderID: who signed is found out by trying
  fields.expect(DerTag.generalizedTime); // producedAt
  const answers = fields.sequence();
  for (let count = 0; !answers.done && count < MOST_ANSWERS; count++) {
    const answer = answers.sequence();
    const id = answer.sequence();
    const hash = hashes.get(readOid(id.sequence().expect(DerTag.oid)));
    const name = id.expect(DerTag.octetString);
    const key = id.expect(DerTag.octetString);
    const serial = readSerial(id.expect(DerTag.integer));
    if (hash === undefined || serial !== own.serial) continue;
    const digest = (bytes: Uint8Array) => createHash(hash).update(bytes).digest();
    if (!digest(above.subjectName).equals(name) || !digest(above.publicKeyBits).equals(key)) continue;
    return readAnswer(answer);
  }
  return undefined;
}

function readAnswer(answer: DerReader): Answer {
  const { tag } = answer.next();
  const state = tag === DerTag.implicit(0) ? 'good' : tag === DerTag.explicit(1) ? 'revoked' : 'unknown';
  const thisUpdate = readTime(answer.next());
  const next = answer.optional(DerTag.explicit(0));
  const nextUpdate = next === undefined ? undefined : readTime(new DerReader(next).next());
  return { state, thisUpdate, nextUpdate };
}

/** Signed by the issuer, or by a responder whose certificate the issuer made for that (RFC 6960 §4.2.2.2). */
function isGenuine(data: SignedData, certificates: Uint8Array | undefined, query: OcspQuery): boolean {
  if (isSignedWith(data, query.issuer.publicKey)) return true;
  if (certificates === undefined) return false;
  const list = new DerReader(certificates).sequence();
  for (let count = 0; !list.done && count < MOST_CERTIFICATES; count++) {
    const responder = certificateOf(list.whole());
    if (responder !== undefined && isResponder(responder, query) && isSignedWith(data, responder.publicKey))
      return true;
  }
  return false;
}

function certificateOf(der: Uint8Array): X509Certificate | undefined {
  try {
    return new X509Certificate(der);
  } catch {
    return undefined;
  }
}

function isResponder(responder: X509Certificate, { issuer, at }: OcspQuery): boolean {
  const facts = certificateFacts(responder);
  if (!facts.ok || at < facts.value.notBefore || at > facts.value.notAfter) return false;
  if (facts.value.extendedKeyUsages?.includes(OCSP_SIGNING) !== true) return false;
  try {
    return responder.checkIssued(issuer) && responder.verify(issuer.publicKey);
  } catch {
    return false;
  }
}
