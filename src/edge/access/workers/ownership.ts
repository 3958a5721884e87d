import type { WorkerPlace } from '#platform/service';
import { rendezvousScore } from '#platform/sip-endpoint';
import type { SipMessage, SipRequest } from '#protocols/sip';
import type { FederationScene } from '../federation/federation-scene.ts';
import { senderOf } from '../federation/policy/from-partner.ts';
import { linkKey } from '../federation/policy/partner-table.ts';
import { destinationOf } from '../federation/policy/to-partner.ts';
import { workerOfBranch } from '../proxy/branches.ts';
import type { AccessSettings } from '../settings.ts';

export interface OwnershipOptions {
  readonly place: WorkerPlace;
  readonly settings: () => AccessSettings;
  readonly federation: () => FederationScene;
  /** The worker that a flow token of this edge names; undefined for any other text. */
  readonly workerOfToken: (token: string) => number | undefined;
  /** The partner domain that a token names; undefined for any other text. */
  readonly openPartnerToken: (token: string) => string | undefined;
}

/** Whose a message is, and why: what becomes of it when that worker is not there depends on it. */
export interface Owner {
  readonly worker: number;
  readonly by: 'flow' | 'partner' | 'branch';
}

/** Which worker something belongs to: the same one every time, and for every worker that asks. */
export function workerFor(key: string, { count }: WorkerPlace): number {
  return rendezvousScore(key, 'worker') % count;
}

/**
 * To which worker a message belongs: to that which has the client's connection, to that in which everything of one
 * partner is, or to that which asked and now gets the answer. Undefined: to whoever received it.
 */
export class Ownership {
  readonly #options: OwnershipOptions;

  constructor(options: OwnershipOptions) {
    this.#options = options;
  }

  /** Of a message that came from the next hop. */
  ofNextHop(message: SipMessage): Owner | undefined {
    if (message.kind === 'response') return this.#ofBranch(message.topVia.branch);
    const destination = destinationOf(message, this.#options.settings());
    if (destination === undefined) return undefined;
    if ('domain' in destination) return this.#ofPartner(destination.domain);
    const worker = this.#options.workerOfToken(destination.token);
    if (worker !== undefined) return this.#unlessOwn({ worker, by: 'flow' });
    const domain = this.#options.openPartnerToken(destination.token);
    return domain === undefined ? undefined : this.#ofPartner(domain);
  }
  /** Of a request that came from a partner, by the domain that it says it is of. */
  ofPartner(request: SipRequest): Owner | undefined {
    const sender = senderOf(request);
    return sender === undefined ? undefined : this.#ofPartner(sender.domain);
  }

  #ofPartner(domain: string): Owner | undefined {
    const partner = this.#options.federation().partners.partnerFor(domain);
    // Refused by whoever received it.
    if (typeof partner === 'string') return undefined;
    return this.#unlessOwn({ worker: workerFor(linkKey(partner), this.#options.place), by: 'partner' });
  }
  #ofBranch(branch: string | undefined): Owner | undefined {
    const worker = branch === undefined ? undefined : workerOfBranch(branch);
    return worker === undefined ? undefined : this.#unlessOwn({ worker, by: 'branch' });
  }
  #unlessOwn(owner: Owner): Owner | undefined {
    const { index, count } = this.#options.place;
    return owner.worker === index || owner.worker >= count ? undefined : owner;
  }
}
