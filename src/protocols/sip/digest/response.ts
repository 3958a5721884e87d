import { timingSafeEqual } from 'node:crypto';
import { type DigestAlgorithm, digestHash, isSession } from './algorithm.ts';
import type { DigestChallenge, QualityOfProtection } from './challenge.ts';
import { type DigestCredentials, formatNonceCount } from './credentials.ts';

/**
 * The hash of user, realm and password that servers store instead of the password (RFC 7616 §3.4.2), before
 * the step that `-sess` adds. Lower-case hexadecimal.
 */
export function ha1(algorithm: DigestAlgorithm, user: string, realm: string, password: string): string {
  return digestHash(algorithm, `${user}:${realm}:${password}`);
}

export interface DigestInput {
  readonly algorithm: DigestAlgorithm;
  /** {@link ha1} with the same hash function. */
  readonly ha1: string;
  readonly method: string;
  /** As written in the credentials' uri parameter. */
  readonly uri: string;
  readonly nonce: string;
  readonly qop?: QualityOfProtection | undefined;
  readonly nc?: number | undefined;
  readonly cnonce?: string | undefined;
  /** Covered by qop auth-int only. */
  readonly body?: Uint8Array | undefined;
}

/**
 * The `response` parameter (RFC 7616 §3.4.1; without qop as RFC 3261 §22.4 keeps it). Lower-case hexadecimal.
 */
export function digestResponse(input: DigestInput): string {
  const { algorithm, method, uri, nonce, qop, body } = input;
  const cnonce = input.cnonce ?? '';
  const secret = isSession(algorithm) ? digestHash(algorithm, `${input.ha1}:${nonce}:${cnonce}`) : input.ha1;
  const entity = qop === 'auth-int' ? `:${digestHash(algorithm, body ?? new Uint8Array(0))}` : '';
  const ha2 = digestHash(algorithm, `${method}:${uri}${entity}`);
  const middle = qop === undefined ? nonce : `${nonce}:${formatNonceCount(input.nc ?? 1)}:${cnonce}:${qop}`;
  return digestHash(algorithm, `${secret}:${middle}:${ha2}`);
}

/**
 * True when the credentials prove knowledge of the secret behind `ha1`. Takes the same time for every wrong
 * answer.
 */
export function checkResponse(
  credentials: DigestCredentials,
  request: { readonly method: string; readonly ha1: string; readonly body?: Uint8Array | undefined },
): boolean {
  const expected = Buffer.from(digestResponse({ ...credentials, ...request }), 'latin1');
  const given = Buffer.alloc(expected.length);
  given.write(credentials.response.toLowerCase(), 'latin1');
  const same = timingSafeEqual(expected, given);
  return same && credentials.response.length === expected.length;
}

/** A client's answer to a challenge: prefers `auth`, as RFC 3261 §22.4 lets it. */
export function answerChallenge(
  challenge: DigestChallenge,
  client: {
    readonly username: string;
    readonly password: string;
    readonly method: string;
    readonly uri: string;
    /** Fresh and unguessable. */
    readonly cnonce: string;
    /** How often this nonce was used, this time included. */
    readonly nc: number;
    readonly body?: Uint8Array | undefined;
  },
): DigestCredentials {
  const { realm, nonce, algorithm, opaque } = challenge;
  const { username, method, uri, body } = client;
  const qop = challenge.qop.includes('auth') ? 'auth' : challenge.qop[0];
  const needsCnonce = qop !== undefined || isSession(algorithm);
  const cnonce = needsCnonce ? client.cnonce : undefined;
  const nc = qop === undefined ? undefined : client.nc;
  const secret = ha1(algorithm, username, realm, client.password);
  const response = digestResponse({ algorithm, ha1: secret, method, uri, nonce, qop, nc, cnonce, body });
  return { username, realm, nonce, uri, response, algorithm, qop, cnonce, nc, opaque };
}
