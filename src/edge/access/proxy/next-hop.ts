import type { FlowTarget, PoolMember, SipFlow, SipFlowPool } from '#platform/sip-endpoint';
import type { SipRequest } from '#protocols/sip';
import { servingDomain } from '../policy/domain-shares.ts';
import type { AccessSettings } from '../settings.ts';

type Serves = (target: FlowTarget) => boolean;
const everybody: Serves = () => true;

/** A connection outside, as the next hop serves it. */
export interface Served {
  /** Chooses its member. */
  readonly token: string;
  /** The member that it stays with until that one fails. */
  member: PoolMember | undefined;
}

/**
 * The next hop as connections outside see it: each stays with one member for as long as that member is healthy and serves
 * the domain in question.
 */
export class NextHop {
  readonly #pool: SipFlowPool;
  readonly #settings: () => AccessSettings;

  constructor(pool: SipFlowPool, settings: () => AccessSettings) {
    this.#pool = pool;
    this.#settings = settings;
  }

  members(): readonly PoolMember[] {
    return this.#pool.members();
  }
  /** SIP domains of which no server can be reached. */
  unserved(): string[] {
    const { sipDomains, nextHop } = this.#settings();
    const healthy = this.members().filter(({ state }) => state === 'healthy');
    return [...sipDomains].filter(
      (domain) => !healthy.some(({ target }) => nextHop.shares.serves(target, domain)),
    );
  }

  /** Calls `use` with a flow to the member that serves this request, at once or when one is open; else `unreachable`, once. */
  reach(client: Served, request: SipRequest, use: (flow: SipFlow) => void, unreachable: () => void): void {
    const serves = this.#serversOf(request);
    const flow = this.#stay(client, serves) ?? this.#move(client, serves);
    if (flow !== undefined) use(flow);
    else {
      const members = this.members().filter(({ target }) => serves(target));
      this.#await(members, client, use, unreachable);
    }
  }

  /**
   * Whether a request of `from` may be given to a member, which then has to be done. One that reads more slowly than others write
   * makes those wait who write most, rather than that all lose its connection.
   */
  admits(request: SipRequest, from: SipFlow, member: SipFlow): boolean {
    const wanted = {
      party: from.party ?? '',
      bytes: request.bytes.length,
      withinDialog: request.to.tag !== undefined,
    };
    return member.backlog.admits(wanted, this.#settings().limits.outboundBytes);
  }

  /** An open flow to another member than the one that just failed this client; it stays there from now on. */
  other(client: Served, request: SipRequest, failed: SipFlow): SipFlow | undefined {
    const serves = this.#serversOf(request);
    for (const member of this.#pool.membersFor(client.token)) {
      const flow = serves(member.target) ? this.#pool.flowTo(member) : undefined;
      if (flow === undefined || flow === failed || !flow.open) continue;
      client.member = member;
      return flow;
    }
    return undefined;
  }

  /**
   * An open flow to a member that has not been asked, for a request that `flow` was answered 503 to: RFC 3261 §21.5.4 has it tried
   * at another server. Whoever sent it stays where it is, for the answer may be about this request alone; whether that member serves
   * at all is asked.
   * @param unavailable members that answered so, to which that of `flow` is added
   */
  elsewhere(
    { token }: Served,
    request: SipRequest,
    unavailable: Set<PoolMember>,
    flow: SipFlow,
  ): SipFlow | undefined {
    const refuser = this.#pool.memberOf(flow);
    if (refuser !== undefined) {
      unavailable.add(refuser);
      this.#pool.doubt(refuser);
    }
    const serves = this.#serversOf(request);
    const other = this.#pool
      .membersFor(token)
      .find((member) => !unavailable.has(member) && serves(member.target));
    return other === undefined ? undefined : this.#pool.flowTo(other);
  }

  #serversOf(request: SipRequest): Serves {
    const { sipDomains, nextHop } = this.#settings();
    if (!nextHop.shares.divided) return everybody;
    const domain = servingDomain(request, sipDomains);
    return (target) => nextHop.shares.serves(target, domain);
  }

  #stay({ member }: Served, serves: Serves): SipFlow | undefined {
    return member?.state === 'healthy' && serves(member.target) ? this.#pool.flowTo(member) : undefined;
  }

  #move(client: Served, serves: Serves): SipFlow | undefined {
    client.member = this.#pool.memberFor(client.token, serves);
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
