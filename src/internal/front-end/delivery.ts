import type { Clock, Random } from '#kernel';
import {
  type ProxyBranch,
  type ProxyHandler,
  type SipEndpoint,
  type SipFlow,
  StatefulProxy,
} from '#platform/sip-endpoint';
import {
  breadthOfBranch,
  type MessageEdit,
  maxBreadth,
  type NameAddress,
  parseNameAddress,
  type ServerTransaction,
  type SipRequest,
} from '#protocols/sip';
import { formatSenderRights, SENDER_RIGHTS } from '#protocols/trust-marking';
import { parseAor } from './account.ts';
import type { Binding } from './binding.ts';
import {
  type ConferenceCaller,
  callerOf,
  introduce,
  passesBusy,
  passesChallengesOf,
} from './conference-calls.ts';
import type { EdgeLinks, EdgeService } from './edge-links.ts';
import { type Forwarding, forwarded, keepsChallenges, type RecordedEnd } from './forwarding.ts';
import type { FrontEndMetrics } from './front-end-metrics.ts';
import { type FlowTokens, namesConnection, partyOf, sameEnd } from './parties.ts';
import { mayExchange, mayLeaveByEdge, NOT_FEDERATED, rightsToTell } from './partners.ts';
import type { Registrar } from './registrar.ts';
import type { Destination, Routed } from './routing.ts';
import type { SignIn, SignInSettings } from './sign-in.ts';

export interface DeliveryOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: FrontEndMetrics;
  readonly registrar: Registrar;
  readonly tokens: FlowTokens;
  readonly knows: (aor: string) => boolean;
  readonly signIn: SignIn;
}

/** The way of a request to where it goes: devices of users, edges, trusted peers, and along dialogs. */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #endpoint: SipEndpoint;
  readonly #proxy: StatefulProxy;
  readonly #links: EdgeLinks;
  #settings: SignInSettings;

  constructor(options: DeliveryOptions, endpoint: SipEndpoint, links: EdgeLinks, settings: SignInSettings) {
    this.#options = options;
    this.#endpoint = endpoint;
    this.#proxy = new StatefulProxy({ endpoint });
    this.#links = links;
    this.#settings = settings;
  }
  configure(settings: SignInSettings): void {
    this.#settings = settings;
  }

  /** Port row int-02: what is for another organisation leaves by an edge, which knows whether it is a partner. */
  toPartner(
    request: SipRequest,
    flow: SipFlow,
    transaction: ServerTransaction,
    { plan }: Routed,
    sender: string,
  ): void {
    const rights = this.#settings.access.rightsOf(sender);
    if (!mayLeaveByEdge(rights)) return this.#refuseToLeave(transaction);
    const recordRoute = formsDialog(request) ? this.#tokensOf([flow]) : [];
    const finish = (edit: MessageEdit) =>
      edit.append(SENDER_RIGHTS, formatSenderRights(rightsToTell(rights, false)));
    this.#links.reachAny('access', request.callId, (target) => {
      if (target === undefined) {
        return this.#endpoint.respond(transaction, 503, { reason: 'Edge Not Reachable' });
      }
      const branch = { flow: target, ...this.#copy(request, flow, target, { ...plan, recordRoute, finish }) };
      this.#proxy.forward(transaction, [branch], keepsChallenges);
    });
  }

  /** What is for an address that a trusted peer answers for, on a connection that the peer opened. */
  toPeer(
    request: SipRequest,
    flow: SipFlow,
    transaction: ServerTransaction,
    { plan }: Routed,
    route: { readonly peer: string; readonly sender: string },
  ): void {
    if (!mayExchange(this.#settings.access.rightsOf(route.sender), 'peer'))
      return this.#refuseToLeave(transaction);
    const target = this.#peerFlow(route.peer);
    if (target === undefined)
      return this.#endpoint.respond(transaction, 503, { reason: 'Peer Not Reachable' });
    const recordRoute = formsDialog(request) ? this.#tokensOf([flow, target]) : [];
    const branch = { flow: target, ...this.#copy(request, flow, target, { ...plan, recordRoute }) };
    this.#proxy.forward(transaction, [branch], keepsChallenges);
  }

  /** A conference of ours, whoever may call it was decided before. */
  toConference(
    request: SipRequest,
    flow: SipFlow,
    transaction: ServerTransaction,
    { plan }: Routed,
    route: { readonly peer: string; readonly caller: ConferenceCaller },
  ): void {
    const target = this.#peerFlow(route.peer);
    if (target === undefined) {
      return this.#endpoint.respond(transaction, 503, { reason: 'Conferences Not Reachable' });
    }
    const recordRoute = formsDialog(request) ? this.#tokensOf([flow, target]) : [];
    const finish = (edit: MessageEdit) => introduce(edit, request, route.caller, this.#isConference);
    const branch = { flow: target, ...this.#copy(request, flow, target, { ...plan, recordRoute, finish }) };
    const handler = route.caller.guest ? passesChallengesOf(this.#isConference) : passesBusy;
    this.#proxy.forward(transaction, [branch], handler);
  }

  /** The external access policy of the sender says no. */
  #refuseToLeave(transaction: ServerTransaction): void {
    this.#options.metrics.refusals.inc('not-federated');
    this.#endpoint.respond(transaction, 403, { headers: [NOT_FEDERATED] });
  }

  #peerFlow(peer: string): SipFlow | undefined {
    for (const flow of this.#endpoint.flows()) {
      const party = partyOf(flow);
      if (party.kind === 'peer' && party.peer === peer) return flow;
    }
    return undefined;
  }

  /** To every device of a user that may be reached. */
  toUser(request: SipRequest, flow: SipFlow, transaction: ServerTransaction, aor: string): void {
    const remote = this.#settings.access.rightsOf(aor).remote;
    const bindings = this.#options.registrar
      .lookup(aor, this.#options.clock.wall())
      .filter(({ reach }) => remote || reach.kind === 'flow');
    if (bindings.length === 0) {
      return this.#endpoint.respond(transaction, this.#options.knows(aor) ? 480 : 404);
    }
    const breadth = breadthOfBranch(maxBreadth(request), bindings.length);
    if (breadth === undefined) return this.#endpoint.respond(transaction, 440);
    const branches: ProxyBranch[] = [];
    const owners = new Map<string, Binding>();
    let waiting = bindings.length;
    for (const binding of bindings) {
      this.#reach(binding, (target) => {
        if (target !== undefined) {
          const branch = this.#branchTo(request, flow, { target, binding, breadth });
          branches.push(branch);
          owners.set(branch.branch, binding);
        }
        waiting -= 1;
        if (waiting === 0) this.#proxy.forward(transaction, branches, this.#handler(owners));
      });
    }
  }

  #reach(binding: Binding, use: (flow: SipFlow | undefined) => void): void {
    if (binding.reach.kind === 'flow') return use(this.#endpoint.flow(binding.reach.flow));
    const edge = this.#options.signIn.edgeOfPath(binding.reach.path);
    if (edge === undefined) use(undefined);
    else this.#links.reach(edge, 'access', use);
  }

  #branchTo(
    request: SipRequest,
    source: SipFlow,
    { target, binding, breadth }: { target: SipFlow; binding: Binding; breadth: number },
  ): ProxyBranch {
    const rest = binding.reach.kind === 'path' ? addressesOf(binding.reach.path) : [];
    const recordRoute = formsDialog(request) ? this.#tokensOf([source, target]) : [];
    return {
      flow: target,
      ...this.#copy(request, source, target, { uri: binding.contact, rest, recordRoute, breadth }),
    };
  }

  /** Client connections that have to be found again by the requests of the dialog, the caller's first. */
  #tokensOf(flows: readonly SipFlow[]): RecordedEnd[] {
    return flows.flatMap((flow) => {
      const party = partyOf(flow);
      if (!namesConnection(party)) return [];
      return [{ token: this.#options.tokens.tokenFor(flow, party), webSocket: speaksWebSocket(flow) }];
    });
  }

  /** RFC 5626 §5.3 and §11: a flow that failed takes its binding with it. */
  #handler(owners: ReadonlyMap<string, Binding>): ProxyHandler {
    return {
      ...keepsChallenges,
      nextBranch: (failure, branch) => {
        const binding = owners.get(branch.branch);
        const dead = failure.cause === 'response' && failure.response.status === 430;
        if (dead && binding !== undefined) this.#options.registrar.forget(binding);
        return undefined;
      },
    };
  }

  /** Along the routes of a dialog. */
  inDialog(request: SipRequest, flow: SipFlow, transaction: ServerTransaction, routed: Routed): void {
    this.#target(routed.destination, flow, (target) => {
      if (request.method === 'BENOTIFY') {
        // Nobody answers it ([MS-SIP]), so that nobody waits for an answer.
        if (typeof target !== 'number') {
          this.#endpoint.sendStateless(target, this.#copy(request, flow, target, routed.plan).bytes);
        }
        return this.#endpoint.abandon(transaction);
      }
      if (typeof target === 'number') return this.#endpoint.respond(transaction, target);
      const branch = { flow: target, ...this.#copyInDialog(request, flow, target, routed) };
      this.#proxy.forward(transaction, [branch], isConference(target) ? passesBusy : keepsChallenges);
    });
  }

  /** Where a request of a dialog goes next; a status when it can go nowhere. */
  #target(destination: Destination, source: SipFlow, use: (target: SipFlow | number) => void): void {
    if (destination.kind === 'edge') {
      return this.#links.reach(destination.edge, 'access', (flow) => use(flow ?? 503));
    }
    if (destination.kind !== 'flow') return use(404);
    const flows = destination.tokens.map((token) => this.resolve(token));
    if (flows.includes(undefined)) return use(403);
    const others = flows.filter((flow) => typeof flow !== 'object' || !sameEnd(flow, source));
    // RFC 5626 §5.3.1: 430 when the connection has ended.
    use(others.find((flow) => typeof flow === 'object') ?? 430);
  }

  #copy(
    request: SipRequest,
    source: SipFlow,
    target: SipFlow,
    onward: Omit<Forwarding, 'source' | 'webSocket'>,
  ): ReturnType<typeof forwarded> {
    const { remote } = source.connection;
    const how = { ...onward, source: remote, webSocket: speaksWebSocket(target) };
    return forwarded(request, this.#settings.own, how, this.#options.random);
  }
  /** A conference is told of each request who sent it. */
  #copyInDialog(request: SipRequest, source: SipFlow, target: SipFlow, { plan }: Routed) {
    if (partyOf(target).kind === 'edge') {
      const finish = this.#tellRights(request);
      return this.#copy(request, source, target, finish === undefined ? plan : { ...plan, finish });
    }
    if (!isConference(target)) return this.#copy(request, source, target, plan);
    const caller = callerOf(request, source);
    const finish = (edit: MessageEdit) => introduce(edit, request, caller, this.#isConference);
    return this.#copy(request, source, target, { ...plan, finish });
  }
  /** An edge is told what a dialog of a user of ours may become; of others it knows itself. */
  #tellRights(request: SipRequest): ((edit: MessageEdit) => void) | undefined {
    const aor = parseAor(request.from.uri);
    if (aor === undefined || !this.#settings.around.domains.has(aor.domain)) return undefined;
    const rights = rightsToTell(this.#settings.access.rightsOf(aor.aor), true);
    return (edit) => edit.append(SENDER_RIGHTS, formatSenderRights(rights));
  }
  readonly #isConference = (domain: string) => this.#settings.around.conferences.has(domain);

  /** To a service of one edge. */
  toEdge(
    request: SipRequest,
    source: SipFlow,
    transaction: ServerTransaction,
    routed: Routed,
    edge: string,
    service: EdgeService,
  ): void {
    this.#links.reach(edge, service, (flow) => {
      if (flow === undefined)
        return this.#endpoint.respond(transaction, 503, { reason: 'Edge Not Reachable' });
      const branch = { flow, ...this.#copy(request, source, flow, routed.plan) };
      this.#proxy.forward(transaction, [branch], service === 'access' ? undefined : this.#clockReader(edge));
    });
  }

  /** The A/V Authentication service says in its answers what time it is there. */
  #clockReader(edge: string): ProxyHandler {
    return { editResponse: (_edit, response) => this.#links.noteClock(edge, response.header('Date')) };
  }

  /** An ACK for a 2xx, along its dialog. */
  ack(request: SipRequest, flow: SipFlow, routed: Routed): void {
    this.#target(routed.destination, flow, (target) => {
      if (typeof target === 'number') return;
      this.#endpoint.sendStateless(target, this.#copyInDialog(request, flow, target, routed).bytes);
    });
  }

  /** True for a dialog with a conference of a peer, also while that has no connection. */
  leadsToConference(destination: Destination): boolean {
    if (destination.kind !== 'flow') return false;
    return destination.tokens.every((token) => {
      const end = this.resolve(token);
      return end === 'gone' || (end !== undefined && isConference(end));
    });
  }

  /** The client or peer connection that a token of ours names. */
  resolve(token: string): SipFlow | 'gone' | undefined {
    return this.#options.tokens.resolve(token, this.#endpoint);
  }
}

function isConference(flow: SipFlow): boolean {
  const party = partyOf(flow);
  return party.kind === 'peer' && party.conferences;
}

/** A connection of messages is a WebSocket. */
function speaksWebSocket(flow: SipFlow): boolean {
  return flow.connection.messages === true;
}

/** RFC 3261 §16.6 step 4: requests that begin a dialog. */
function formsDialog(request: SipRequest): boolean {
  return request.to.tag === undefined && ['INVITE', 'SUBSCRIBE', 'REFER'].includes(request.method);
}

/** Path values as Route entries; they were parsed when they were registered. */
function addressesOf(texts: readonly string[]): NameAddress[] {
  return texts.flatMap((text) => {
    const parsed = parseNameAddress(text);
    return parsed.ok ? [parsed.value] : [];
  });
}
