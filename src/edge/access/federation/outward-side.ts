import type { Monotonic } from '#kernel';
import type {
  BranchFailure,
  NextBranch,
  ProxyBranch,
  ProxyContext,
  ProxyHandler,
  SipFlow,
} from '#platform/sip-endpoint';
import type { MessageEdit, ServerTransaction, SipRequest, SipResponse } from '#protocols/sip';
import { LOOPED, type Refusal } from '../policy/refusal.ts';
import { shownReasons } from '../rewrite/outward.ts';
import type { LinkFailure, PartnerLink } from './connections/partner-link.ts';
import type { FederationCore } from './federation.ts';
import { openPartnerToken, partnerToken } from './federation-scene.ts';
import { refuseFederation } from './policy/refuse.ts';
import { decideToPartner, type PartnerOutward } from './policy/to-partner.ts';
import { type OriginalToPartner, partnerInwardResponse } from './rewrite/partner-inward.ts';
import { partnerOutwardRequest } from './rewrite/partner-outward.ts';

/** What goes to a partner, and what its branch ends in. */
type Leaving = PartnerOutward & { readonly trail: string };

/** The way outward: what the next hop sends to partners. */
export class OutwardSide {
  readonly #federation: FederationCore;

  constructor(federation: FederationCore) {
    this.#federation = federation;
  }

  /** False when the request is not for a partner. */
  handleRequest(request: SipRequest, from: SipFlow, transaction: ServerTransaction): boolean {
    const decision = this.#decide(request);
    if (decision === undefined) return false;
    if (decision.kind === 'refuse') {
      this.#federation.refuse(transaction, decision, from, domainOf(request));
      return true;
    }
    const { links, scene, core } = this.#federation;
    const { partner } = decision;
    if (core.draining && request.to.tag === undefined) {
      this.#federation.refuse(transaction, core.refuseWhileDraining(), from, partner.domain);
      return true;
    }
    const link = links.link(partner);
    const send = (flow: SipFlow) => {
      if (transaction.pending) this.#forward(request, from, transaction, decision, link, flow);
    };
    const refused = (failure: LinkFailure) => {
      if (!transaction.pending) return;
      this.#federation.refuse(transaction, refuseFederation(failure.reason), from, partner.domain);
    };
    link.reach(scene.settings.connectionsPerPartner, send, refused);
    return true;
  }

  handleAck(request: SipRequest, from: SipFlow): boolean {
    const decision = this.#decide(request);
    if (decision === undefined) return false;
    const { core, links, scene } = this.#federation;
    if (decision.kind === 'refuse') {
      this.#federation.drop(request, decision.reason, from, domainOf(request));
      return true;
    }
    const { partner } = decision;
    const send = (flow: SipFlow) => {
      const branch = core.branches.next(decision.trail);
      const bytes = this.#copy(request, decision, this.#tokenOf(decision), branch);
      this.#federation.metrics.requests.inc('outward');
      core.endpoint.sendStateless(flow, bytes);
    };
    const { connectionsPerPartner } = scene.settings;
    links.link(partner).reach(connectionsPerPartner, send, () => core.countRefusal('bad-ack', from));
    return true;
  }

  /** Undefined when it is not for a partner. */
  #decide(request: SipRequest): Refusal | Leaving | undefined {
    const { seal, scene, providers } = this.#federation;
    const known = {
      partners: scene.partners,
      providers: providers.rules,
      openToken: (token: string) => openPartnerToken(seal, token),
    };
    const decision = decideToPartner(request, known, scene.scene.settings);
    if (decision?.kind !== 'send') return decision;
    const trail = scene.scene.hiding.trails.of(request);
    return trail === undefined ? LOOPED : { ...decision, trail };
  }

  #tokenOf({ partner }: PartnerOutward): string {
    return partnerToken(this.#federation.seal, partner.domain);
  }
  #copy(request: SipRequest, decision: Leaving, token: string, branch: string): Buffer {
    const { scene } = this.#federation;
    return partnerOutwardRequest(request, decision, token, branch, scene.scene, scene.settings);
  }

  #forward(
    request: SipRequest,
    from: SipFlow,
    transaction: ServerTransaction,
    decision: Leaving,
    link: PartnerLink,
    flow: SipFlow,
  ): void {
    const { core } = this.#federation;
    // The same for every branch, whatever keys come meanwhile: by it our own routes are known in the answer.
    const token = this.#tokenOf(decision);
    const branchTo = ({ request: original }: ServerTransaction, target: SipFlow): ProxyBranch => {
      const branch = core.branches.next(decision.trail);
      return { flow: target, branch, bytes: this.#copy(original, decision, token, branch) };
    };
    const original = {
      remote: from.connection.remote,
      token,
      recordRoute: decision.recordRoute || request.has('Record-Route'),
      partner: decision.partner,
      media: decision.media,
    };
    this.#federation.metrics.requests.inc('outward');
    if (request.method === 'BENOTIFY') {
      core.endpoint.sendStateless(flow, branchTo(transaction, flow).bytes);
      core.endpoint.abandon(transaction);
      return;
    }
    const handler = new OutwardHandler(this.#federation, original, { link, flow, branchTo, from });
    core.proxy.forward(transaction, [branchTo(transaction, flow)], handler);
  }
}

function domainOf(request: SipRequest): string | undefined {
  const uri = request.parsedUri();
  return uri.ok ? uri.value.host : undefined;
}

interface Way {
  readonly link: PartnerLink;
  readonly flow: SipFlow;
  readonly branchTo: (transaction: ServerTransaction, flow: SipFlow) => ProxyBranch;
  readonly from: SipFlow;
}

/** A connection on which no byte came for so long while a request waited (RFC 3261 timers B and F, less a second) is dead. */
const SILENT_MS = 31_000;

/** Who sent another request than INVITE has stopped waiting when it runs out of time (RFC 4320 §4.2). */
function isOver({ transaction }: ProxyContext): boolean {
  return transaction.method !== 'INVITE';
}

/** The responses of a partner to one request of the next hop, which is the transaction's to keep. */
class OutwardHandler implements ProxyHandler {
  readonly #federation: FederationCore;
  readonly #original: Omit<OriginalToPartner, 'request'>;
  readonly #way: Way;
  /** Servers of the partner that answered 503 to this request, or not at all. */
  readonly #unavailable = new Set<string>();
  /** Where it is now, and what had been heard there when it was sent. */
  #at: { readonly flow: SipFlow; readonly bytes: number; readonly since: Monotonic };
  #sentAgain = false;

  constructor(federation: FederationCore, original: Omit<OriginalToPartner, 'request'>, way: Way) {
    this.#federation = federation;
    this.#original = original;
    this.#way = way;
    this.#at = this.#goBy(way.flow);
  }

  refuseResponse(response: SipResponse, context: ProxyContext): number | undefined {
    const { providers } = this.#federation;
    return providers.refuseResponse(response, context, this.#original, this.#way.from);
  }

  cancelReasons(reasons: readonly string[]): readonly string[] {
    return shownReasons(reasons, this.#federation.scene.scene);
  }

  editResponse(edit: MessageEdit, response: SipResponse, { transaction }: ProxyContext): void {
    const { core, scene, providers } = this.#federation;
    core.metrics.responses.inc('inward');
    providers.editResponse(edit, response, this.#original);
    partnerInwardResponse(edit, response, { ...this.#original, request: transaction.request }, scene.scene);
  }

  /**
   * RFC 3263 §4.3: a connection that broke is no answer, nor is silence; another connection, or another server of the
   * partner, may bring one. One that says 503 has not taken the request. What a server has begun to answer was
   * delivered, and is not sent again.
   */
  nextBranch(
    failure: BranchFailure,
    branch: ProxyBranch,
    context: ProxyContext,
  ): NextBranch | Promise<NextBranch> {
    switch (failure.cause) {
      case 'response':
        return failure.response.status === 503 ? this.#elsewhere(branch, context) : undefined;
      case 'timeout':
        return failure.heard || isOver(context) ? undefined : this.#elsewhere(branch, context);
      case 'transport':
        return failure.heard ? this.#giveUp(context) : this.#again(context);
      case 'refused':
        return this.#again(context);
      case 'bad-response':
        return undefined;
    }
  }

  onEnd(): void {
    this.#leave();
  }

  /**
   * On another connection, which is opened if there is none: the partner may have closed its only one just now, since it
   * rested or the server there began anew. Once, with the Call-ID and CSeq by which a server that did get it before
   * knows it (RFC 3261 §8.2.2.2).
   */
  async #again(context: ProxyContext): Promise<NextBranch> {
    const { link } = this.#way;
    if (this.#sentAgain) return this.#giveUp(context);
    this.#sentAgain = true;
    // First the link hears of the end: whoever closes at once, for our certificate is no good there, is not dialled again.
    await Promise.resolve();
    const { connectionsPerPartner } = this.#federation.scene.settings;
    const other = await new Promise<SipFlow | LinkFailure>((resolve) => {
      link.reach(connectionsPerPartner, resolve, resolve);
    });
    return 'reason' in other
      ? this.#giveUp(context, other.reason)
      : this.#branchOn(other, context.transaction);
  }

  async #elsewhere({ flow }: ProxyBranch, { transaction }: ProxyContext): Promise<NextBranch> {
    const { link } = this.#way;
    const host = link.hostOf(flow);
    if (host !== undefined) this.#unavailable.add(host);
    const other = await link.reachOther(
      this.#federation.scene.settings.connectionsPerPartner,
      this.#unavailable,
    );
    return other === undefined ? undefined : this.#branchOn(other, transaction);
  }

  #giveUp({ transaction }: ProxyContext, reason: LinkFailure['reason'] = 'partner-unreachable'): undefined {
    if (!transaction.pending) return;
    const { domain } = this.#original.partner;
    this.#federation.refuse(transaction, refuseFederation(reason), this.#way.from, domain);
  }

  #branchOn(flow: SipFlow, transaction: ServerTransaction): ProxyBranch {
    this.#leave();
    this.#at = this.#goBy(flow);
    return this.#way.branchTo(transaction, flow);
  }
  #goBy(flow: SipFlow): { flow: SipFlow; bytes: number; since: Monotonic } {
    this.#way.link.taken(flow);
    return { flow, bytes: flow.bytes, since: this.#federation.core.clock.now() };
  }
  #leave(): void {
    const { flow, bytes, since } = this.#at;
    const waited = this.#federation.core.clock.now() - since;
    if (flow.bytes === bytes && waited >= SILENT_MS) this.#way.link.handleSilence(flow);
    this.#way.link.released(flow);
  }
}
