import type { Result, WallTime } from '#kernel';
import type { PasswordAlgorithm } from '#protocols/stun';

/** What a username is worth, as the relay needs it. */
export interface VerifiedCredential {
  /**
   * Long-term keys (RFC 8489 §9.2.2) by the algorithm that was asked for. Several
   * while several secrets are honoured: the one that fits the message's integrity is the client's.
   */
  readonly keys: readonly Uint8Array[];
  /** Whose quota the allocation counts against. */
  readonly user: string;
  /** From then on the credential is worth nothing, also for allocations that it opened. Infinity: never ends. */
  readonly expires: WallTime;
  /** The name, when it was found by its hash. */
  readonly username?: Uint8Array;
  /** Its owner may show a hash instead of the name (USERHASH). */
  readonly anonymity?: true;
}

/** Resolves usernames of long-term credentials. Called before the sender has proved anything. */
export interface CredentialVerifier {
  /**
   * @param username the USERNAME attribute as received (a view valid during the call; 0..508 octets)
   * @param realm the relay's own realm
   * @param wall now, to compare with the credential's end
   */
  lookup(
    username: Uint8Array,
    realm: string,
    wall: WallTime,
    algorithm?: PasswordAlgorithm,
  ): Result<VerifiedCredential, string>;
  /** The same by USERHASH (RFC 8489 §14.4), where names can be found by their hash. */
  lookupHash?(
    userhash: Uint8Array,
    realm: string,
    wall: WallTime,
    algorithm?: PasswordAlgorithm,
  ): Result<VerifiedCredential, string>;
}
