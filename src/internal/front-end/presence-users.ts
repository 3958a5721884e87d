import type { Subscriber, Users } from '#internal/presence';
import type { WallTime } from '#kernel';
import { parseSipUri } from '#protocols/sip';
import { type AccountDirectory, parseAor } from './account.ts';
import type { ExternalAccess } from './external-access.ts';
import { mayExchange, mayLeaveByEdge } from './partners.ts';
import type { Registrar } from './registrar.ts';

/** What the presence agent has to know of accounts, sign-ins and policies. */
export class PresenceUsers implements Users {
  readonly #accounts: Pick<AccountDirectory, 'find'>;
  readonly #registrar: Registrar;
  #access: ExternalAccess;

  constructor(accounts: Pick<AccountDirectory, 'find'>, registrar: Registrar, access: ExternalAccess) {
    this.#accounts = accounts;
    this.#registrar = registrar;
    this.#access = access;
  }
  configure(access: ExternalAccess): void {
    this.#access = access;
  }

  knows(presentity: string): boolean {
    return this.#accounts.find(presentity) !== undefined;
  }
  devices(presentity: string, wall: WallTime): { readonly signedIn: boolean; readonly until: WallTime } {
    const bindings = this.#registrar.lookup(presentity, wall);
    if (bindings.length === 0) return { signedIn: false, until: Number.POSITIVE_INFINITY };
    return { signedIn: true, until: Math.max(...bindings.map(({ expires }) => expires)) };
  }
  /** Outsiders by the policy of the user, our own users outside by theirs. */
  admits(presentity: string, { address, outsider, reach }: Subscriber): boolean {
    if (outsider) {
      const rights = this.#access.rightsOf(presentity);
      if (reach.kind === 'peer') return mayExchange(rights, 'peer');
      return mayLeaveByEdge(rights, reach.kind === 'edge' ? reach.by : undefined);
    }
    return reach.kind !== 'edge' || this.#access.rightsOf(address).remote;
  }
  addressOf(uri: string): string | undefined {
    const parsed = parseSipUri(uri);
    if (!parsed.ok || parsed.value.user === undefined) return undefined;
    const address = `${parsed.value.user}@${parsed.value.host}`;
    const ours = parseAor(address)?.aor;
    return ours !== undefined && this.knows(ours) ? ours : address;
  }
}
