import type { BranchFailure, ProxyBranch, ProxyContext, ProxyHandler, SipFlow } from '#platform/sip-endpoint';
import {
  type MessageEdit,
  parseSipUri,
  type ServerTransaction,
  type SipRequest,
  type SipResponse,
} from '#protocols/sip';
import { NextHopTrial } from '../proxy/next-hop-trial.ts';
import type { PartnerConnection } from './connections/partner-connection.ts';
import type { FederationCore } from './federation.ts';
import { openPartnerToken, partnerToken } from './federation-scene.ts';
import type { FederationReason } from './policy/federation-reasons.ts';
import {
  decidePartnerRequest,
  decideUnasked,
  type PartnerDecision,
  type PartnerInward,
  type PartnerKnowledge,
  senderOf,
} from './policy/from-partner.ts';
import { isOwnHost } from './policy/identity.ts';
import { isPublic, type Partner } from './policy/partner-table.ts';
import { isWellDecorated } from './policy/provider-rules.ts';
import { refuseFederation } from './policy/refuse.ts';
import type { ProviderExchange } from './provider-gate.ts';
import { type PartnerSource, partnerInwardRequest } from './rewrite/partner-inward.ts';
import { partnerOutwardResponse } from './rewrite/partner-outward.ts';

/** Requests of one connection that may wait for an answer of the DNS. */
const MOST_WAITING = 64;

/** The way inward: what partners send. */
export class InwardSide {
  readonly #federation: FederationCore;

  constructor(federation: FederationCore) {
    this.#federation = federation;
  }

  handleRequest(request: SipRequest, connection: PartnerConnection, transaction: ServerTransaction): void {
    const { core, scene } = this.#federation;
    const unasked = decideUnasked(request, scene.scene.settings);
    const sender = senderOf(request);
    if (unasked?.kind === 'answer') {
      core.answerOptions(transaction);
    } else if (unasked !== undefined) {
      this.#federation.refuse(transaction, unasked, connection.flow, sender?.domain);
    } else if (core.draining && request.to.tag === undefined) {
      this.#federation.refuse(transaction, core.refuseWhileDraining(), connection.flow, sender?.domain);
    } else if (sender === undefined) {
      this.#federation.refuse(transaction, refuseFederation('from-not-verified'), connection.flow, undefined);
    } else {
      this.#decideFor(sender.domain, request, connection, transaction);
    }
  }

  /** An ACK for a 2xx is a request of its own that nobody answers: its sender is known from the INVITE. */
  handleAck(request: SipRequest, connection: PartnerConnection): void {
    const { core, scene } = this.#federation;
    const domain = senderOf(request)?.domain ?? '';
    const partner = scene.partners.partnerFor(domain);
    const decision = typeof partner === 'string' ? undefined : this.#decisionOf(request, connection, partner);
    if (decision?.kind !== 'forward' || typeof partner === 'string') {
      core.countRefusal('bad-ack', connection.flow, request);
      return;
    }
    // It may hold the answer to an offer (RFC 3261 §13.2.2.4).
    const restriction =
      this.#policed(partner, decision) ??
      this.#federation.providers.restriction(request, { partner, media: decision.media });
    if (restriction !== undefined) {
      this.#federation.drop(request, restriction, connection.flow, domain);
      return;
    }
    const source = this.#sourceOf(connection, partner);
    const send = (flow: SipFlow) => {
      if (!core.nextHop.admits(request, connection.flow, flow)) {
        core.countRefusal('next-hop-busy', connection.flow, request);
        return;
      }
      const bytes = partnerInwardRequest(request, decision, source, core.branches.next(), scene.scene);
      this.#federation.metrics.requests.inc('inward');
      core.endpoint.sendStateless(flow, bytes);
    };
    core.nextHop.reach(connection, request, send, () =>
      core.countRefusal('no-next-hop', connection.flow, request),
    );
  }

  /** Whose request it is has to be known before anything else of it counts. */
  #decideFor(
    domain: string,
    request: SipRequest,
    connection: PartnerConnection,
    transaction: ServerTransaction,
  ): void {
    const partner = this.#federation.scene.partners.partnerFor(domain);
    if (typeof partner === 'string') {
      this.#federation.refuse(transaction, refuseFederation(partner), connection.flow, domain);
    } else if (connection.identity(domain) !== undefined) {
      this.#decide(partner, request, connection, transaction);
    } else if (connection.waiting >= MOST_WAITING) {
      this.#federation.refuse(transaction, refuseFederation('partner-busy'), connection.flow, domain);
    } else {
      void this.#identify(partner, request, connection, transaction);
    }
  }

  async #identify(
    partner: Partner,
    request: SipRequest,
    connection: PartnerConnection,
    transaction: ServerTransaction,
  ): Promise<void> {
    connection.waiting += 1;
    const identity = await this.#federation.identification.find(connection, partner);
    connection.waiting -= 1;
    if (!transaction.pending || !connection.flow.open) return;
    if (!identity.ok) {
      const refusal = refuseFederation(identity.error.reason);
      this.#federation.refuse(transaction, refusal, connection.flow, partner.domain);
      return;
    }
    // The document may be another one by now.
    const now = this.#federation.scene.partners.partnerFor(partner.domain);
    if (typeof now === 'string') {
      this.#federation.refuse(transaction, refuseFederation(now), connection.flow, partner.domain);
    } else this.#decide(now, request, connection, transaction);
  }

  #decide(
    partner: Partner,
    request: SipRequest,
    connection: PartnerConnection,
    transaction: ServerTransaction,
  ): void {
    const { core } = this.#federation;
    const decision = this.#decisionOf(request, connection, partner);
    const excess = this.#policed(partner, decision) ?? this.#restriction(partner, request, decision);
    if (excess !== undefined) {
      this.#federation.refuse(transaction, refuseFederation(excess), connection.flow, partner.domain);
    } else if (decision.kind === 'refuse') {
      this.#federation.refuse(transaction, decision, connection.flow, partner.domain);
      this.#settled(partner, decision.status);
    } else if (decision.kind === 'answer') {
      core.answerOptions(transaction);
    } else this.#forward(partner, request, connection, transaction, decision);
  }

  /** What a provider may not send. */
  #restriction(
    partner: Partner,
    request: SipRequest,
    decision: PartnerDecision,
  ): FederationReason | undefined {
    const { provider, domain } = partner;
    if (provider === undefined || decision.kind !== 'forward') return undefined;
    const { user } = userOf(request.from.uri);
    if (!isWellDecorated(user, domain, provider)) return 'provider-address';
    return this.#federation.providers.restriction(request, { partner, media: decision.media });
  }

  /** What is too much of a partner that nobody listed; whatever it sends counts, also what is refused or answered by nobody. */
  #policed({ kind, domain }: Partner, decision: PartnerDecision): FederationReason | undefined {
    if (kind !== 'discovered') return undefined;
    const addressed = decision.kind === 'forward' ? decision.addressed : undefined;
    const { policing, core } = this.#federation;
    return policing.admit(domain, addressed, core.clock.now());
  }
  #settled({ kind, domain }: Partner, status: number): void {
    const { policing, core } = this.#federation;
    if (kind === 'discovered') policing.settled(domain, status, core.clock.now());
  }

  #forward(
    partner: Partner,
    request: SipRequest,
    connection: PartnerConnection,
    transaction: ServerTransaction,
    decision: PartnerInward,
  ): void {
    const { core } = this.#federation;
    const source = this.#sourceOf(connection, partner);
    const handler = new InwardHandler(this.#federation, connection, decision, source);
    const send = (flow: SipFlow) => {
      if (!transaction.pending) return;
      if (!core.nextHop.admits(request, connection.flow, flow)) {
        core.refuseBusy(transaction, connection.flow);
        return;
      }
      this.#federation.metrics.requests.inc('inward');
      // Nobody answers it, and what waits for an answer counts against the partner.
      if (request.method === 'BENOTIFY') {
        core.endpoint.sendStateless(flow, handler.branchTo(request, flow).bytes);
        core.endpoint.abandon(transaction);
        return;
      }
      core.proxy.forward(transaction, [handler.branchTo(request, flow)], handler);
    };
    core.nextHop.reach(connection, request, send, () => core.refuseUnreachable(transaction, connection.flow));
  }

  #sourceOf(connection: PartnerConnection, partner: Partner): PartnerSource {
    const token = partnerToken(this.#federation.seal, partner.domain);
    return { token, remote: connection.flow.connection.remote, partner };
  }

  #decisionOf(request: SipRequest, connection: PartnerConnection, partner: Partner): PartnerDecision {
    const { settings } = this.#federation.scene.scene;
    return decidePartnerRequest(request, this.#knowledge(connection, partner), settings);
  }
  #knowledge(connection: PartnerConnection, partner: Partner): PartnerKnowledge {
    const { seal, scene, identification } = this.#federation;
    const { names } = connection.peer;
    // Whom it asserts need not be whom anybody has written as before.
    const byCertificate = (domain: string): boolean => {
      const other = scene.partners.partnerFor(domain);
      return typeof other !== 'string' && identification.known(names, other) !== undefined;
    };
    return {
      speaksFor: (domain) => connection.identity(domain) !== undefined || byCertificate(domain),
      isOwnHost: (host) => isOwnHost(host, names, connection.flow.connection.remote.address),
      openToken: (token) => openPartnerToken(seal, token),
      unfold: (behind) => scene.scene.hiding.unfoldRoutes(behind),
      openTarget: (uri) => scene.scene.hiding.targets.open(uri),
      right: isPublic(partner) ? 'publicProviders' : 'federation',
    };
  }
}

function userOf(uri: string): { user?: string | undefined } {
  const parsed = parseSipUri(uri);
  return parsed.ok ? parsed.value : {};
}

/** One request of a partner on its way inward, and its responses on their way back. The transaction keeps the request. */
class InwardHandler implements ProxyHandler {
  /** The next hop is all there is behind us, so when it asks to be spared the partner has to know. */
  readonly passes503 = true;
  readonly #federation: FederationCore;
  readonly #connection: PartnerConnection;
  readonly #decision: PartnerInward;
  readonly #source: PartnerSource;
  #trial: NextHopTrial | undefined;
  /** Only what providers are answered may have to be refused. */
  readonly refuseResponse?: NonNullable<ProxyHandler['refuseResponse']>;

  constructor(
    federation: FederationCore,
    connection: PartnerConnection,
    decision: PartnerInward,
    source: PartnerSource,
  ) {
    this.#federation = federation;
    this.#connection = connection;
    this.#decision = decision;
    this.#source = source;
    if (source.partner.provider === undefined) return;
    this.refuseResponse = (response, context) =>
      federation.providers.refuseResponse(response, context, this.#exchange, connection.flow);
  }

  branchTo(request: SipRequest, flow: SipFlow): ProxyBranch {
    const { core, scene } = this.#federation;
    const branch = core.branches.next();
    const bytes = partnerInwardRequest(request, this.#decision, this.#source, branch, scene.scene);
    return { flow, branch, bytes };
  }

  editResponse(edit: MessageEdit, response: SipResponse, { transaction }: ProxyContext): void {
    const { scene, core, providers } = this.#federation;
    core.metrics.responses.inc('outward');
    providers.editResponse(edit, response, this.#exchange);
    const original = { request: transaction.request, token: this.#source.token };
    partnerOutwardResponse(edit, response, original, scene.scene, scene.settings);
  }

  get #exchange(): ProviderExchange {
    return { partner: this.#source.partner, media: this.#decision.media };
  }

  onFinal(status: number): void {
    const { policing, core } = this.#federation;
    if (this.#source.partner.kind === 'discovered') {
      policing.settled(this.#source.partner.domain, status, core.clock.now());
    }
  }

  nextBranch(failure: BranchFailure, branch: ProxyBranch, context: ProxyContext): ProxyBranch | undefined {
    this.#trial ??= new NextHopTrial(this.#federation.core, this.#connection);
    const flow = this.#trial.next(failure, branch, context);
    return flow === undefined ? undefined : this.branchTo(context.transaction.request, flow);
  }
}
