import type { EdgeDocument } from '#platform/topology';
import { addressOfRecord, parseSipUri } from '#protocols/sip';
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
    this.#users = new Map(users.map((policy) => [plain(policy.user), rightsOf(policy)]));
    this.others = rightsOf(others);
    this.restrictsRemote = !others.remote || users.some((policy) => !policy.remote);
  }

  /** @param address `user@domain`, in whichever spelling */
  rightsOf(address: string): Rights {
    return this.#users.get(plain(address)) ?? this.others;
  }
}

/**
 * One spelling for all that RFC 3261 §19.1.4 takes for one user, in whichever case, and for a domain with a full stop at its
 * end: else `%63eo` would have what `ceo` has not.
 */
function plain(address: string): string {
  const written = address.replace(/\.+$/, '');
  const uri = written.includes('%') ? parseSipUri(`${SCHEME}${written}`) : undefined;
  return (uri?.ok === true ? addressOfRecord(uri.value).slice(SCHEME.length) : written).toLowerCase();
}
const SCHEME = 'sip:';

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
