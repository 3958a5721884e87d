import { err, ok, type Result } from '#kernel';
import { type DigestAlgorithm, digestAlgorithm } from './algorithm.ts';
import { type DigestProblem, formatAuthParameters, parseAuthParameters } from './auth-parameters.ts';

export type QualityOfProtection = 'auth' | 'auth-int';

/** The value of WWW-Authenticate or Proxy-Authenticate (RFC 7616 §3.3, RFC 3261 §22). */
export interface DigestChallenge {
  readonly realm: string;
  readonly nonce: string;
  readonly algorithm: DigestAlgorithm;
  /** Empty for a challenge as it was before qop (RFC 3261 §22.4). Values that are not known were left out. */
  readonly qop: readonly QualityOfProtection[];
  readonly opaque?: string | undefined;
  /** True when only the nonce was too old: the client tries again without asking its user. */
  readonly stale: boolean;
}

/** `unsupported-algorithm` is no fault: a client goes on to the next challenge (RFC 8760 §2.4). */
export function parseChallenge(text: string): Result<DigestChallenge, DigestProblem> {
  const parsed = parseAuthParameters(text);
  if (!parsed.ok) return parsed;
  const parameters = parsed.value;
  const realm = parameters.get('realm');
  const nonce = parameters.get('nonce');
  if (realm === undefined || nonce === undefined) return err('missing-parameter');
  const algorithm = digestAlgorithm(parameters.get('algorithm') ?? 'MD5');
  if (algorithm === undefined) return err('unsupported-algorithm');
  const offered = (parameters.get('qop') ?? '').split(',').map((value) => value.trim().toLowerCase());
  const qop = offered.filter(
    (value): value is QualityOfProtection => value === 'auth' || value === 'auth-int',
  );
  if (parameters.has('qop') && qop.length === 0) return err('qop');
  const stale = parameters.get('stale')?.toLowerCase() === 'true';
  return ok({ realm, nonce, algorithm, qop, opaque: parameters.get('opaque'), stale });
}

export function formatChallenge(challenge: {
  readonly realm: string;
  readonly nonce: string;
  readonly algorithm: DigestAlgorithm;
  readonly qop?: readonly QualityOfProtection[] | undefined;
  readonly opaque?: string | undefined;
  readonly stale?: boolean | undefined;
}): string {
  const { realm, nonce, algorithm, qop, opaque, stale } = challenge;
  return formatAuthParameters([
    ['realm', realm, 'quoted'],
    ['nonce', nonce, 'quoted'],
    ['algorithm', algorithm, 'token'],
    ['qop', qop === undefined || qop.length === 0 ? undefined : qop.join(','), 'quoted'],
    ['opaque', opaque, 'quoted'],
    ['stale', stale === true ? 'true' : undefined, 'token'],
  ]);
}
