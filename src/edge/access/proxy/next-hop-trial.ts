import type { BranchFailure, PoolMember, ProxyBranch, ProxyContext, SipFlow } from '#platform/sip-endpoint';
import type { ProxyCore } from './core.ts';
import type { Served } from './next-hop.ts';

/** A connection outside whose request is on its way inward. */
type Sender = Served & { readonly flow: SipFlow };

/** The way of one request from outside over the members of the next hop, after the first of them has failed it. */
export class NextHopTrial {
  readonly #core: ProxyCore;
  readonly #sender: Sender;
  /** Members that answered 503 to this request. */
  readonly #unavailable = new Set<PoolMember>();

  constructor(core: ProxyCore, sender: Sender) {
    this.#core = core;
    this.#sender = sender;
  }

  /**
   * To another member when one cannot be reached any more, or says itself that it does not serve; one that answers anything else
   * has the say. Where none can be reached, the sender is told.
   */
  next(failure: BranchFailure, { flow }: ProxyBranch, { transaction }: ProxyContext): SipFlow | undefined {
    const { nextHop, metrics } = this.#core;
    const { request } = transaction;
    let other: SipFlow | undefined;
    if (failure.cause === 'response') {
      if (failure.response.status !== 503) return undefined;
      other = nextHop.elsewhere(this.#sender, request, this.#unavailable, flow);
    } else if (failure.cause === 'transport' || failure.cause === 'refused') {
      other = nextHop.other(this.#sender, request, flow);
      if (other === undefined) this.#core.refuseUnreachable(transaction, this.#sender.flow);
    }
    if (other !== undefined) metrics.failovers.inc();
    return other;
  }
}
