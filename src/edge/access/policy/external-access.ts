import type { EdgeDocument } from '#platform/topology';

type Document = EdgeDocument['policy']['externalAccess'];

interface Rights {
  /** Signing in from outside. */
  readonly remote: boolean;
  /** Exchanging messages and calls with partners. */
  readonly federation: boolean;
}

/** What users may do with the outside, where the next hop does not decide that: the user's own policy, or that of all. */
export class ExternalAccess {
  readonly #users: ReadonlyMap<string, Rights>;
  readonly #others: Rights;
  /** Somebody may not sign in from outside: then everybody has to sign in before anything else. */
  readonly restrictsRemote: boolean;

  constructor({ users, remote, federation }: Document) {
    this.#users = new Map(users.map((policy) => [policy.user, policy]));
    this.#others = { remote, federation };
    this.restrictsRemote = !remote || users.some((policy) => !policy.remote);
  }

  /** @param address `user@domain`, in whichever case */
  rightsOf(address: string): Rights {
    return this.#users.get(address.toLowerCase()) ?? this.#others;
  }
}
