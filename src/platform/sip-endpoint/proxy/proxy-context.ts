import {
  type ClientTransaction,
  type ClientTransactionUser,
  headerId,
  MessageEdit,
  type ServerTransaction,
  type ServerTransactionUser,
  type SipRequest,
  type SipResponse,
  type TransactionFailure,
} from '#protocols/sip';
import type { SipEndpoint } from '../endpoint.ts';
import type { RequestRefused } from '../options.ts';
import type { SipFlow } from '../types.ts';
import { BestResponse, type Candidate } from './best-response.ts';
import { ANSWERED_ELSEWHERE, reasonsOf } from './cancel-reasons.ts';
import { Dismissals } from './dismissals.ts';

const VIA = headerId('Via');

/** One target of a proxied request (RFC 3261 §16.6). */
export interface ProxyBranch {
  readonly flow: SipFlow;
  /** The request as it leaves, our Via with `branch` on top. */
  readonly bytes: Buffer;
  readonly branch: string;
}

/** Why a branch brought nothing better than this. */
export type BranchFailure =
  /** No final response in time, or its flow closed; `heard`: a provisional one had come, so it was delivered. */
  | { readonly cause: TransactionFailure; readonly heard: boolean }
  /** It could not even be sent. */
  | { readonly cause: 'refused'; readonly reason: RequestRefused | 'too-many-branches' }
  /** A final response of 3xx, 4xx or 5xx. */
  | { readonly cause: 'response'; readonly response: SipResponse }
  /** A final response that does not go back through us. */
  | { readonly cause: 'bad-response' };

/** Another target, if there is one. */
export type NextBranch = ProxyBranch | undefined;

/** The service's say in a proxied request. Every member is optional. */
export interface ProxyHandler {
  /** Edits a response on its way upstream; our Via is already removed. */
  editResponse?(edit: MessageEdit, response: SipResponse, context: ProxyContext): void;
  /**
   * Asked of each response but 100, before anything else becomes of it: the status, 400 to 599, with which the request is answered
   * in its place because the service does not let it upstream; undefined lets it. The branch then counts as refused with that
   * status. One that is still open is cancelled, and a call that was accepted is ended by ACK and BYE (`dismissalOf`); one that goes
   * on as before is not acknowledged, and the target ends it (RFC 3261 §13.3.1.4).
   */
  refuseResponse?(response: SipResponse, context: ProxyContext): number | undefined;
  /**
   * A branch failed: another target to try in its place, if any, at once or when it has been connected. What a
   * failure without response would have added to the choice of the best response is then forgotten. Not asked once
   * the request is cancelled; a promise must not reject.
   */
  nextBranch?(
    failure: BranchFailure,
    branch: ProxyBranch,
    context: ProxyContext,
  ): NextBranch | Promise<NextBranch>;
  /** The Reason values of a CANCEL from upstream as they go on; by default they do as they are (RFC 3326 §2). */
  cancelReasons?(reasons: readonly string[]): readonly string[];
  /**
   * A branch has its final response, as it arrived, whatever becomes of it: also when nobody is left upstream to be told.
   */
  onBranchFinal?(response: SipResponse): void;
  /** A final response went upstream; several 2xx may, for one INVITE. */
  onFinal?(status: number, context: ProxyContext): void;
  /** Once, when no branch is open any more; further 2xx of an INVITE may follow within 64 * T1. */
  onEnd?(context: ProxyContext): void;
  /**
   * True sends a 503 upstream as 503, so that the client looks for another server. By default it becomes 500
   * (RFC 3261 §16.7 step 6): set this only when no other request would fare better here.
   */
  readonly passes503?: boolean;
}

/** The same for all requests of one proxy. */
export interface ProxyLimits {
  /** Targets of one request, serial ones included. */
  readonly branches: number;
  /** Header fields of an INVITE that an ACK and a BYE in its caller's place have as well. */
  readonly carried: readonly string[];
}

const NO_BRANCHES: Branch[] = [];

/**
 * The response context of RFC 3261 §16.7: what became of one proxied request, from its branches to the
 * response that goes upstream.
 */
export class ProxyContext implements ServerTransactionUser {
  readonly transaction: ServerTransaction;
  readonly #endpoint: SipEndpoint;
  readonly #handler: ProxyHandler;
  readonly #limits: ProxyLimits;
  #branches: Branch[] = [];
  /** Of what does not go upstream at once. */
  #best: BestResponse | undefined;
  #open = 0;
  /** Targets that are being connected; each counts as an open branch. */
  #awaited: Set<symbol> | undefined;
  /** A final response is on its way upstream, or nobody is left to receive one. */
  #answered = false;
  #cancelled = false;
  /** Upstream is gone, or gave up without an answer. */
  #abandoned = false;
  #phase: 'starting' | 'running' | 'ended' = 'starting';

  /** Made by StatefulProxy.forward. */
  constructor(
    endpoint: SipEndpoint,
    transaction: ServerTransaction,
    handler: ProxyHandler,
    limits: ProxyLimits,
  ) {
    this.#endpoint = endpoint;
    this.transaction = transaction;
    this.#handler = handler;
    this.#limits = limits;
    transaction.user = this;
  }

  /** Branches that wait for their final response. */
  get open(): number {
    return this.#open;
  }
  get cancelled(): boolean {
    return this.#cancelled;
  }

  /** RFC 3261 §16.6 steps 8 to 10; called once. */
  start(branches: readonly ProxyBranch[]): void {
    // While the service made up its mind the caller may have gone, or been answered after a CANCEL.
    if (!this.transaction.pending) {
      this.#answered = true;
      this.#phase = 'running';
      this.#settle();
      return;
    }
    // An INVITE takes long by nature: its sender is told at once that it need not repeat it.
    if (this.transaction.method === 'INVITE') this.#endpoint.respond(this.transaction, 100);
    for (const branch of branches) this.#send(branch);
    this.#phase = 'running';
    this.#settle();
  }

  /** Gives up every open branch (RFC 3261 §16.10); the responses that follow decide what goes upstream. */
  cancel(reasons?: readonly string[]): void {
    this.#cancelled = true;
    this.#cancelOpen(reasons);
    this.#forgetAwaited();
  }

  onCancel(cancel: SipRequest): void {
    const reasons = reasonsOf(cancel);
    this.cancel(reasons && (this.#handler.cancelReasons?.(reasons) ?? reasons));
  }

  /** Each target has the time of a first one (RFC 3261 §16.6 step 11), and the caller is answered after the last of them. */
  isAtWork(): boolean {
    return this.#open > 0;
  }

  onFailure(): void {
    // There is nobody to answer.
    this.#abandoned = true;
    this.#answered = true;
    this.cancel();
  }

  /** For the branches of this context. */
  handleResponse(branch: Branch, response: SipResponse): void {
    const { status } = response;
    const refused = status > 100 ? this.#handler.refuseResponse?.(response, this) : undefined;
    if (refused !== undefined) {
      this.#handleForbidden(branch, response, refused);
      return;
    }
    if (status < 200) {
      this.#handleProvisional(response);
      return;
    }
    const late = branch.closed;
    this.#close(branch);
    if (!late) this.#handler.onBranchFinal?.(response);
    // Without a Via below ours it would leave for nowhere; a peer that shortens Via is not answering us.
    if (response.vias().length < 2) {
      if (!late) this.#fail(branch, { cause: 'bad-response' }, { status: 502, response: undefined });
    } else if (status < 300) {
      // RFC 3261 §9.1: who gave up a call, and is answered in that moment, ends it; here nobody else is left to.
      if (this.#abandoned) this.#dismiss(branch, response);
      else this.#handleSuccess(response);
    } else if (!late) {
      this.#handleRefusal(branch, response);
    }
    this.#settle();
  }

  /** For the branches of this context. */
  handleFailure(branch: Branch, cause: TransactionFailure): void {
    this.#close(branch);
    // RFC 3261 §16.8 and §16.9: as if a 408, or a 503, had been received.
    const { heard } = branch;
    this.#fail(branch, { cause, heard }, { status: cause === 'timeout' ? 408 : 503, response: undefined });
    this.#settle();
  }

  /** RFC 3261 §16.7 step 5; only INVITE has provisional responses to pass on (RFC 4320 §4.1). */
  #handleProvisional(response: SipResponse): void {
    if (response.status === 100 || this.#answered || this.transaction.method !== 'INVITE') return;
    if (response.vias().length >= 2) this.#forward(response);
  }

  #handleForbidden(branch: Branch, response: SipResponse, instead: number): void {
    const { status } = response;
    if (status >= 200 && status < 300) this.#dismiss(branch, response);
    if (branch.closed) return;
    // Before the 487 that a CANCEL brings, which is no better.
    this.#add({ status: instead, response: undefined });
    if (status >= 200) {
      this.#close(branch);
      this.#settle();
    } else if (branch.client !== undefined) this.#endpoint.cancel(branch.client);
  }

  #dismiss(branch: Branch, response: SipResponse): void {
    if (this.transaction.method !== 'INVITE' || branch.target === undefined) return;
    branch.dismissals ??= new Dismissals(this.#endpoint, this.#limits.carried);
    branch.dismissals.dismiss(response, branch.target);
  }

  #handleSuccess(response: SipResponse): void {
    // Every 2xx to an INVITE makes a dialog of its own, so each one goes upstream.
    if (this.#answered && this.transaction.method !== 'INVITE') return;
    this.#answered = true;
    this.#forward(response);
    this.#handler.onFinal?.(response.status, this);
    this.#cancelOpen(ANSWERED_ELSEWHERE);
  }

  #handleRefusal(branch: Branch, response: SipResponse): void {
    if (response.status >= 600) {
      this.#add({ status: response.status, response });
      this.cancel();
      return;
    }
    this.#add({ status: response.status, response });
    this.#tryNext(branch, { cause: 'response', response }, () => {});
  }

  #fail(branch: Branch, failure: BranchFailure, candidate: Candidate): void {
    this.#tryNext(branch, failure, () => this.#add(candidate));
  }

  #tryNext(branch: Branch, failure: BranchFailure, none: () => void): void {
    const { target } = branch;
    const next =
      this.#goesOn() && target !== undefined ? this.#handler.nextBranch?.(failure, target, this) : undefined;
    if (!(next instanceof Promise)) {
      if (next === undefined) none();
      else this.#send(next);
      return;
    }
    // A target that is still to be connected counts as a branch that is open.
    const awaited = Symbol();
    this.#awaited ??= new Set();
    this.#awaited.add(awaited);
    this.#open += 1;
    void next.then((target) => {
      if (this.#awaited?.delete(awaited) !== true) return;
      this.#open -= 1;
      if (target === undefined || !this.#goesOn()) none();
      else this.#send(target);
      this.#settle();
    });
  }

  /** Whether another target may still be tried. */
  #goesOn(): boolean {
    return !this.#answered && !this.#cancelled;
  }

  #send(target: ProxyBranch): void {
    const branch = new Branch(this, target);
    if (this.#branches.length >= this.#limits.branches) {
      // No further target is asked for: that would not end.
      this.#add({ status: 503, response: undefined });
      return;
    }
    this.#branches.push(branch);
    this.#open += 1;
    const { method } = this.transaction;
    const sent = this.#endpoint.request(
      target.flow,
      { method, branch: target.branch, bytes: target.bytes },
      branch,
    );
    if (sent.ok) {
      branch.client = sent.value;
      return;
    }
    this.#close(branch);
    // With our headers it is longer than a message may be, whoever gets it.
    if (sent.error === 'too-large') this.#add({ status: 513, response: undefined });
    else this.#fail(branch, { cause: 'refused', reason: sent.error }, { status: 503, response: undefined });
  }

  #add(candidate: Candidate): void {
    this.#best ??= new BestResponse();
    this.#best.add(candidate);
  }

  #close(branch: Branch): void {
    if (branch.closed) return;
    branch.closed = true;
    this.#open -= 1;
  }

  #cancelOpen(reasons?: readonly string[]): void {
    if (this.transaction.method !== 'INVITE') return;
    for (const branch of this.#branches) {
      if (!branch.closed && branch.client !== undefined) this.#endpoint.cancel(branch.client, reasons);
    }
  }

  /** Whoever gave up does not wait for a connection that nobody needs any more: to an INVITE 487 is the answer. */
  #forgetAwaited(): void {
    if (this.#awaited === undefined || this.#awaited.size === 0) return;
    this.#open -= this.#awaited.size;
    this.#awaited.clear();
    if (this.transaction.method === 'INVITE') this.#add({ status: 487, response: undefined });
    this.#settle();
  }

  /** RFC 3261 §16.7 step 6: when every branch has ended, the best of what came goes upstream. */
  #settle(): void {
    if (this.#open > 0 || this.#phase !== 'running') return;
    this.#phase = 'ended';
    if (!this.#answered) {
      this.#answered = true;
      this.#answer((this.#best ?? new BestResponse()).choose());
    }
    this.#handler.onEnd?.(this);
    this.#condense();
  }

  /** An INVITE that was accepted is only remembered from now on, for the 2xx that may still come. */
  #condense(): void {
    if (this.transaction.state !== 'accepted') return;
    // A call that another device accepts later, and that the service refuses, is ended by what was sent.
    const ends = this.#handler.refuseResponse !== undefined;
    for (const branch of this.#branches) if (!ends) branch.target = undefined;
    this.#branches = NO_BRANCHES;
    this.#best = undefined;
    this.transaction.condense();
  }

  #answer({ status, response }: Candidate): void {
    // RFC 4320 §4.2: who sent another request than INVITE has stopped waiting by now.
    if (status === 408 && response === undefined && this.transaction.method !== 'INVITE') return;
    const hidden = status === 503 && this.#handler.passes503 !== true;
    if (response !== undefined && !hidden) this.#forward(response);
    else this.#endpoint.respond(this.transaction, hidden ? 500 : status);
    this.#handler.onFinal?.(hidden ? 500 : status, this);
  }

  /** RFC 3261 §16.7 steps 3, 7 and 9. */
  #forward(response: SipResponse): void {
    const edit = new MessageEdit(response).removeFirst(VIA);
    this.#best?.addChallenges(edit, response);
    this.#handler.editResponse?.(edit, response, this);
    const bytes = edit.toBytes();
    if (this.#endpoint.fits(bytes) || response.status < 200) {
      this.#endpoint.respondRaw(this.transaction, response.status, bytes);
    } else {
      this.#endpoint.respond(this.transaction, 502, { reason: 'Response Too Large' });
    }
  }
}

/** One client transaction of a context. */
class Branch implements ClientTransactionUser {
  readonly context: ProxyContext;
  /** Where it was sent; undefined when nobody can ask any more. */
  target: ProxyBranch | undefined;
  client: ClientTransaction | undefined;
  /** Any response came. */
  heard = false;
  /** Its final response came, or it failed. */
  closed = false;
  dismissals: Dismissals | undefined;

  constructor(context: ProxyContext, target: ProxyBranch) {
    this.context = context;
    this.target = target;
  }
  onResponse(response: SipResponse): void {
    this.heard = true;
    this.context.handleResponse(this, response);
  }
  onFailure(cause: TransactionFailure): void {
    this.context.handleFailure(this, cause);
  }
}
