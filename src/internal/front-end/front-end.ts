import type { Clock, Random } from '#kernel';
import {
  type FlowCloseReason,
  type ProxyBranch,
  type ProxyHandler,
  type SipEndpoint,
  type SipFlow,
  type SipUser,
  StatefulProxy,
} from '#platform/sip-endpoint';
import {
  type NameAddress,
  parseNameAddress,
  parseSipUri,
  type ServerTransaction,
  type SipRequest,
} from '#protocols/sip';
import { ASSERTED_SOURCE, parseAssertedSource } from '#protocols/trust-marking';
import { parseAor } from './account.ts';
import type { Authenticator } from './authentication.ts';
import type { Binding } from './binding.ts';
import type { EdgeLinks, EdgeService } from './edge-links.ts';
import { NOT_ENABLED_FOR_REMOTE } from './external-access.ts';
import { type Forwarding, forwarded, keepsChallenges } from './forwarding.ts';
import type { FrontEndMetrics } from './front-end-metrics.ts';
import { type FlowTokens, partyOf } from './parties.ts';
import { mayExchange, NOT_FEDERATED, NOT_REACHABLE, outsiderOf } from './partners.ts';
import type { Registrar } from './registrar.ts';
import { type Destination, type Refusal, type Routed, routeRequest } from './routing.ts';
import { type Answer, SIGN_IN_HEADERS, SignIn, type SignInSettings } from './sign-in.ts';

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
  #settings: SignInSettings;
  readonly #signIn: SignIn;

  constructor(options: FrontEndOptions, settings: SignInSettings) {
    this.#options = options;
    this.#settings = settings;
    this.#signIn = new SignIn(options.clock, options.registrar, settings);
  }
  /** Called once before the first message: the endpoint and the links need this object to be made. */
  attach(endpoint: SipEndpoint, links: EdgeLinks): void {
    this.#endpoint = endpoint;
    this.#proxy = new StatefulProxy({ endpoint });
    this.#links = links;
  }
  configure(settings: SignInSettings): void {
    this.#settings = settings;
    this.#signIn.configure(settings);
  }

  onRequest(request: SipRequest, flow: SipFlow, transaction: ServerTransaction): void {
    const routed = routeRequest(request, this.#settings.around);
    this.#options.metrics.requests.inc(routed.destination.kind);
    if (routed.destination.kind === 'refused') {
      this.#refuse(transaction, routed.destination);
    } else if (routed.destination.kind === 'options') {
      this.#endpoint.respond(transaction, 200, { headers: [['Allow', ALLOWED], ...SIGN_IN_HEADERS] });
    } else if (this.#belongsToDialog(request, flow, routed)) {
      if (this.#maySpeakInDialog(request, flow, transaction)) {
        this.#forwardInDialog(request, flow, transaction, routed);
      }
    } else {
      if (outsiderOf(request, flow) !== undefined) {
        this.#serveOutsider(request, flow, transaction, routed);
        return;
      }
      const sender = this.#sender(request, flow, transaction);
      if (sender === undefined) return;
      if (this.#mayBeWhere(sender, flow)) this.#serve(request, flow, transaction, routed, sender);
      else this.#refuseRemote(transaction);
    }
  }

  onAck(request: SipRequest, flow: SipFlow): void {
    const routed = routeRequest(request, this.#settings.around);
    if (!this.#belongsToDialog(request, flow, routed)) return;
    this.#target(routed.destination, flow, (target) => {
      if (typeof target === 'number') return;
      this.#endpoint.sendStateless(target, this.#copy(request, flow, routed.plan).bytes);
    });
  }

  onCancel(): void {
    // Answered by the endpoint; an INVITE that is being forwarded hears of it through its proxy context.
  }

  onFlowClosed(flow: SipFlow, _reason: FlowCloseReason): void {
    this.#signIn.handleFlowClosed(flow);
  }

  #answer(transaction: ServerTransaction, { status, options }: Answer): void {
    this.#endpoint.respond(transaction, status, options);
  }

  #refuse(transaction: ServerTransaction, { status, reason, headers }: Refusal): void {
    this.#options.metrics.refusals.inc(reason);
    this.#endpoint.respond(transaction, status, { headers });
  }

  /**
   * A request inside a dialog that this front end is part of: it has a To tag and a Route that only we, or an edge
   * that we trust, can have written.
   */
  #belongsToDialog(request: SipRequest, flow: SipFlow, { destination }: Routed): boolean {
    if (request.to.tag === undefined) return false;
    if (destination.kind !== 'flow' && destination.kind !== 'edge') return false;
    if (partyOf(flow).kind === 'edge') return true;
    return destination.tokens.some((token) => this.#resolve(token) === flow);
  }

  /**
   * Whoever took part in a dialog keeps its routes, so its sender is proven like any other; false after a challenge was
   * sent. Anybody who knows a dialog may end it: the names in a BYE are shown to no one.
   */
  #maySpeakInDialog(request: SipRequest, flow: SipFlow, transaction: ServerTransaction): boolean {
    if (request.method === 'BYE' || outsiderOf(request, flow) !== undefined) return true;
    const address = addressOf(request.from);
    const sender = this.#isProven(request, flow, address)
      ? address
      : this.#sender(request, flow, transaction);
    if (sender === undefined) return false;
    if (this.#mayBeWhere(sender, flow)) return true;
    this.#refuseRemote(transaction);
    return false;
  }

  /** Who comes through an edge needs a policy that allows it; asked only of senders that are proven. */
  #mayBeWhere(sender: string, flow: SipFlow): boolean {
    return partyOf(flow).kind === 'client' || this.#settings.access.rightsOf(sender).remote;
  }

  #refuseRemote(transaction: ServerTransaction): void {
    this.#options.metrics.refusals.inc('not-remote');
    this.#endpoint.respond(transaction, 403, { headers: [NOT_ENABLED_FOR_REMOTE] });
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
    const verdict = this.#options.authenticator.authenticate(
      request,
      aor,
      wall,
      partyOf(flow).kind === 'edge',
    );
    if (verdict.outcome === 'accepted') return aor;
    this.#options.metrics.challenges.inc(verdict.reason);
    this.#endpoint.respond(transaction, verdict.challenge.status, { headers: verdict.challenge.headers });
    return undefined;
  }

  #isProven(request: SipRequest, flow: SipFlow, aor: string): boolean {
    const party = partyOf(flow);
    if (party.kind === 'client') return (party.signedIn.get(aor) ?? 0) > this.#options.clock.now();
    const mark = parseAssertedSource(request.header(ASSERTED_SOURCE) ?? '');
    return mark?.source === 'remote-user' && mark.address === aor;
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
        return this.#answer(transaction, this.#signIn.register(request, flow, sender));
      case 'provisioning':
        return this.#answer(transaction, this.#signIn.provision(sender));
      case 'relay-credentials':
        return this.#forwardToEdge(request, flow, transaction, routed, destination.edge, 'av-authentication');
      case 'user':
        return this.#forwardToUser(request, flow, transaction, destination.aor);
      case 'partner':
        return this.#forwardToPartner(request, flow, transaction, routed, sender);
      case 'flow':
      case 'edge':
        // A preloaded route outside a dialog leads nowhere that the sender may choose.
        return this.#endpoint.respond(transaction, 403, { reason: 'Preloaded Route Refused' });
      case 'options':
      case 'refused':
        throw new Error(`${destination.kind} was answered before`);
    }
  }

  /** Somebody at another organisation: may reach users whose policy allows it, and nothing else. */
  #serveOutsider(request: SipRequest, flow: SipFlow, transaction: ServerTransaction, routed: Routed): void {
    const { destination } = routed;
    if (destination.kind !== 'user') {
      this.#endpoint.respond(transaction, 403, { headers: [NOT_REACHABLE] });
    } else if (
      this.#options.knows(destination.aor) &&
      mayExchange(this.#settings.access.rightsOf(destination.aor))
    ) {
      this.#forwardToUser(request, flow, transaction, destination.aor);
    } else this.#endpoint.respond(transaction, 404, { headers: [NOT_REACHABLE] });
  }

  /** Port row int-02: what is for another organisation leaves by an edge, which knows whether it is a partner. */
  #forwardToPartner(
    request: SipRequest,
    flow: SipFlow,
    transaction: ServerTransaction,
    { plan }: Routed,
    sender: string,
  ): void {
    if (!mayExchange(this.#settings.access.rightsOf(sender))) {
      this.#options.metrics.refusals.inc('not-federated');
      this.#endpoint.respond(transaction, 403, { headers: [NOT_FEDERATED] });
      return;
    }
    const recordRoute = formsDialog(request) ? this.#tokensOf([flow]) : [];
    this.#links.reachAny('access', request.callId, (target) => {
      if (target === undefined) {
        return this.#endpoint.respond(transaction, 503, { reason: 'Edge Not Reachable' });
      }
      const branch = { flow: target, ...this.#copy(request, flow, { ...plan, recordRoute }) };
      this.#proxy.forward(transaction, [branch], keepsChallenges);
    });
  }

  #forwardToUser(request: SipRequest, flow: SipFlow, transaction: ServerTransaction, aor: string): void {
    const remote = this.#settings.access.rightsOf(aor).remote;
    const bindings = this.#options.registrar
      .lookup(aor, this.#options.clock.wall())
      .filter(({ reach }) => remote || reach.kind === 'flow');
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
    const edge = this.#signIn.edgeOfPath(binding.reach.path);
    if (edge === undefined) use(undefined);
    else this.#links.reach(edge, 'access', use);
  }

  #branchTo(request: SipRequest, source: SipFlow, target: SipFlow, binding: Binding): ProxyBranch {
    const rest = binding.reach.kind === 'path' ? addressesOf(binding.reach.path) : [];
    const recordRoute = formsDialog(request) ? this.#tokensOf([source, target]) : [];
    return { flow: target, ...this.#copy(request, source, { uri: binding.contact, rest, recordRoute }) };
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
      ...keepsChallenges,
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
      const branch = { flow: target, ...this.#copy(request, flow, routed.plan) };
      this.#proxy.forward(transaction, [branch], keepsChallenges);
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

  #copy(
    request: SipRequest,
    source: SipFlow,
    onward: Omit<Forwarding, 'source'>,
  ): ReturnType<typeof forwarded> {
    const { remote } = source.connection;
    return forwarded(request, this.#settings.own, { ...onward, source: remote }, this.#options.random);
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
      this.#proxy.forward(transaction, [{ flow, ...this.#copy(request, source, routed.plan) }]);
    });
  }
}

/** RFC 3261 §16.6 step 4: requests that begin a dialog. */
function formsDialog(request: SipRequest): boolean {
  return request.to.tag === undefined && ['INVITE', 'SUBSCRIBE', 'REFER'].includes(request.method);
}

/** `user@domain` in lower case, without what else a URI may hold; '' when it is no SIP address. */
function addressOf({ uri }: NameAddress): string {
  const parsed = parseSipUri(uri);
  if (!parsed.ok || parsed.value.user === undefined || parsed.value.password !== undefined) return '';
  return `${parsed.value.user}@${parsed.value.host}`.toLowerCase();
}

/** Path values as Route entries; they were parsed when they were registered. */
function addressesOf(texts: readonly string[]): NameAddress[] {
  return texts.flatMap((text) => {
    const parsed = parseNameAddress(text);
    return parsed.ok ? [parsed.value] : [];
  });
}
