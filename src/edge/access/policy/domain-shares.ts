import { parseSipUri, type SipRequest } from '#protocols/sip';

interface Server {
  readonly address: string;
  readonly port: number;
}

/** Which servers of the next hop serve which SIP domain. */
export class DomainShares {
  readonly #named = new Map<string, Set<string>>();
  /** Those of every domain that no member names. */
  readonly #others: ReadonlySet<string>;

  /** @param members `domains` in lower case; empty for all domains that no other member names */
  constructor(members: readonly (Server & { readonly domains: readonly string[] })[]) {
    for (const member of members) {
      for (const domain of member.domains) {
        const servers = this.#named.get(domain) ?? new Set();
        this.#named.set(domain, servers.add(keyOf(member)));
      }
    }
    const general = members.filter(({ domains }) => domains.length === 0);
    // Without any, whose domain is not ours is heard by all: they refuse it.
    this.#others = new Set((general.length === 0 ? members : general).map(keyOf));
  }

  /** False when all servers serve all domains. */
  get divided(): boolean {
    return this.#named.size > 0;
  }
  /** Whether this server may be asked on behalf of this domain, which is in lower case. */
  serves(server: Server, domain: string): boolean {
    return !this.divided || (this.#named.get(domain) ?? this.#others).has(keyOf(server));
  }
}

function keyOf({ address, port }: Server): string {
  return `${address} ${port}`;
}

/**
 * The domain whose servers have to decide on a request from outside: that of its sender, who is known there and nowhere
 * else; of strangers that of whom they want. A REGISTER is the business of who is to be registered (RFC 3261 §10.2).
 */
export function servingDomain(request: SipRequest, ours: ReadonlySet<string>): string {
  const sender = hostOf(request.method === 'REGISTER' ? request.to.uri : request.from.uri);
  if (ours.has(sender)) return sender;
  // Within a dialog the Request-URI is a contact, which may be anywhere.
  return hostOf(request.to.tag === undefined ? request.uri : request.to.uri);
}

function hostOf(uri: string): string {
  const parsed = parseSipUri(uri);
  return parsed.ok ? parsed.value.host : '';
}
