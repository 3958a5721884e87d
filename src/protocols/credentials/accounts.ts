import { err, ok, type Result, type WallTime } from '#kernel';
import { longTermKey, type PasswordAlgorithm, sameOctets, userhash } from '#protocols/stun';
import type { Credential, CredentialRefusal, MediaCredentialVerifier } from './verifier.ts';

/** An account of the document: for a client whose credential is written into it once. */
export interface RelayAccount {
  readonly name: string;
  readonly password: Uint8Array;
}

/** Verifies accounts that stand in the document. Their names may be shown as hashes, since all of them are known. */
export class AccountVerifier implements MediaCredentialVerifier {
  readonly #accounts: ReadonlyMap<string, RelayAccount>;
  /** Hashes by realm, made when they are first asked for. */
  #hashes: { readonly realm: string; readonly byHash: ReadonlyMap<string, RelayAccount> } | undefined;

  constructor(accounts: readonly RelayAccount[]) {
    this.#accounts = new Map(accounts.map((account) => [account.name, account]));
  }

  lookup(
    username: Uint8Array,
    realm: string,
    _wall: WallTime,
    algorithm: PasswordAlgorithm = 'md5',
  ): Result<Credential, CredentialRefusal> {
    const account = this.#accounts.get(Buffer.from(username).toString('utf8'));
    // What decodes to the same text need not be the same octets.
    if (account === undefined || !sameOctets(Buffer.from(account.name), username)) return err('unknown');
    return ok(credentialOf(account, realm, algorithm));
  }

  lookupHash(
    hash: Uint8Array,
    realm: string,
    _wall: WallTime,
    algorithm: PasswordAlgorithm = 'md5',
  ): Result<Credential, CredentialRefusal> {
    if (this.#hashes?.realm !== realm) this.#hashes = { realm, byHash: this.#hashAll(realm) };
    const account = this.#hashes.byHash.get(Buffer.from(hash).toString('hex'));
    return account === undefined ? err('unknown') : ok(credentialOf(account, realm, algorithm));
  }

  #hashAll(realm: string): Map<string, RelayAccount> {
    return new Map(
      [...this.#accounts.values()].map((account) => [userhash(account.name, realm).toString('hex'), account]),
    );
  }
}

function credentialOf(
  { name, password }: RelayAccount,
  realm: string,
  algorithm: PasswordAlgorithm,
): Credential {
  return {
    keys: [longTermKey(name, realm, password, algorithm)],
    user: `account:${name}`,
    expires: Number.POSITIVE_INFINITY,
    username: Buffer.from(name),
    anonymity: true,
  };
}
