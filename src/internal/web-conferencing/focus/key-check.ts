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
import type { Conferences } from '../conferences.ts';

type Headers = readonly (readonly [string, string])[];

export type KeyVerdict =
  | { readonly outcome: 'right' }
  /** Also of a conference that does not exist. */
  | { readonly outcome: 'wrong' }
  /** To be answered 401 with these. */
  | { readonly outcome: 'challenge'; readonly stale: boolean; readonly headers: Headers };

const ALGORITHMS = ['SHA-256', 'MD5'] as const;
type Algorithm = (typeof ALGORITHMS)[number];

const KEY_BYTES = 32;
const NONCE_WINDOW_MS = 300_000;
const NONCES_IN_USE = 20_000;

/**
 * Whether a guest knows the key of a conference (RFC 7616, RFC 8760). A conference that does not exist is asked for its key, and refused
 * whatever that is, in the same way and at the same cost as one whose key is wrong.
 */
export class KeyCheck {
  readonly #conferences: Pick<Conferences, 'domain' | 'keyHash'>;
  readonly #key: Uint8Array;
  readonly #nonces: DigestNonces;

  constructor(conferences: Pick<Conferences, 'domain' | 'keyHash'>, random: Random) {
    this.#conferences = conferences;
    this.#key = random.bytes(KEY_BYTES);
    this.#nonces = new DigestNonces({
      key: this.#key,
      random,
      windowMs: NONCE_WINDOW_MS,
      capacity: NONCES_IN_USE,
    });
  }

  /**
   * @param id the user part of the conference's address, whatever it looks like
   * @param address the guest's, to which the nonce is tied
   */
  check(request: SipRequest, id: string, address: string, wall: WallTime): KeyVerdict {
    const binding = `${id} ${address}`;
    const challenge = (stale: boolean): KeyVerdict => ({
      outcome: 'challenge',
      stale,
      headers: this.#challenges(wall, binding, stale),
    });
    const credentials = this.#credentials(request);
    const algorithm = ALGORITHMS.find((one) => one === credentials?.algorithm);
    if (credentials === undefined || algorithm === undefined) return challenge(false);
    // Worked out for a conference that exists, too: otherwise the time that it takes would tell which ones do.
    const decoy = this.#decoy(id, algorithm);
    const ha1 = this.#conferences.keyHash(id, algorithm) ?? decoy;
    const right = checkResponse(credentials, { method: request.method, ha1, body: request.body });
    const about = credentials.username.toLowerCase() === id && isAbout(credentials, request);
    if (!right || !about || credentials.qop !== 'auth') return { outcome: 'wrong' };
    switch (this.#nonces.use(credentials.nonce, credentials.nc ?? 1, wall, binding)) {
      case 'good':
        return { outcome: 'right' };
      case 'replayed':
        return challenge(false);
      case 'stale':
      case 'forged':
        return challenge(true);
    }
  }

  /** RFC 8760 §2.4: the one that is wanted most comes first. */
  #challenges(wall: WallTime, binding: string, stale: boolean): Headers {
    const realm = this.#conferences.domain;
    const nonce = this.#nonces.issue(wall, binding);
    return ALGORITHMS.map((algorithm) => [
      'WWW-Authenticate',
      formatChallenge({ realm, nonce, algorithm, qop: ['auth'], stale }),
    ]);
  }

  #credentials(request: SipRequest): DigestCredentials | undefined {
    for (const text of request.values('authorization')) {
      const parsed = parseCredentials(text);
      if (parsed.ok && parsed.value.realm === this.#conferences.domain) return parsed.value;
    }
    return undefined;
  }

  /** What nobody knows, hashed as a key is. */
  #decoy(id: string, algorithm: Algorithm): string {
    const name: DigestAlgorithm = algorithm;
    return createHmac(name === 'MD5' ? 'md5' : 'sha256', this.#key)
      .update(id)
      .digest('hex');
  }
}

/** RFC 7616 §3.4.6: the digest is about this request and not another one. */
function isAbout(credentials: DigestCredentials, request: SipRequest): boolean {
  return credentials.uri.toLowerCase() === request.uri.toLowerCase();
}
