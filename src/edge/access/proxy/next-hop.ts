import type { PoolMember, SipFlow, SipFlowPool } from '#platform/sip-endpoint';

/** A connection outside, as the next hop serves it. */
export interface Served {
  /** Chooses its member. */
  readonly token: string;
  /** The member that it stays with until that one fails. */
  member: PoolMember | undefined;
}

/** The next hop as client connections see it: each stays with one member for as long as that member is healthy. */
export class NextHop {
  readonly #pool: SipFlowPool;

  constructor(pool: SipFlowPool) {
    this.#pool = pool;
  }

  members(): readonly PoolMember[] {
    return this.#pool.members();
  }

  /** Calls `use` with a flow to the client's member, at once or when one is open; else `unreachable`, once. */
  reach(client: Served, use: (flow: SipFlow) => void, unreachable: () => void): void {
    const flow = this.#stay(client) ?? this.#move(client);
    if (flow !== undefined) use(flow);
    else this.#await([...this.#pool.members()], client, use, unreachable);
  }

  /** An open flow to another member than the one that just failed this client; it stays there from now on. */
  other(client: Served, failed: SipFlow): SipFlow | undefined {
    for (const member of this.#pool.membersFor(client.token)) {
      const flow = this.#pool.flowTo(member);
      if (flow === undefined || flow === failed || !flow.open) continue;
      client.member = member;
      return flow;
    }
    return undefined;
  }

  #stay({ member }: Served): SipFlow | undefined {
    return member?.state === 'healthy' ? this.#pool.flowTo(member) : undefined;
  }

  #move(client: Served): SipFlow | undefined {
    client.member = this.#pool.memberFor(client.token);
    return client.member === undefined ? undefined : this.#pool.flowTo(client.member);
  }

  /** Nobody is connected: waits for those that are being dialled, one after the other. */
  #await(members: PoolMember[], client: Served, use: (flow: SipFlow) => void, unreachable: () => void): void {
    const member = members.shift();
    if (member === undefined) {
      unreachable();
      return;
    }
    const arrived = (flow: SipFlow) => {
      client.member = member;
      use(flow);
    };
    this.#pool.whenOpen(member, arrived, () => this.#await(members, client, use, unreachable));
  }
}
