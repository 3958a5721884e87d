import type { Monotonic } from '#kernel';
import type { SipRequest, SipResponse } from '../messages/message.ts';
import type { ClientTransaction } from './client-transaction.ts';
import { FlowLists } from './flow-lists.ts';
import { cancelFor } from './hop-requests.ts';
import { InviteClientTransaction } from './invite-client.ts';
import { InviteServerTransaction } from './invite-server.ts';
import { Machinery } from './machinery.ts';
import {
  ClientTransactions,
  clientHash,
  isLegacy,
  ownBranchOf,
  ServerTransactions,
  serverHash,
} from './matching.ts';
import { NonInviteClientTransaction } from './non-invite-client.ts';
import { NonInviteServerTransaction } from './non-invite-server.ts';
import type { ServerTransaction } from './server-transaction.ts';
import { defaultTimers, type Timers, type TimerValues, timersFor } from './timer-values.ts';
import type {
  ClientOutcome,
  ClientRequest,
  ClientTransactionUser,
  FlowId,
  RequestOutcome,
  ResponseOutcome,
  Transaction,
  TransactionAction,
  TransactionCounts,
  TransactionLimits,
} from './types.ts';

export interface TransactionLayerOptions {
  readonly limits: TransactionLimits;
  readonly timers?: TimerValues;
  /** Whether a flow's transport retransmits by itself (TCP, TLS); default: every one does. */
  readonly reliable?: (flow: FlowId) => boolean;
  /**
   * Messages match only transactions whose flow has the same scope, so that one peer can neither answer nor
   * cancel for another by guessing a branch. Default: one scope for all. No spaces.
   */
  readonly scope?: (flow: FlowId) => string;
}

/**
 * The transaction layer of RFC 3261 §17 with RFC 6026, without sockets or clock.
 *
 * - `handle…`: a message arrived, a flow closed, time passed.
 * - `request`, `respond`, `cancel`: commands of the layer above.
 * - Each returns actions; perform them in order, then call `deadline()` for when `handleTimeouts` is due.
 *
 * `now` must not go back. An ACK for a 2xx is no transaction: the layer above sends it itself.
 */
export class TransactionLayer {
  readonly #servers = new ServerTransactions();
  readonly #clients = new ClientTransactions();
  readonly #byFlow = new FlowLists();
  readonly #machinery = new Machinery((transaction) => this.#forget(transaction));
  #limits: TransactionLimits;
  readonly #reliableTimers: Timers;
  readonly #unreliableTimers: Timers;
  readonly #reliable: (flow: FlowId) => boolean;
  readonly #scope: (flow: FlowId) => string;
  /** CANCELs of our own, which stand in `#clients` beyond the limit: at most one for each INVITE. */
  #cancels = 0;

  constructor(options: TransactionLayerOptions) {
    const { limits } = options;
    checkLimits(limits);
    const values = options.timers ?? defaultTimers;
    this.#limits = limits;
    this.#reliableTimers = timersFor(true, values);
    this.#unreliableTimers = timersFor(false, values);
    this.#reliable = options.reliable ?? (() => true);
    this.#scope = options.scope ?? (() => '');
  }

  /** Other limits, for what begins from now on. */
  configure(limits: TransactionLimits): void {
    checkLimits(limits);
    this.#limits = limits;
  }

  get counts(): TransactionCounts {
    return { server: this.#servers.size, client: this.#clients.size };
  }

  handleRequest(request: SipRequest, flow: FlowId, now: Monotonic): RequestOutcome {
    const { method } = request;
    const scope = this.#scope(flow);
    const legacy = isLegacy(request);
    this.#machinery.begin(now);
    if (method === 'ACK') return this.#handleAck(request, scope, legacy);
    const hash = serverHash(request, method, scope);
    const known = this.#servers.find(request, method, scope, hash);
    if (known !== undefined) {
      if (legacy && known.request.to.tag !== request.to.tag) return { type: 'refused', reason: 'merged' };
      known.handleRepeated(this.#machinery);
      return { type: 'absorbed', actions: this.#machinery.actions };
    }
    if (this.#servers.size >= this.#limits.server) return { type: 'refused', reason: 'full' };
    const transaction = this.#serve(request, scope, flow, hash);
    if (method !== 'CANCEL') return { type: 'new', transaction };
    const invite = this.#servers.find(request, 'INVITE', scope);
    return invite === undefined ? { type: 'cancel', transaction } : { type: 'cancel', transaction, invite };
  }

  handleResponse(response: SipResponse, flow: FlowId, now: Monotonic): ResponseOutcome {
    this.#machinery.begin(now);
    const { actions } = this.#machinery;
    const branch = ownBranchOf(response);
    if (branch === undefined) return { type: 'stray', reason: 'no-branch', actions };
    const transaction = this.#clients.find(branch, response.cseq.method, this.#scope(flow));
    if (transaction === undefined) return { type: 'stray', reason: 'no-transaction', actions };
    const forUser = transaction.handleResponse(response, this.#machinery);
    if (!forUser || transaction.user === undefined) return { type: 'absorbed', actions };
    return { type: 'response', transaction, actions };
  }

  /** Sends a response; empty when the transaction has ended or its state allows no such response. */
  respond(
    transaction: ServerTransaction,
    status: number,
    bytes: Buffer,
    now: Monotonic,
  ): readonly TransactionAction[] {
    this.#machinery.begin(now);
    if (transaction.state !== 'terminated') transaction.respond(status, bytes, this.#machinery);
    return this.#machinery.actions;
  }

  /** Ends a server transaction whose request by its nature is not answered (BENOTIFY of [MS-SIP]). */
  abandon(transaction: ServerTransaction, now: Monotonic): readonly TransactionAction[] {
    this.#machinery.begin(now);
    if (transaction.pending) this.#machinery.end(transaction);
    return this.#machinery.actions;
  }

  request(request: ClientRequest, user: ClientTransactionUser, now: Monotonic): ClientOutcome {
    if (this.#clients.size - this.#cancels >= this.#limits.client) return { type: 'refused', reason: 'full' };
    const scope = this.#scope(request.flow);
    if (this.#clients.find(request.branch, request.method, scope) !== undefined) {
      return { type: 'refused', reason: 'duplicate-branch' };
    }
    this.#machinery.begin(now);
    const transaction = this.#send(request, scope, user);
    return { type: 'started', transaction, actions: this.#machinery.actions };
  }

  /**
   * Gives up an INVITE: CANCEL leaves at once or when a provisional response allows it; the final response
   * still arrives, or 'timeout'. No effect on any other method or state (RFC 3261 §9.1).
   * @param reasons Reason values of the CANCEL (RFC 3326)
   */
  cancel(
    transaction: ClientTransaction,
    now: Monotonic,
    reasons: readonly string[] = [],
  ): readonly TransactionAction[] {
    this.#machinery.begin(now);
    if (transaction instanceof InviteClientTransaction) transaction.cancel(this.#machinery, reasons);
    return this.#machinery.actions;
  }

  /** Everything on the flow ends; what still waited for a final response fails with 'transport-failed'. */
  handleFlowClosed(flow: FlowId, now: Monotonic): readonly TransactionAction[] {
    this.#machinery.begin(now);
    for (let next = this.#byFlow.first(flow); next !== undefined; next = this.#byFlow.first(flow)) {
      next.handleFlowClosed(this.#machinery);
    }
    this.#byFlow.forget(flow);
    return this.#machinery.actions;
  }

  handleTimeouts(now: Monotonic): readonly TransactionAction[] {
    const machinery = this.#machinery;
    machinery.begin(now);
    for (
      let timer = machinery.timers.takeDue(now);
      timer !== undefined;
      timer = machinery.timers.takeDue(now)
    ) {
      const transaction = timer.owner;
      if (timer === transaction.lifetime) transaction.handleLifetime(machinery);
      else transaction.handleRetransmission(machinery);
    }
    return machinery.actions;
  }

  /** When handleTimeouts is due next; undefined when nothing runs. */
  deadline(): Monotonic | undefined {
    return this.#machinery.timers.deadline();
  }

  #handleAck(ack: SipRequest, scope: string, legacy: boolean): RequestOutcome {
    const invite = this.#servers.find(ack, 'INVITE', scope);
    if (!(invite instanceof InviteServerTransaction)) return { type: 'ack' };
    if (invite.handleAck(ack, legacy, this.#machinery) === 'user') return { type: 'ack' };
    return { type: 'absorbed', actions: this.#machinery.actions };
  }

  #serve(request: SipRequest, scope: string, flow: FlowId, hash: number): ServerTransaction {
    const { method } = request;
    const self = { hash, scope, method, flow, request, timers: this.#timers(flow) };
    const transaction =
      method === 'INVITE' ? new InviteServerTransaction(self) : new NonInviteServerTransaction(self);
    this.#servers.add(transaction);
    this.#byFlow.add(transaction);
    transaction.begin(this.#machinery);
    return transaction;
  }

  #send(request: ClientRequest, scope: string, user: ClientTransactionUser | undefined): ClientTransaction {
    const { method, branch, flow, bytes } = request;
    const hash = clientHash(branch);
    const self = { hash, scope, method, branch, flow, bytes, user, timers: this.#timers(flow) };
    const transaction =
      method === 'INVITE'
        ? new InviteClientTransaction(self, this.#cancelInvite)
        : new NonInviteClientTransaction(self);
    this.#clients.add(transaction);
    this.#byFlow.add(transaction);
    transaction.begin(this.#machinery);
    return transaction;
  }

  /** One for all: transactions that were accepted stay for long. */
  readonly #cancelInvite = (invite: InviteClientTransaction): void => {
    const { branch, flow, scope } = invite;
    const bytes = cancelFor(invite.bytes, invite.reasons);
    if (bytes === undefined || this.#clients.find(branch, 'CANCEL', scope) !== undefined) return;
    this.#cancels += 1;
    invite.ownCancel = this.#send({ method: 'CANCEL', branch, flow, bytes }, scope, undefined);
  };

  #timers(flow: FlowId): Timers {
    return this.#reliable(flow) ? this.#reliableTimers : this.#unreliableTimers;
  }

  #forget(transaction: Transaction): void {
    this.#byFlow.remove(transaction);
    if (transaction.side === 'server') {
      this.#servers.remove(transaction);
      return;
    }
    this.#clients.remove(transaction);
    if (transaction.user === undefined) this.#cancels -= 1;
    if (!(transaction instanceof InviteClientTransaction)) return;
    // Else a peer that answers every INVITE and no CANCEL would fill the table.
    const { ownCancel } = transaction;
    if (ownCancel !== undefined && ownCancel.state !== 'terminated') this.#machinery.end(ownCancel);
  }
}

function checkLimits(limits: TransactionLimits): void {
  if (!(limits.server >= 1 && limits.client >= 1)) throw new RangeError('a transaction limit is below 1');
}
