import type { Result, WallTime } from '#kernel';

/** What a username is worth, as the relay needs it. */
export interface VerifiedCredential {
  /**
   * Keys of MESSAGE-INTEGRITY, each MD5(username ":" realm ":" password), RFC 8489 §9.2.2, 16 octets. Several
   * while several secrets are honoured: the one that fits the message's integrity is the client's.
   */
  readonly keys: readonly Uint8Array[];
  /** Whose quota the allocation counts against. */
  readonly user: string;
  /** From then on the credential is worth nothing, also for allocations that it opened. Infinity: never ends. */
  readonly expires: WallTime;
}

/** Resolves usernames of long-term credentials. Called before the sender has proved anything. */
export interface CredentialVerifier {
  /**
   * @param username the USERNAME attribute as received (a view valid during the call; 0..508 octets)
   * @param realm the relay's own realm
   * @param wall now, to compare with the credential's end
   */
  lookup(username: Uint8Array, realm: string, wall: WallTime): Result<VerifiedCredential, string>;
}
