import type { ProxyContext, ProxyHandler, SipFlow } from '#platform/sip-endpoint';
import type { MessageEdit, ServerTransaction, SipRequest, SipResponse } from '#protocols/sip';
import type { ClientConnection } from '../clients/client-connection.ts';
import { type DeliverOutward, decideNextHopRequest } from '../policy/from-next-hop.ts';
import { LOOPED, type Refusal, refuse } from '../policy/refusal.ts';
import { type OriginalRequest, restoreInward } from '../rewrite/inward.ts';
import { outwardRequest, shownReasons } from '../rewrite/outward.ts';
import type { Scene } from '../rewrite/scene.ts';
import type { ProxyCore } from './core.ts';

/** The way outward: what the next hop sends for clients. */
export class NextHopSide {
  readonly #core: ProxyCore;

  constructor(core: ProxyCore) {
    this.#core = core;
  }

  handleRequest(request: SipRequest, from: SipFlow, transaction: ServerTransaction): void {
    const core = this.#core;
    if (core.federation.handleOutward(request, from, transaction)) return;
    const decision = decideNextHopRequest(request, core.scene.settings);
    if (decision.kind === 'answer') {
      core.answerOptions(transaction);
      return;
    }
    if (decision.kind === 'refuse') {
      core.refuse(transaction, decision, from);
      return;
    }
    const client = this.#clientOf(decision.token);
    if ('kind' in client) {
      core.refuse(transaction, client, from);
      return;
    }
    const trail = core.scene.hiding.trails.of(request);
    if (trail === undefined) {
      core.refuse(transaction, LOOPED, from);
      return;
    }
    core.guests.handleRequest(request, client);
    const branch = core.branches.next(trail);
    const bytes = outwardRequest(request, decision, client.token, branch, core.sceneOf(client));
    const original = {
      remote: from.connection.remote,
      token: client.token,
      recordRoute: decision.recordRoute || request.has('Record-Route'),
    };
    core.metrics.requests.inc('outward');
    if (request.method === 'BENOTIFY') {
      core.endpoint.sendStateless(client.flow, bytes);
      core.endpoint.abandon(transaction);
      return;
    }
    client.begins(request, request.callId);
    core.proxy.forward(
      transaction,
      [{ flow: client.flow, branch, bytes }],
      new OutwardHandler(core, original, client),
    );
  }

  handleAck(request: SipRequest, from: SipFlow): void {
    const core = this.#core;
    if (core.federation.handleOutwardAck(request, from)) return;
    const decision = decideNextHopRequest(request, core.scene.settings);
    const client = decision.kind === 'deliver' ? this.#clientOf(decision.token) : undefined;
    if (decision.kind !== 'deliver' || client === undefined || 'kind' in client) {
      core.countRefusal('bad-ack', from, request);
      return;
    }
    const trail = core.scene.hiding.trails.of(request);
    if (trail === undefined) {
      core.countRefusal(LOOPED.reason, from, request);
      return;
    }
    core.metrics.requests.inc('outward');
    const branch = core.branches.next(trail);
    const bytes = outwardRequest(request, decision, client.token, branch, core.sceneOf(client));
    core.endpoint.sendStateless(client.flow, bytes);
  }

  /** RFC 5626 §5.3: a token of ours whose connection is gone, and one that is not ours. */
  #clientOf(token: DeliverOutward['token']): ClientConnection | Refusal {
    const client = this.#core.clients.find(token);
    if (client === 'dead') return refuse(430, 'dead-flow');
    if (client === 'forged') return refuse(403, 'forged-token');
    return client;
  }
}

/** The responses of a client to one request of the next hop, which is the transaction's to keep. */
class OutwardHandler implements ProxyHandler {
  readonly #core: ProxyCore;
  readonly #original: Omit<OriginalRequest, 'request'>;
  readonly #client: ClientConnection;
  readonly #scene: Scene;
  #accepted = false;

  constructor(core: ProxyCore, original: Omit<OriginalRequest, 'request'>, client: ClientConnection) {
    this.#core = core;
    this.#original = original;
    this.#client = client;
    this.#scene = core.sceneOf(client);
  }

  editResponse(edit: MessageEdit, response: SipResponse, { transaction }: ProxyContext): void {
    this.#core.metrics.responses.inc('inward');
    restoreInward(edit, response, { ...this.#original, request: transaction.request }, this.#scene);
  }

  cancelReasons(reasons: readonly string[]): readonly string[] {
    return shownReasons(reasons, this.#scene);
  }
  onFinal(status: number): void {
    if (status < 300) this.#accepted = true;
  }
  onEnd({ transaction }: ProxyContext): void {
    const { request } = transaction;
    this.#client.ends(request, request.callId, this.#accepted);
  }
}
