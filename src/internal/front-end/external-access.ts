import type { InternalDocument } from '#platform/topology';

type Document = InternalDocument['frontEnd']['externalAccess'];

/** What one user may do with the outside. */
export type AccessRights = Document['global'];

/** What clients are told who may not be outside ([MS-OCER], ids of the user services). */
export const NOT_ENABLED_FOR_REMOTE: readonly [string, string] = [
  'ms-diagnostics-public',
  '4003;reason="From URI is not enabled for remote access"',
];

/** External access policies: of a user, of the site, or of all; the nearest one counts as a whole. */
export class ExternalAccess {
  readonly #users: ReadonlyMap<string, AccessRights>;
  readonly #others: AccessRights;

  constructor({ users, sites, site, global }: Document) {
    this.#users = new Map(users.map((policy) => [policy.user, policy]));
    this.#others = sites.find(({ name }) => name === site) ?? global;
  }

  /** @param aor `user@domain`, lower case */
  rightsOf(aor: string): AccessRights {
    return this.#users.get(aor) ?? this.#others;
  }
}
