import type { BranchFailure, ProxyBranch, ProxyContext, ProxyHandler, SipFlow } from '#platform/sip-endpoint';
import type { MessageEdit, ServerTransaction, SipRequest, SipResponse } from '#protocols/sip';
import type { ClientConnection } from '../clients/client-connection.ts';
import { registrationOf } from '../clients/registration.ts';
import type { Admission } from '../guard/guard-desk.ts';
import { asksForCredentials } from '../guard/outcome.ts';
import { canonicalAddress } from '../policy/common.ts';
import {
  type ClientDecision,
  type ClientKnowledge,
  decideClientRequest,
  type ForwardInward,
} from '../policy/from-client.ts';
import { checkRemoteAccess, checkUser, NOT_ENABLED_FOR_REMOTE } from '../policy/gates.ts';
import type { Refusal } from '../policy/refusal.ts';
import { inwardRequest } from '../rewrite/inward.ts';
import { hideOutward } from '../rewrite/outward.ts';
import type { ProxyCore } from './core.ts';
import { NextHopTrial } from './next-hop-trial.ts';

/** What clients are told is a little less than what we wait. */
const KEEP_ALIVE_SHARE = 0.9;

/** The way inward: what clients send. */
export class ClientSide {
  readonly #core: ProxyCore;

  constructor(core: ProxyCore) {
    this.#core = core;
  }

  handleRequest(request: SipRequest, client: ClientConnection, transaction: ServerTransaction): void {
    const core = this.#core;
    if (core.refuseExcess(client)) return;
    const decision = this.#decide(request, client);
    if (decision.kind === 'refuse') core.refuse(transaction, decision, client.flow);
    else if (decision.kind === 'answer') core.answerOptions(transaction);
    else this.#admit(request, client, transaction, decision);
  }

  /** An ACK for a 2xx is a request of its own that nobody answers. */
  handleAck(request: SipRequest, client: ClientConnection): void {
    const core = this.#core;
    if (core.refuseExcess(client)) return;
    const decision = this.#decide(request, client);
    if (decision.kind !== 'forward') {
      core.countRefusal('bad-ack', client.flow, request);
      return;
    }
    const proven = core.guard.acknowledges(request, client);
    if (typeof proven !== 'boolean') {
      core.countRefusal(proven.reason, client.flow, request);
      return;
    }
    const told = proven ? decision : { ...decision, unproven: true };
    const send = (flow: SipFlow) => {
      if (!core.nextHop.admits(request, client.flow, flow)) {
        core.countRefusal('next-hop-busy', client.flow, request);
        return;
      }
      const bytes = inwardRequest(request, told, client, core.branches.next(), core.sceneOf(client));
      core.metrics.requests.inc('inward');
      core.endpoint.sendStateless(flow, bytes);
    };
    core.nextHop.reach(client, request, send, () => core.countRefusal('no-next-hop', client.flow, request));
  }

  /** Where it may go, then whether its sender may: the document's switches, guests, and who is listed. */
  #decide(request: SipRequest, client: ClientConnection): ClientDecision {
    const core = this.#core;
    const { settings } = core.scene;
    const decision = decideClientRequest(request, new Knowledge(client, core), settings);
    if (decision.kind !== 'forward') return decision;
    const closed = checkRemoteAccess(settings);
    if (closed !== undefined) return closed;
    if (decision.hiddenSender === true) return decision;
    const verdict = core.guests.admit(request, decision.requestUri ?? request.uri, client, {
      settings,
      clock: core.clock,
    });
    if (verdict === 'no-guest') return checkUser(request, decision, settings);
    if (verdict !== 'guest') return verdict;
    const asserted = canonicalAddress(request.from.uri);
    // What begins goes to the conference, by no route that others were shown; only a dialog has one.
    const routes = request.to.tag === undefined ? [] : decision.routes;
    return { ...decision, routes, asserted, guest: true };
  }

  /** Guesses are slowed down, then refused, before the next hop sees them. */
  #admit(
    request: SipRequest,
    client: ClientConnection,
    transaction: ServerTransaction,
    decision: ForwardInward,
  ): void {
    const admission = this.#core.guard.admit(request, client);
    const waits = new Waiting(request, client, transaction, decision);
    if (!(admission instanceof Promise)) {
      this.#settleAdmission(waits, admission);
      return;
    }
    // Others from its source are under way, or another worker counts its failures.
    void admission.then((late) => {
      if (transaction.pending) this.#settleAdmission(waits, late);
      else {
        waits.over();
        if (late.kind === 'admitted') late.settle(undefined);
      }
    });
  }

  #settleAdmission(waits: Waiting, admission: Admission | Refusal): void {
    const core = this.#core;
    const { client, transaction } = waits;
    if (admission.kind === 'refuse') {
      waits.over();
      core.refuse(transaction, admission, client.flow);
      if (admission.reason === 'blocked-source' && !client.signIn.signedIn) {
        core.endpoint.closeFlow(client.flow, 'policy');
      }
      return;
    }
    const go = () => this.#forward(waits, admission);
    if (admission.delayMs === 0) go();
    else core.clock.after(admission.delayMs, go);
  }

  #forward(waits: Waiting, admission: Admission): void {
    const core = this.#core;
    const { request, client, transaction, decision } = waits;
    const handler = new InwardHandler(core, client, decision, admission);
    const send = (flow: SipFlow) => {
      waits.over();
      if (!transaction.pending) {
        admission.settle(undefined);
        return;
      }
      if (!core.nextHop.admits(request, client.flow, flow)) {
        admission.settle(undefined);
        core.refuseBusy(transaction, client.flow);
        return;
      }
      core.metrics.requests.inc('inward');
      client.begins(request, core.scene.hiding.openCallId(request.callId));
      core.proxy.forward(transaction, [handler.branchTo(request, flow)], handler);
    };
    core.nextHop.reach(client, request, send, () => {
      waits.over();
      admission.settle(undefined);
      core.refuseUnreachable(transaction, client.flow);
    });
  }
}

/** A request that may go inward once it is known that its sender may try, and over which connection; meanwhile the client is not at rest. */
class Waiting {
  readonly request: SipRequest;
  readonly client: ClientConnection;
  readonly transaction: ServerTransaction;
  readonly decision: ForwardInward;
  #over = false;

  constructor(
    request: SipRequest,
    client: ClientConnection,
    transaction: ServerTransaction,
    decision: ForwardInward,
  ) {
    this.request = request;
    this.client = client;
    this.transaction = transaction;
    this.decision = decision;
    client.waits(1);
  }
  over(): void {
    if (!this.#over) this.client.waits(-1);
    this.#over = true;
  }
}

/** In place of a decision that nobody asks for again. */
const CARRIED_OUT: ForwardInward = {
  kind: 'forward',
  routes: [],
  requestUri: undefined,
  asserted: undefined,
  recordRoute: false,
  path: 'none',
};

/** One request on its way inward, and its responses on their way back. The request is the transaction's, which may condense it. */
class InwardHandler implements ProxyHandler {
  /** The next hop is all there is behind us, so when it asks to be spared the client has to know. */
  readonly passes503 = true;
  readonly #core: ProxyCore;
  readonly #client: ClientConnection;
  #decision: ForwardInward;
  readonly #admission: Admission;
  #trial: NextHopTrial | undefined;
  #accepted = false;

  constructor(core: ProxyCore, client: ClientConnection, decision: ForwardInward, admission: Admission) {
    this.#core = core;
    this.#client = client;
    this.#decision = decision;
    this.#admission = admission;
  }

  branchTo(request: SipRequest, flow: SipFlow): ProxyBranch {
    const branch = this.#core.branches.next();
    const bytes = inwardRequest(
      request,
      this.#decision,
      this.#client,
      branch,
      this.#core.sceneOf(this.#client),
    );
    return { flow, branch, bytes };
  }

  editResponse(edit: MessageEdit, response: SipResponse, context: ProxyContext): void {
    const { request } = context.transaction;
    this.#core.guests.handleAnswer(request, this.#client, response);
    this.#core.metrics.responses.inc('outward');
    const original = { request, token: this.#client.token };
    hideOutward(edit, response, original, this.#core.sceneOf(this.#client));
    if (request.method !== 'REGISTER' || response.status < 200) return;
    if (this.#decision.inVain === true && response.status < 300) this.#refuseListed(context);
    else this.#handleRegistered(edit, request, response);
  }

  /** A client that does not wait to hear that its password was wrong has guessed nevertheless. */
  onBranchFinal(response: SipResponse): void {
    // Another member may judge the credentials that this one has not looked at.
    if (response.status !== 503) this.#admission.settle(response);
  }
  onFinal(status: number): void {
    if (status < 300) this.#accepted = true;
  }
  onEnd({ transaction }: ProxyContext): void {
    const { request } = transaction;
    this.#client.ends(request, this.#core.scene.hiding.openCallId(request.callId), this.#accepted);
    this.#admission.settle(undefined);
    // This stays for as long as an accepted INVITE does.
    this.#decision = CARRIED_OUT;
  }

  nextBranch(failure: BranchFailure, branch: ProxyBranch, context: ProxyContext): ProxyBranch | undefined {
    this.#trial ??= new NextHopTrial(this.#core, this.#client);
    const flow = this.#trial.next(failure, branch, context);
    return flow === undefined ? undefined : this.branchTo(context.transaction.request, flow);
  }

  /** The password was right, and the document says no. What the next hop answered comes too late then. */
  #refuseListed({ transaction }: ProxyContext): void {
    this.#core.countRefusal('user-not-listed', this.#client.flow, transaction.request, 403);
    this.#core.endpoint.respond(transaction, 403, { headers: [NOT_ENABLED_FOR_REMOTE] });
  }

  #handleRegistered(edit: MessageEdit, request: SipRequest, response: SipResponse): void {
    const core = this.#core;
    const client = this.#client;
    if (response.status >= 300) {
      const outcome = asksForCredentials(request, response) ? 'challenged' : 'refused';
      core.tellSignIn(outcome, request, client.flow, response.status);
      return;
    }
    const address = canonicalAddress(request.to.uri);
    if (address === undefined) return;
    const { flow, signIn } = client;
    const registered = registrationOf(request, response, signIn.contactsOf(address));
    if (registered === undefined) return;
    const { seconds } = registered;
    signIn.handleAccepted(address, registered, flow, core.clock.now());
    if (signIn.signedIn) flow.authorised = true;
    flow.party = client.party;
    core.tellSignIn(seconds > 0 ? 'accepted' : 'withdrawn', request, flow, response.status);
    if (seconds > 0 && this.#decision.path === 'outbound') this.#promiseFlow(edit, request, response);
    if (seconds > 0 && request.has('ms-keep-alive')) this.#promiseTheOldWay(edit);
  }

  /** What the original's clients ask for: the connection is ours to keep, so the answer of the inside does not count. */
  #promiseTheOldWay(edit: MessageEdit): void {
    const { keepAliveSeconds } = this.#core.scene.settings.limits;
    const timeout = Math.floor(keepAliveSeconds * KEEP_ALIVE_SHARE);
    edit.replace('ms-keep-alive', `UAS; tcp=no; hop-hop=yes; end-end=no; timeout=${timeout}`);
  }

  /** RFC 5626 §5.4: how long this flow may be silent, a little less than we wait before we close it. */
  #promiseFlow(edit: MessageEdit, request: SipRequest, response: SipResponse): void {
    const { keepAliveSeconds } = this.#core.scene.settings.limits;
    if (!request.values('Supported').some((option) => option.toLowerCase() === 'outbound')) return;
    const ours = Math.floor(keepAliveSeconds * KEEP_ALIVE_SHARE);
    const theirs = Number(response.header('Flow-Timer') ?? ours);
    // A registrar that waits longer than we do does not keep our connection open.
    edit.replace('Flow-Timer', String(theirs > 0 && theirs < ours ? Math.floor(theirs) : ours));
  }
}

/** What is known of a client while one of its requests is judged. */
class Knowledge implements ClientKnowledge {
  readonly #client: ClientConnection;
  readonly #core: ProxyCore;

  constructor(client: ClientConnection, core: ProxyCore) {
    this.#client = client;
    this.#core = core;
  }
  accepts(address: string): boolean {
    return this.#client.signIn.accepts(address, this.#core.endpoint.now());
  }
  get signedIn(): boolean {
    return this.#client.signIn.signedIn;
  }
  isOurToken(token: string): boolean {
    return token === this.#client.token || this.#core.clients.find(token) !== 'forged';
  }
  unfold(behind: string): readonly string[] | undefined {
    return this.#core.scene.hiding.unfoldRoutes(behind);
  }
  openTarget(uri: string): string | undefined {
    return this.#core.scene.hiding.targets.open(uri);
  }
}
