import type { Clock, Monotonic, Random } from '#kernel';
import {
  type FlowCloseReason,
  type ProxyBranch,
  type ProxyHandler,
  type SipEndpoint,
  type SipFlow,
  type SipUser,
  StatefulProxy,
} from '#platform/sip-endpoint';
import { newBranch, type ServerTransaction, type SipRequest } from '#protocols/sip';
import { ASSERTED_SOURCE, parseAssertedSource } from '#protocols/trust-marking';
import { parseAor } from './account.ts';
import type { Authenticator } from './authentication.ts';
import type { Binding, BindingReach } from './binding.ts';
import type { EdgeLinks, EdgeService } from './edge-links.ts';
import { forwardedRequest, type OwnUri } from './forwarding.ts';
import type { FrontEndMetrics } from './front-end-metrics.ts';
import { ADDRESSES_PER_CONNECTION, type FlowTokens, partyOf } from './parties.ts';
import { mrasUri, provisioningDocument, provisioningEvent, provisioningType } from './provisioning.ts';
import type { Registrar, RegistrarAnswer } from './registrar.ts';
import { type Destination, type Routed, routeRequest, type Surroundings, unsupported } from './routing.ts';

export interface FrontEndOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: FrontEndMetrics;
  readonly authenticator: Authenticator;
  readonly registrar: Registrar;
  readonly tokens: FlowTokens;
  /** True for an address of record that has an account. */
  readonly knows: (aor: string) => boolean;
}

/** The part of the front end that a new document replaces as a whole. */
export interface FrontEndSettings {
  readonly own: OwnUri;
  readonly around: Surroundings;
  /** The edge whose A/V Authentication service users are sent to. */
  readonly mrasEdge: string | undefined;
}

const SIGN_IN_HEADERS: readonly (readonly [string, string])[] = [
  ['Allow-Events', provisioningEvent],
  ['Supported', 'path, outbound'],
];
const ALLOWED = 'REGISTER, INVITE, ACK, BYE, CANCEL, MESSAGE, SUBSCRIBE, SERVICE, OPTIONS';

/**
 * Registrar and proxy for the users of some SIP domains: who signs in from outside comes through an edge, who is
 * inside has a connection of its own. Decisions are made by `routing.ts`, `registrar.ts` and `authentication.ts`.
 */
export class FrontEnd implements SipUser {
  readonly #options: FrontEndOptions;
  #endpoint!: SipEndpoint;
  #proxy!: StatefulProxy;
  #links!: EdgeLinks;
  #settings!: FrontEndSettings;

  constructor(options: FrontEndOptions) {
    this.#options = options;
  }
  /** Called once before the first message: the endpoint and the links need this object to be made. */
  attach(endpoint: SipEndpoint, links: EdgeLinks): void {
    this.#endpoint = endpoint;
    this.#proxy = new StatefulProxy({ endpoint });
    this.#links = links;
  }
  configure(settings: FrontEndSettings): void {
    this.#settings = settings;
  }

  onRequest(request: SipRequest, flow: SipFlow, transaction: ServerTransaction): void {
    const routed = routeRequest(request, this.#settings.around);
    this.#options.metrics.requests.inc(routed.destination.kind);
    if (routed.destination.kind === 'refused') {
      this.#refuse(request, transaction, routed.destination);
    } else if (routed.destination.kind === 'options') {
      this.#endpoint.respond(transaction, 200, { headers: [['Allow', ALLOWED], ...SIGN_IN_HEADERS] });
    } else if (this.#belongsToDialog(request, flow, routed)) {
      this.#forwardInDialog(request, flow, transaction, routed);
    } else {
      const sender = this.#sender(request, flow, transaction);
      if (sender !== undefined) this.#serve(request, flow, transaction, routed, sender);
    }
  }

  onAck(request: SipRequest, flow: SipFlow): void {
    const routed = routeRequest(request, this.#settings.around);
    if (!this.#belongsToDialog(request, flow, routed)) return;
    const branch = newBranch(this.#options.random);
    this.#target(routed.destination, flow, (target) => {
      if (typeof target === 'number') return;
      this.#endpoint.sendStateless(target, this.#copy(request, flow, branch, routed));
    });
  }

  onCancel(): void {
    // Answered by the endpoint; an INVITE that is being forwarded hears of it through its proxy context.
  }

  onFlowClosed(flow: SipFlow, _reason: FlowCloseReason): void {
    const party = partyOf(flow);
    if (party.kind !== 'client') return;
    const wall = this.#options.clock.wall();
    for (const aor of party.signedIn.keys()) {
      for (const binding of this.#options.registrar.lookup(aor, wall)) {
        const { reach } = binding;
        if (reach.kind === 'flow' && reach.flow === flow.id) this.#options.registrar.forget(binding);
      }
    }
  }

  #refuse(
    request: SipRequest,
    transaction: ServerTransaction,
    { status, reason }: Destination & { kind: 'refused' },
  ): void {
    this.#options.metrics.refusals.inc(reason);
    this.#endpoint.respond(
      transaction,
      status,
      status === 420 ? { headers: [['Unsupported', unsupported(request).join(', ')]] } : {},
    );
  }

  /**
   * A request inside a dialog that this front end is part of: it has a To tag and a Route that only we, or an edge
   * that we trust, can have written. Who sent it was checked when the dialog began.
   */
  #belongsToDialog(request: SipRequest, flow: SipFlow, { destination }: Routed): boolean {
    if (request.to.tag === undefined) return false;
    if (destination.kind !== 'flow' && destination.kind !== 'edge') return false;
    if (partyOf(flow).kind === 'edge') return true;
    return destination.tokens.some((token) => this.#resolve(token) === flow);
  }

  #resolve(token: string): SipFlow | 'gone' | undefined {
    return this.#options.tokens.resolve(token, (id) => this.#endpoint.flow(id));
  }

  /** Who sends this, proven by its connection, by an edge, or by digest; undefined after a challenge was sent. */
  #sender(request: SipRequest, flow: SipFlow, transaction: ServerTransaction): string | undefined {
    const { aor, domain } = parseAor(request.from.uri) ?? { aor: '', domain: '' };
    if (!this.#settings.around.domains.has(domain)) {
      this.#options.metrics.refusals.inc('foreign-domain');
      this.#endpoint.respond(transaction, 403, { reason: 'From Is Not Of This Domain' });
      return undefined;
    }
    if (request.method !== 'REGISTER' && this.#isProven(request, flow, aor)) return aor;
    const wall = this.#options.clock.wall();
    const verdict = this.#options.authenticator.authenticate(request, aor, wall);
    if (verdict.outcome === 'accepted') return aor;
    this.#options.metrics.challenges.inc(verdict.reason);
    this.#endpoint.respond(transaction, verdict.challenge.status, { headers: verdict.challenge.headers });
    return undefined;
  }

  #isProven(request: SipRequest, flow: SipFlow, aor: string): boolean {
    const party = partyOf(flow);
    if (party.kind === 'client') return (party.signedIn.get(aor) ?? 0) > this.#options.clock.now();
    const mark = request.header(ASSERTED_SOURCE);
    return mark !== undefined && parseAssertedSource(mark)?.address === aor;
  }

  #serve(
    request: SipRequest,
    flow: SipFlow,
    transaction: ServerTransaction,
    routed: Routed,
    sender: string,
  ): void {
    const { destination } = routed;
    switch (destination.kind) {
      case 'registrar':
        return this.#register(request, flow, transaction, sender);
      case 'provisioning':
        return this.#provision(transaction, sender);
      case 'relay-credentials':
        return this.#forwardToEdge(request, flow, transaction, routed, destination.edge, 'av-authentication');
      case 'user':
        return this.#forwardToUser(request, flow, transaction, destination.aor);
      case 'flow':
      case 'edge':
        // A preloaded route outside a dialog leads nowhere that the sender may choose.
        return this.#endpoint.respond(transaction, 403, { reason: 'Preloaded Route Refused' });
      case 'options':
      case 'refused':
        throw new Error(`${destination.kind} was answered before`);
    }
  }

  #register(request: SipRequest, flow: SipFlow, transaction: ServerTransaction, aor: string): void {
    const to = parseAor(request.to.uri)?.aor;
    if (to !== aor)
      return this.#endpoint.respond(transaction, 403, { reason: 'Third-Party Registration Refused' });
    const path = request.values('path');
    const reach: BindingReach =
      partyOf(flow).kind === 'client' ? { kind: 'flow', flow: flow.id } : { kind: 'path', path };
    if (reach.kind === 'path' && !this.#pathIsOfAnEdge(path)) {
      return this.#endpoint.respond(transaction, 403, { reason: 'Path Is Not Of A Known Edge' });
    }
    const wall = this.#options.clock.wall();
    const answer = this.#options.registrar.register({ aor, request, reach }, wall);
    if (answer.status !== 200) return this.#answerUnregistered(transaction, answer);
    this.#noteSignIn(flow, aor, answer.bindings);
    this.#endpoint.respond(transaction, 200, { headers: this.#signInHeaders(request, flow, answer) });
  }

  #pathIsOfAnEdge(path: readonly string[]): boolean {
    const host = /@([^;:>]+|\[[^\]]+\])/.exec(path[0] ?? '')?.[1];
    return host !== undefined && this.#settings.around.edges.has(host.toLowerCase());
  }

  #answerUnregistered(
    transaction: ServerTransaction,
    answer: Exclude<RegistrarAnswer, { status: 200 }>,
  ): void {
    if (answer.status === 423) {
      this.#endpoint.respond(transaction, 423, { headers: [['Min-Expires', `${answer.minExpires}`]] });
    } else this.#endpoint.respond(transaction, answer.status, { reason: answer.reason });
  }

  /** A client's own connection is believed for an address for as long as that address is registered over it. */
  #noteSignIn(flow: SipFlow, aor: string, bindings: readonly Binding[]): void {
    const party = partyOf(flow);
    if (party.kind !== 'client') return;
    const own = bindings.filter(({ reach }) => reach.kind === 'flow' && reach.flow === flow.id);
    const longest = Math.max(0, ...own.map(({ expires }) => expires));
    if (longest === 0) party.signedIn.delete(aor);
    else if (party.signedIn.has(aor) || party.signedIn.size < ADDRESSES_PER_CONNECTION) {
      const left = longest - this.#options.clock.wall();
      party.signedIn.set(aor, (this.#options.clock.now() + left) as Monotonic);
    }
    if (party.signedIn.size > 0) flow.authorised = true;
  }

  #signInHeaders(
    request: SipRequest,
    flow: SipFlow,
    answer: Extract<RegistrarAnswer, { status: 200 }>,
  ): (readonly [string, string])[] {
    const wall = this.#options.clock.wall();
    const headers: (readonly [string, string])[] = answer.bindings.map((binding) => [
      'Contact',
      `<${binding.contact}>;expires=${Math.max(1, Math.round((binding.expires - wall) / 1000))}`,
    ]);
    for (const path of request.values('path')) headers.push(['Path', path]);
    if (answer.outbound) headers.push(['Require', 'outbound']);
    // The original's way of telling a client that it is outside; it asks for relays of the Internet then.
    if (partyOf(flow).kind === 'edge') headers.push(['ms-user-logon-data', 'RemoteUser']);
    headers.push(['Date', new Date(wall).toUTCString()]);
    return [...headers, ...SIGN_IN_HEADERS];
  }

  #provision(transaction: ServerTransaction, aor: string): void {
    const edge = this.#settings.mrasEdge;
    const domain = aor.slice(aor.indexOf('@') + 1);
    this.#endpoint.respond(transaction, 200, {
      headers: [
        ['Event', provisioningEvent],
        ['Expires', '0'],
        ['ms-piggyback-cseq', '1'],
        ['Contact', `<sip:${this.#settings.own.host}:${this.#settings.own.port};transport=tls>`],
        ['Content-Type', provisioningType],
      ],
      body: provisioningDocument(edge === undefined ? undefined : mrasUri(edge, domain)),
    });
  }

  #forwardToUser(request: SipRequest, flow: SipFlow, transaction: ServerTransaction, aor: string): void {
    const bindings = this.#options.registrar.lookup(aor, this.#options.clock.wall());
    if (bindings.length === 0) {
      return this.#endpoint.respond(transaction, this.#options.knows(aor) ? 480 : 404);
    }
    const branches: ProxyBranch[] = [];
    const owners = new Map<string, Binding>();
    let waiting = bindings.length;
    for (const binding of bindings) {
      this.#reach(binding, (target) => {
        if (target !== undefined) {
          const branch = this.#branchTo(request, flow, target, binding);
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
    const host = /@([^;:>]+|\[[^\]]+\])/.exec(binding.reach.path[0] ?? '')?.[1]?.toLowerCase() ?? '';
    const edge = this.#settings.around.edges.get(host);
    if (edge === undefined) use(undefined);
    else this.#links.reach(edge, 'access', use);
  }

  #branchTo(request: SipRequest, source: SipFlow, target: SipFlow, binding: Binding): ProxyBranch {
    const branch = newBranch(this.#options.random);
    const bytes = forwardedRequest(request, this.#settings.own, {
      branch,
      source: source.connection.remote,
      ownRoutes: 0,
      requestUri: binding.contact,
      routes: binding.reach.kind === 'path' ? binding.reach.path : [],
      recordRoute: formsDialog(request) ? this.#tokensOf([source, target]) : [],
    });
    return { flow: target, bytes, branch };
  }

  /** Client connections that have to be found again by the requests of the dialog, the caller's first. */
  #tokensOf(flows: readonly SipFlow[]): string[] {
    return flows.flatMap((flow) => {
      const party = partyOf(flow);
      return party.kind === 'client' ? [this.#options.tokens.tokenFor(flow, party)] : [];
    });
  }

  /** RFC 5626 §5.3 and §11: a flow that failed takes its binding with it. */
  #handler(owners: ReadonlyMap<string, Binding>): ProxyHandler {
    return {
      nextBranch: (failure, branch) => {
        const binding = owners.get(branch.branch);
        const dead = failure.cause === 'response' && failure.response.status === 430;
        if (dead && binding !== undefined) this.#options.registrar.forget(binding);
        return undefined;
      },
    };
  }

  #forwardInDialog(request: SipRequest, flow: SipFlow, transaction: ServerTransaction, routed: Routed): void {
    this.#target(routed.destination, flow, (target) => {
      if (typeof target === 'number') return this.#endpoint.respond(transaction, target);
      const branch = newBranch(this.#options.random);
      const bytes = this.#copy(request, flow, branch, routed);
      this.#proxy.forward(transaction, [{ flow: target, branch, bytes }]);
    });
  }

  /** Where a request of a dialog goes next; a status when it can go nowhere. */
  #target(destination: Destination, source: SipFlow, use: (target: SipFlow | number) => void): void {
    if (destination.kind === 'edge') {
      return this.#links.reach(destination.edge, 'access', (flow) => use(flow ?? 503));
    }
    if (destination.kind !== 'flow') return use(404);
    const flows = destination.tokens.map((token) => this.#resolve(token));
    if (flows.includes(undefined)) return use(403);
    const others = flows.filter((flow) => flow !== source);
    // RFC 5626 §5.3.1: 430 when the connection has ended.
    use(others.find((flow) => typeof flow === 'object') ?? 430);
  }

  #copy(request: SipRequest, source: SipFlow, branch: string, { ownRoutes }: Routed): Buffer {
    return forwardedRequest(request, this.#settings.own, {
      branch,
      source: source.connection.remote,
      ownRoutes,
    });
  }

  #forwardToEdge(
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
      const branch = newBranch(this.#options.random);
      this.#proxy.forward(transaction, [
        { flow, branch, bytes: this.#copy(request, source, branch, routed) },
      ]);
    });
  }
}

/** RFC 3261 §16.6 step 4: requests that begin a dialog. */
function formsDialog(request: SipRequest): boolean {
  return request.to.tag === undefined && ['INVITE', 'SUBSCRIBE', 'REFER'].includes(request.method);
}
