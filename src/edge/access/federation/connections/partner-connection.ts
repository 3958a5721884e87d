import { BoundedMap } from '#kernel';
import type { VerifiedPeer } from '#platform/pki';
import type { PoolMember, SipFlow } from '#platform/sip-endpoint';
import type { Served } from '../../proxy/next-hop.ts';
import type { Identity } from '../policy/identity.ts';

/** Domains of one connection that are remembered; a provider speaks for many. */
const DOMAINS = 256;

/** A connection with a partner, whoever opened it: whom its certificate names, and for whom it was found to speak. */
export class PartnerConnection implements Served {
  readonly flow: SipFlow;
  readonly peer: VerifiedPeer;
  readonly direction: 'inbound' | 'outbound';
  /** Chooses the member of the next hop, one for all connections of one certificate. */
  readonly token: string;
  member: PoolMember | undefined;
  /** Requests that wait until it is known whom the connection speaks for. */
  waiting = 0;
  readonly #identities = new BoundedMap<string, Identity>(DOMAINS);

  constructor(flow: SipFlow, peer: VerifiedPeer, direction: 'inbound' | 'outbound') {
    this.flow = flow;
    this.peer = peer;
    this.direction = direction;
    this.token = peer.fingerprint;
  }

  /** The domain's identity, when the connection was found to speak for it. */
  identity(domain: string): Identity | undefined {
    return this.#identities.get(domain);
  }
  get identities(): Identity[] {
    return [...this.#identities.values()];
  }
  learn(identity: Identity): void {
    if (this.#identities.set(identity.domain, identity)) return;
    const [oldest] = this.#identities.keys();
    if (oldest !== undefined) this.#identities.delete(oldest);
    this.#identities.set(identity.domain, identity);
  }
  /** Another document: who speaks for whom is found out anew. */
  forget(): void {
    this.#identities.clear();
  }
}
