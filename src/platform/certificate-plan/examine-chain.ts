import type { X509Certificate } from 'node:crypto';
import {
  type ChainFailure,
  type ChainProblem,
  certificateFacts,
  isWeakSignature,
  revocationPoints,
  SMALLEST_RSA_BITS,
  subjectText,
  type TrustAnchors,
  verifyChain,
} from '#platform/pki';
import { quote } from '#platform/topology';
import { day, publicKeyOf, type Say, type Subject } from './subject.ts';

const DAY = 86_400_000;
const EXPIRY_NOTICE = 30 * DAY;

/** The intermediates of the file: whether all are there, in their order, and lead to an authority that peers know. */
export function chainFindings(subject: Subject, say: Say): void {
  const path = pathOf(subject);
  sayOrder(subject, path, say);
  for (const issuer of path.slice(1)) sayIssuerDates(subject, issuer, say);
  const { expected, internal } = subject.anchors;
  const failure = verify(subject, expected);
  if (failure === undefined) return;
  if (subject.planned.issuer === 'public' && verify(subject, internal) === undefined) {
    const what = `${subject.file} was issued by the internal authority, which nobody outside knows`;
    say('warning', 'internal-issuer', what, 'have it issued by an authority that clients and partners trust');
    return;
  }
  for (const problem of failure.problems) sayProblem(subject, path, problem, say);
}

/** The leaf and, one above the other, the certificates of the file that issued it. */
export function pathOf({ leaf, chain }: Pick<Subject, 'leaf' | 'chain'>): X509Certificate[] {
  const path = [leaf];
  for (;;) {
    const below = path.at(-1);
    const issuer = chain.find(
      (candidate) => !path.includes(candidate) && below !== undefined && isIssuedBy(below, candidate),
    );
    if (issuer === undefined) return path;
    path.push(issuer);
  }
}

function isIssuedBy(subject: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return subject.checkIssued(issuer) && subject.verify(issuer.publicKey);
  } catch {
    return false;
  }
}

function sayOrder({ file, chain }: Subject, path: readonly X509Certificate[], say: Say): void {
  const above = path.slice(1).map((issuer) => chain.indexOf(issuer) + 1);
  if (above.some((place, index) => place <= (above[index - 1] ?? 0))) {
    const what = `${file}: the intermediate certificates are not in their order`;
    say(
      'warning',
      'chain-order',
      what,
      `put those in places ${above.join(', ')} behind the first, in this order`,
    );
  }
  const unused = chain.filter((certificate) => !path.includes(certificate));
  if (unused.length > 0) {
    const what = `${file}: ${unused.map((one) => quote(subjectText(one))).join(', ')} did not issue anything in it`;
    say('warning', 'chain-extra', what, 'take it out');
  }
  const top = path.at(-1);
  if (path.length > 1 && top !== undefined && isIssuedBy(top, top)) {
    const what = `${file} holds the root ${quote(subjectText(top))} too`;
    say('instruction', 'chain-root', what, 'it may be left out: peers have their own copy');
  }
}

function sayIssuerDates({ file, at }: Subject, issuer: X509Certificate, say: Say): void {
  const until = issuer.validToDate.getTime();
  if (at > until || until - at >= EXPIRY_NOTICE) return;
  const what = `${file}: the intermediate certificate ${quote(subjectText(issuer))} expires ${day(until)}`;
  say('warning', 'issuer-expires-soon', what, 'have the certificate issued anew, with its new chain');
}

function verify({ leaf, chain, at, planned }: Subject, anchors: TrustAnchors): ChainFailure | undefined {
  const purpose = planned.issuer === 'public' ? 'server-identity' : 'internal-peer';
  const intermediates = chain.filter((certificate) => certificate !== leaf);
  const verified = verifyChain({ leaf, intermediates, anchors, at, purpose });
  return verified.ok ? undefined : verified.error;
}

function sayProblem(
  subject: Subject,
  path: readonly X509Certificate[],
  problem: ChainProblem,
  say: Say,
): void {
  const { file, planned } = subject;
  const outside = planned.issuer === 'public';
  if (problem === 'self-signed') {
    const instead = outside
      ? 'have it issued by an authority that clients and partners trust'
      : 'have it issued by an authority of host.internalCa';
    say('error', 'self-signed', `${file} is signed by itself, and nobody trusts it`, instead);
  } else if (problem === 'unknown-issuer') {
    sayUnknownIssuer(subject, path, say);
  } else if (isOfIssuer(subject, problem)) {
    const [what, instead] = PROBLEMS[problem];
    say('error', problem, `${file}: ${what}`, instead);
  }
}

/** What is said of the leaf has been said by its own rules. */
function isOfIssuer({ facts, leaf }: Subject, problem: ChainProblem): problem is keyof typeof PROBLEMS {
  if (!(problem in PROBLEMS)) return false;
  if (problem === 'wrong-purpose') return facts.extendedKeyUsages?.includes(SERVER_AUTH) !== false;
  if (problem === 'weak-algorithm') {
    const key = publicKeyOf(leaf);
    const bits = key?.asymmetricKeyDetails?.modulusLength ?? SMALLEST_RSA_BITS;
    return key !== undefined && bits >= SMALLEST_RSA_BITS && !isWeakSignature(facts.signatureAlgorithm);
  }
  return true;
}

const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const ANEW = 'have the certificate issued anew, with its chain';

const PROBLEMS = {
  'bad-signature': [
    'an issuer of that name did not sign it',
    'put the right intermediate certificates behind it',
  ],
  'issuer-not-ca': [
    'a certificate behind it may not issue certificates',
    'put the right intermediates behind it',
  ],
  'path-length': ['an authority above it may not have authorities below it', ANEW],
  'chain-too-long': [
    'its chain is longer than peers follow',
    'leave its intermediates only, or ask for a shorter chain',
  ],
  'weak-algorithm': ['a certificate above it has a weak key or signature', ANEW],
  'unsupported-extension': [
    'it has an extension that this program cannot judge, such as name constraints',
    ANEW,
  ],
  'issuer-expired': [
    'an intermediate certificate behind it expired',
    'put the current intermediates behind it',
  ],
  'issuer-not-yet-valid': [
    'an intermediate certificate behind it is not valid yet',
    'set the clock of this host',
  ],
  'wrong-purpose': ['an authority above it may not issue server certificates', ANEW],
} as const satisfies Partial<Record<ChainProblem, readonly [string, string]>>;

function sayUnknownIssuer({ file, planned }: Subject, path: readonly X509Certificate[], say: Say): void {
  const top = path.at(-1);
  if (top === undefined) return;
  const facts = certificateFacts(top);
  if (facts.ok && facts.value.selfIssued) {
    const root = quote(subjectText(top));
    if (planned.issuer === 'internal') {
      const what = `${file} leads to ${root}, which is not in host.internalCa`;
      say(
        'error',
        'unknown-root',
        what,
        'have it issued by an authority of host.internalCa, or add that one',
      );
    } else {
      const what = `${file} leads to ${root}, which is no public authority`;
      say(
        'error',
        'unknown-root',
        what,
        'name a root that your peers know with --trust, or use a public authority',
      );
    }
    return;
  }
  const issuer = quote(top.issuer.replaceAll('\n', ', '));
  const [url] = revocationPoints(top).issuers;
  const from = url === undefined ? '' : ` (its authority offers it at ${quote(url)})`;
  const where = planned.issuer === 'internal' ? 'host.internalCa' : 'the roots known here';
  const what = `${file} lacks the certificate of ${issuer}, which issued ${quote(subjectText(top))} and is not among ${where}`;
  const other = planned.issuer === 'internal' ? '' : '; if it is a root of your own, name it with --trust';
  say('error', 'missing-intermediate', what, `put it behind the others in the file${from}${other}`);
}
