import { createHmac } from 'node:crypto';
import type { Random, WallTime } from '#kernel';
import {
  checkResponse,
  type DigestAlgorithm,
  type DigestCredentials,
  DigestNonces,
  formatChallenge,
  parseCredentials,
  type SipRequest,
} from '#protocols/sip';
import { type Account, type AccountDirectory, parseAor } from './account.ts';

/** What the caller sends when a request is not yet believed. */
export interface Challenge {
  readonly status: 401 | 407;
  readonly headers: readonly (readonly [string, string])[];
}

export type Authentication =
  | { readonly outcome: 'accepted'; readonly aor: string }
  | { readonly outcome: 'challenged'; readonly challenge: Challenge; readonly reason: ChallengeReason };

/** Why a challenge was sent; `no-credentials` is the ordinary first step. */
export const challengeReasons = [
  'no-credentials',
  'malformed',
  'stale-nonce',
  'replayed-nonce',
  'wrong-algorithm',
  'wrong-user',
  'wrong-response',
] as const;
export type ChallengeReason = (typeof challengeReasons)[number];

export interface AuthenticatorOptions {
  readonly accounts: AccountDirectory;
  readonly random: Random;
  /** At least 16 bytes; kept over restarts so that nonces and choices for unknown users stay the same. */
  readonly key: Uint8Array;
}

const NONCE_WINDOW_MS = 300_000;
const NONCES_IN_USE = 20_000;

/**
 * Digest authentication (RFC 3261 §22, RFC 7616, RFC 8760) by the algorithm stored with the account. An address
 * without an account is challenged in the same way, with an algorithm chosen by a keyed hash in the proportions of
 * the real accounts, and checked at the same cost, so that it cannot be told from one with an account.
 */
export class Authenticator {
  readonly #accounts: AccountDirectory;
  readonly #nonces: DigestNonces;
  readonly #key: Uint8Array;

  constructor(options: AuthenticatorOptions) {
    this.#accounts = options.accounts;
    this.#key = options.key;
    this.#nonces = new DigestNonces({
      key: options.key,
      random: options.random,
      windowMs: NONCE_WINDOW_MS,
      capacity: NONCES_IN_USE,
    });
  }

  /**
   * Whether `request` comes from who its From says it is; `aor` is that From, canonical.
   * @param passed true when an edge passed it on, which may have written another Request-URI than the client did
   */
  authenticate(request: SipRequest, aor: string, wall: WallTime, passed = false): Authentication {
    const { user, domain } = parseAor(aor) ?? { user: '', domain: '' };
    // Made for everybody, so that nobody can tell by the time which addresses have accounts.
    const standIn = this.#unknown(aor);
    const found = this.#accounts.find(aor);
    const account = found ?? standIn;
    const challenge = (reason: ChallengeReason): Authentication => ({
      outcome: 'challenged',
      challenge: this.#challenge(request, domain, account.algorithm, aor, wall, reason === 'stale-nonce'),
      reason,
    });
    const credentials = credentialsFor(request, domain);
    if (credentials === 'none') return challenge('no-credentials');
    if (credentials === 'malformed') return challenge('malformed');
    if (credentials.algorithm !== account.algorithm) return challenge('wrong-algorithm');
    const right = checkResponse(credentials, {
      method: request.method,
      ha1: account.ha1,
      body: request.body,
    });
    if (!isUser(credentials.username, user, aor)) return challenge('wrong-user');
    if (!right || found === undefined || !(passed || coversTarget(credentials, request))) {
      return challenge('wrong-response');
    }
    switch (this.#nonces.use(credentials.nonce, credentials.nc ?? 1, wall, aor)) {
      case 'good':
        return { outcome: 'accepted', aor };
      case 'replayed':
        return challenge('replayed-nonce');
      case 'stale':
      case 'forged':
        return challenge('stale-nonce');
    }
  }

  #challenge(
    request: SipRequest,
    realm: string,
    algorithm: DigestAlgorithm,
    aor: string,
    wall: WallTime,
    stale: boolean,
  ): Challenge {
    const registering = request.method === 'REGISTER';
    const nonce = this.#nonces.issue(wall, aor);
    return {
      status: registering ? 401 : 407,
      headers: [
        [
          registering ? 'WWW-Authenticate' : 'Proxy-Authenticate',
          formatChallenge({ realm, nonce, algorithm, qop: ['auth'], stale }),
        ],
      ],
    };
  }

  /** A stand-in for an account that does not exist, always the same for one address. */
  #unknown(aor: string): Account {
    const digest = createHmac('sha256', this.#key).update('unknown account\0').update(aor).digest();
    const counts = [...this.#accounts.algorithms()].sort(([a], [b]) => (a < b ? -1 : 1));
    const total = counts.reduce((sum, [, count]) => sum + count, 0);
    let place = (digest.readUInt32BE(0) / 2 ** 32) * total;
    let algorithm: DigestAlgorithm = 'SHA-256';
    for (const [candidate, count] of counts) {
      algorithm = candidate;
      place -= count;
      if (place < 0) break;
    }
    return { aor, algorithm, ha1: digest.toString('hex') };
  }
}

/** The credentials for `realm`, from either header: some clients answer a 401 with Proxy-Authorization. */
function credentialsFor(request: SipRequest, realm: string): DigestCredentials | 'none' | 'malformed' {
  let found: 'none' | 'malformed' = 'none';
  for (const name of ['authorization', 'proxy-authorization']) {
    for (const text of request.values(name)) {
      const parsed = parseCredentials(text);
      if (!parsed.ok) found = 'malformed';
      else if (parsed.value.realm === realm) return parsed.value;
    }
  }
  return found;
}

function isUser(username: string, user: string, aor: string): boolean {
  const lower = username.toLowerCase();
  return lower === user || lower === aor;
}

/** RFC 7616 §3.4.6: the digest is about this request and not another one. */
function coversTarget(credentials: DigestCredentials, request: SipRequest): boolean {
  return credentials.uri.toLowerCase() === request.uri.toLowerCase();
}
