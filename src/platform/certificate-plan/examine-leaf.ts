import { isWeakSignature, revocationPoints, SMALLEST_RSA_BITS } from '#platform/pki';
import { day, publicKeyOf, type Say, type Subject } from './subject.ts';

const DAY = 86_400_000;
/** Time enough to ask an authority, be asked back, and install what it sends. */
const EXPIRY_NOTICE = 30 * DAY;
/** Public authorities may leave revocation out of certificates that live no longer. */
const SHORT_LIVED = 10 * DAY;

/** Whether the certificate is valid now and for a while. */
export function dateFindings({ file, facts, at }: Subject, say: Say): void {
  const { notBefore, notAfter } = facts;
  if (at > notAfter) {
    say(
      'error',
      'expired',
      `${file} expired ${day(notAfter)}`,
      'have it issued anew; sallyport reload takes it',
    );
  } else if (at < notBefore) {
    const what = `${file} is not valid before ${day(notBefore)}`;
    say('error', 'not-yet-valid', what, 'wait, or set the clock of this host');
  } else if (notAfter - at < EXPIRY_NOTICE && notAfter - notBefore > SHORT_LIVED) {
    const what = `${file} expires ${day(notAfter)}, in ${Math.floor((notAfter - at) / DAY)} days`;
    say('warning', 'expires-soon', what, 'have it issued anew; sallyport reload takes it');
  }
}

const USAGES = { serverAuth: '1.3.6.1.5.5.7.3.1', clientAuth: '1.3.6.1.5.5.7.3.2' } as const;
const ANY_USAGE = '2.5.29.37.0';

/** What the certificate may be used for (RFC 5280 §4.2.1.12). */
export function usageFindings({ file, facts, planned }: Subject, say: Say): void {
  const listed = facts.extendedKeyUsages;
  if (listed === undefined) {
    const what = `${file} has no extended key usage, which leaves every use open`;
    say('warning', 'no-usage', what, 'ask for serverAuth: some peers insist on it');
    return;
  }
  for (const { usage, need, why } of planned.usages) {
    if (listed.includes(USAGES[usage]) || listed.includes(ANY_USAGE)) continue;
    if (need === 'required') {
      say('error', 'usage', `${file} is not for ${usage}, and ${why}`, `have it issued with ${usage}`);
    } else if (need === 'welcome') {
      const instead = `nothing is to be done unless a peer refuses it; then ask for ${usage} as well`;
      say('instruction', 'usage', `${file} is not for ${usage}: ${why}`, instead);
    }
  }
}

const GOOD_CURVES: ReadonlySet<string> = new Set(['prime256v1', 'secp384r1', 'secp521r1']);

/** Whether the key and the signature are strong, and of kinds that peers know. */
export function keyFindings({ file, leaf, facts }: Subject, say: Say): void {
  if (isWeakSignature(facts.signatureAlgorithm)) {
    say('error', 'weak-signature', `${file} is signed with MD5 or SHA-1`, 'have it issued with SHA-256');
  }
  const key = publicKeyOf(leaf);
  if (key === undefined) {
    say(
      'error',
      'unknown-key',
      `${file} has a key of a kind that this program cannot use`,
      'use P-256 or RSA',
    );
    return;
  }
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  const bits = details?.modulusLength ?? 0;
  if (type?.startsWith('rsa') === true) {
    if (bits >= SMALLEST_RSA_BITS) return;
    const what = `${file} has an RSA key of ${bits} bits`;
    say('error', 'weak-key', what, `make one of ${SMALLEST_RSA_BITS} bits or more, or on the curve P-256`);
  } else if (type !== 'ec' || !GOOD_CURVES.has(details?.namedCurve ?? '')) {
    const kind = details?.namedCurve ?? type ?? 'unknown';
    say('warning', 'unusual-key', `${file} has a key of the kind ${kind}`, 'use P-256, P-384, P-521 or RSA');
  }
}

/** Whether a peer can find out that the certificate was revoked. Nothing is fetched here. */
export function revocationFindings({ file, leaf, facts, planned }: Subject, say: Say): void {
  const { crl, ocsp } = revocationPoints(leaf);
  const shortLived = facts.notAfter - facts.notBefore <= SHORT_LIVED;
  if (crl.length + ocsp.length === 0) {
    if (shortLived) return;
    const outside = planned.issuer === 'public';
    const who = outside
      ? 'partners that insist on revocation refuse it'
      : 'nobody can tell when it is revoked';
    const what = `${file} names no revocation point (CRL or OCSP): ${who}`;
    say(outside ? 'warning' : 'instruction', 'revocation', what, 'have it issued with one');
  } else if (planned.issuer === 'public' && ![...crl, ...ocsp].some((url) => /^http:/i.test(url))) {
    const what = `${file}: none of its revocation points is an http: URL, which is what partners fetch`;
    say('warning', 'revocation', what, 'have it issued with an http: distribution point');
  }
}
