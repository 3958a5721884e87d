import { err, type Result, type WallTime } from '#kernel';
import type { PasswordAlgorithm } from '#protocols/stun';

/** RFC 8489 §14.3: a USERNAME is shorter than 509 bytes. */
export const LONGEST_USERNAME = 508;

/** What a username is worth, and for whom. */
export interface Credential {
  /**
   * Long-term keys (RFC 8489 §9.2.2), made with the algorithm that was asked for, that of the current secret first. More than one only
   * while several secrets are honoured: the message's integrity shows which of them the client holds.
   */
  readonly keys: readonly Buffer[];
  /** Who is asking, as quotas count: the same for every credential of one identity. */
  readonly user: string;
  /** The moment from which the credential is refused, in mid-session too. */
  readonly expires: WallTime;
  /** The name that it belongs to, when it was found by its hash. */
  readonly username?: Uint8Array;
  /** Its owner may show a hash instead of the name (USERHASH). */
  readonly anonymity?: true;
}

/**
 * Why a username is not good. `unknown`: not ours or not intact; `malformed`: too long or not text where text is
 * needed; `expired`: it was ours and its time is over.
 */
export type CredentialRefusal = 'unknown' | 'malformed' | 'expired';

/** Finds the keys for a USERNAME as received on the wire, with no state but keys. The relay's interface fits it. */
export interface MediaCredentialVerifier {
  /** `username` is only read during the call. `realm` is the relay's own. */
  lookup(
    username: Uint8Array,
    realm: string,
    wall: WallTime,
    algorithm?: PasswordAlgorithm,
  ): Result<Credential, CredentialRefusal>;
  /** The same by USERHASH (RFC 8489 §14.4); left out where names cannot be found by their hash. */
  lookupHash?(
    userhash: Uint8Array,
    realm: string,
    wall: WallTime,
    algorithm?: PasswordAlgorithm,
  ): Result<Credential, CredentialRefusal>;
}

/** Asks several verifiers in order; the first that knows the username (good or expired) decides. */
export class CombinedVerifier implements MediaCredentialVerifier {
  readonly #verifiers: readonly MediaCredentialVerifier[];

  constructor(verifiers: readonly MediaCredentialVerifier[]) {
    this.#verifiers = verifiers;
  }

  lookup(
    username: Uint8Array,
    realm: string,
    wall: WallTime,
    algorithm: PasswordAlgorithm = 'md5',
  ): Result<Credential, CredentialRefusal> {
    if (username.length === 0 || username.length > LONGEST_USERNAME) return err('malformed');
    let refusal: CredentialRefusal = 'unknown';
    for (const verifier of this.#verifiers) {
      const found = verifier.lookup(username, realm, wall, algorithm);
      if (found.ok || found.error === 'expired') return found;
      if (found.error === 'malformed') refusal = 'malformed';
    }
    return err(refusal);
  }

  lookupHash(
    userhash: Uint8Array,
    realm: string,
    wall: WallTime,
    algorithm: PasswordAlgorithm = 'md5',
  ): Result<Credential, CredentialRefusal> {
    for (const verifier of this.#verifiers) {
      const found = verifier.lookupHash?.(userhash, realm, wall, algorithm);
      if (found?.ok === true) return found;
    }
    return err('unknown');
  }
}
