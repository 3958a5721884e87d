import type { EdgeDocument } from '#platform/topology';
import type { SenderRights } from '#protocols/trust-marking';

type Document = EdgeDocument['policy']['externalAccess'];
type Written = Pick<Document, 'remote' | 'federation' | 'publicProviders' | 'publicProviderMedia'>;

/** What a user may do with the outside. */
export interface Rights extends SenderRights {
  /** Signing in from outside. */
  readonly remote: boolean;
}

/** What users may do with the outside, where the next hop does not decide that: the user's own policy, or that of all. */
export class ExternalAccess {
  readonly #users: ReadonlyMap<string, Rights>;
  /** Of everybody who has no policy of their own. */
  readonly others: Rights;
  /** Somebody may not sign in from outside: then everybody has to sign in before anything else. */
  readonly restrictsRemote: boolean;

  constructor({ users, ...others }: Document) {
    this.#users = new Map(users.map((policy) => [policy.user, rightsOf(policy)]));
    this.others = rightsOf(others);
    this.restrictsRemote = !others.remote || users.some((policy) => !policy.remote);
  }

  /** @param address `user@domain`, in whichever case */
  rightsOf(address: string): Rights {
    return this.#users.get(address.toLowerCase()) ?? this.others;
  }
}

function rightsOf({
  remote,
  federation,
  publicProviders = federation,
  publicProviderMedia,
}: Written): Rights {
  return {
    remote,
    federation,
    publicProviders,
    publicProviderMedia: publicProviders && (publicProviderMedia ?? true),
  };
}
