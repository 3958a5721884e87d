import type { PresenceAgent } from '#internal/presence';
import type { Clock, Random } from '#kernel';
import type { FlowCloseReason, SipEndpoint, SipFlow, SipUser } from '#platform/sip-endpoint';
import { type NameAddress, parseSipUri, type ServerTransaction, type SipRequest } from '#protocols/sip';
import { ASSERTED_SOURCE, parseAssertedSource } from '#protocols/trust-marking';
import { parseAor } from './account.ts';
import type { Authenticator } from './authentication.ts';
import { callerOf, GUEST_METHODS, isGuest } from './conference-calls.ts';
import { Delivery } from './delivery.ts';
import type { EdgeLinks } from './edge-links.ts';
import { NOT_ENABLED_FOR_REMOTE } from './external-access.ts';
import type { FrontEndMetrics } from './front-end-metrics.ts';
import { type FlowTokens, partyOf, sameEnd } from './parties.ts';
import {
  asksForMedia,
  cameBy,
  isForContactsOnly,
  mayExchange,
  NOT_REACHABLE,
  outsiderOf,
} from './partners.ts';
import { PresenceDesk } from './presence-desk.ts';
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
  readonly presence: PresenceAgent;
  /** True for an address of record that has an account. */
  readonly knows: (aor: string) => boolean;
}

const ALLOWED = 'REGISTER, INVITE, ACK, BYE, CANCEL, MESSAGE, SUBSCRIBE, NOTIFY, PUBLISH, SERVICE, OPTIONS';

/**
 * Registrar and proxy for the users of some SIP domains: who signs in from outside comes through an edge, who is
 * inside has a connection of its own. Decisions are made by `routing.ts`, `registrar.ts` and `authentication.ts`.
 */
export class FrontEnd implements SipUser {
  readonly #options: FrontEndOptions;
  #endpoint!: SipEndpoint;
  #delivery!: Delivery;
  #presence!: PresenceDesk;
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
    this.#delivery = new Delivery(
      { ...this.#options, signIn: this.#signIn },
      endpoint,
      links,
      this.#settings,
    );
    this.#presence = new PresenceDesk(
      {
        ...this.#options,
        agent: this.#options.presence,
        notified: this.#options.metrics.notified,
        refused: this.#options.metrics.presenceRefused,
      },
      endpoint,
      links,
      this.#settings,
    );
    this.#options.registrar.onChanged = (aor) => this.#presence.handleDevices(aor);
    this.#presence.flush();
  }
  /** An edge or a peer has opened a connection: what waited for it goes out. */
  handleReachable(kind: 'edge' | 'peer', name: string): void {
    this.#presence.handleReachable(kind, name);
  }
  stop(): void {
    this.#presence.stop();
  }
  configure(settings: SignInSettings): void {
    this.#settings = settings;
    this.#signIn.configure(settings);
    this.#delivery.configure(settings);
    this.#presence.configure(settings);
  }

  onRequest(request: SipRequest, flow: SipFlow, transaction: ServerTransaction): void {
    const routed = routeRequest(request, this.#settings.around);
    this.#options.metrics.requests.inc(routed.destination.kind);
    if (routed.destination.kind === 'refused') {
      this.#refuse(transaction, routed.destination);
    } else if (routed.destination.kind === 'options') {
      this.#endpoint.respond(transaction, 200, { headers: [['Allow', ALLOWED], ...SIGN_IN_HEADERS] });
    } else if (this.#belongsToDialog(request, flow, routed)) {
      if (this.#maySpeakInDialog(request, flow, transaction, routed)) {
        this.#delivery.inDialog(request, flow, transaction, routed);
      }
    } else {
      if (isGuest(request, flow)) return this.#serveGuest(request, flow, transaction, routed);
      const outsider = this.#outsider(request, flow);
      if (outsider !== undefined) {
        this.#serveOutsider(request, flow, transaction, routed, outsider);
        return;
      }
      if (partyOf(flow).kind === 'peer') return this.#refusePeer(transaction);
      const sender = this.#sender(request, flow, transaction);
      if (sender === undefined) return;
      if (this.#mayBeWhere(sender, flow)) this.#serve(request, flow, transaction, routed, sender);
      else this.#refuseRemote(transaction);
    }
  }

  onAck(request: SipRequest, flow: SipFlow): void {
    const routed = routeRequest(request, this.#settings.around);
    if (!this.#belongsToDialog(request, flow, routed)) return;
    if (isGuest(request, flow) && !this.#delivery.leadsToConference(routed.destination)) return;
    this.#delivery.ack(request, flow, routed);
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
    return destination.tokens.some((token) => {
      const end = this.#delivery.resolve(token);
      return typeof end === 'object' && sameEnd(end, flow);
    });
  }

  /**
   * Whoever took part in a dialog keeps its routes, so its sender is proven like any other; false after a challenge was
   * sent. Anybody who knows a dialog may end it: the names in a BYE are shown to no one; guests know those of conferences only.
   */
  #maySpeakInDialog(
    request: SipRequest,
    flow: SipFlow,
    transaction: ServerTransaction,
    { destination }: Routed,
  ): boolean {
    if (isGuest(request, flow)) {
      const inConference = this.#delivery.leadsToConference(destination);
      if (!inConference) this.#refuseGuest(transaction);
      return inConference;
    }
    if (request.method === 'BYE') return true;
    if (this.#outsider(request, flow) !== undefined) {
      const may = this.#mayCall(addressOf(request.to), request, flow);
      if (!may) this.#refuseMedia(transaction);
      return may;
    }
    if (partyOf(flow).kind === 'peer') {
      this.#refusePeer(transaction);
      return false;
    }
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

  #outsider(request: SipRequest, flow: SipFlow): string | undefined {
    return outsiderOf(request, flow, this.#settings.around.peers);
  }

  /** A trusted peer speaks for its own domains, and signs nobody in. */
  #refusePeer(transaction: ServerTransaction): void {
    this.#options.metrics.refusals.inc('not-of-peer');
    this.#endpoint.respond(transaction, 403, { reason: 'From Is Not Of Your Domains' });
  }

  #refuseGuest(transaction: ServerTransaction): void {
    this.#options.metrics.refusals.inc('guest');
    this.#endpoint.respond(transaction, 403);
  }

  #refuseRemote(transaction: ServerTransaction): void {
    this.#options.metrics.refusals.inc('not-remote');
    this.#endpoint.respond(transaction, 403, { headers: [NOT_ENABLED_FOR_REMOTE] });
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
      case 'presence':
        return this.#presence.serve(request, flow, transaction, { address: sender, outsider: false });
      case 'provisioning':
        return this.#answer(transaction, this.#signIn.provision(sender));
      case 'relay-credentials':
        return this.#delivery.toEdge(
          request,
          flow,
          transaction,
          routed,
          destination.edge,
          'av-authentication',
        );
      case 'user':
        return this.#delivery.toUser(request, flow, transaction, destination.aor);
      case 'peer':
        if (destination.conference) return this.#call(request, flow, transaction, routed, destination.peer);
        return this.#delivery.toPeer(request, flow, transaction, routed, { peer: destination.peer, sender });
      case 'partner':
        return this.#delivery.toPartner(request, flow, transaction, routed, sender);
      case 'flow':
      case 'edge':
        // A preloaded route outside a dialog leads nowhere that the sender may choose.
        return this.#endpoint.respond(transaction, 403, { reason: 'Preloaded Route Refused' });
      case 'options':
      case 'refused':
        throw new Error(`${destination.kind} was answered before`);
    }
  }

  /** Somebody at another organisation: may reach and watch users whose policy allows it, and nothing else. */
  #serveOutsider(
    request: SipRequest,
    flow: SipFlow,
    transaction: ServerTransaction,
    routed: Routed,
    address: string,
  ): void {
    const { destination } = routed;
    const watches = destination.kind === 'presence' && request.method === 'SUBSCRIBE';
    if (
      watches &&
      (request.to.tag !== undefined || this.#isForOutsiders(addressOfUri(request.uri), request, flow))
    ) {
      this.#presence.serve(request, flow, transaction, { address, outsider: true });
    } else if (
      destination.kind === 'user' &&
      this.#isForOutsiders(destination.aor, request, flow) &&
      (!isForContactsOnly(request, flow) || this.#presence.isListed(destination.aor, address))
    ) {
      if (!this.#mayCall(destination.aor, request, flow)) return this.#refuseMedia(transaction);
      this.#delivery.toUser(request, flow, transaction, destination.aor);
    } else if (this.#isConferenceForOutsiders(destination, request, flow)) {
      this.#call(request, flow, transaction, routed, destination.peer);
    } else {
      const status = watches || destination.kind === 'user' ? 404 : 403;
      this.#endpoint.respond(transaction, status, { headers: [NOT_REACHABLE] });
    }
  }

  /** Somebody without an account, whom an edge let as far as this: conferences, and nothing else. */
  #serveGuest(request: SipRequest, flow: SipFlow, transaction: ServerTransaction, routed: Routed): void {
    const { destination } = routed;
    const may = GUEST_METHODS.has(request.method) && request.to.tag === undefined;
    if (may && destination.kind === 'peer' && destination.conference) {
      this.#call(request, flow, transaction, routed, destination.peer);
    } else this.#refuseGuest(transaction);
  }

  #call(
    request: SipRequest,
    flow: SipFlow,
    transaction: ServerTransaction,
    routed: Routed,
    peer: string,
  ): void {
    const caller = callerOf(request, flow);
    this.#delivery.toConference(request, flow, transaction, routed, { peer, caller });
  }

  /** By the policy for everybody, or one for the very address of the conference; partners of edges only. */
  #isConferenceForOutsiders(
    destination: Destination,
    request: SipRequest,
    flow: SipFlow,
  ): destination is Extract<Destination, { kind: 'peer' }> {
    if (destination.kind !== 'peer' || !destination.conference || partyOf(flow).kind !== 'edge') return false;
    // A conference has no contact list.
    if (isForContactsOnly(request, flow)) return false;
    return mayExchange(this.#settings.access.rightsOf(addressOfUri(request.uri)), cameBy(request, flow));
  }

  #isForOutsiders(aor: string, request: SipRequest, flow: SipFlow): boolean {
    return (
      this.#options.knows(aor) && mayExchange(this.#settings.access.rightsOf(aor), cameBy(request, flow))
    );
  }
  /** Calls with people at public providers are a right of their own. */
  #mayCall(aor: string, request: SipRequest, flow: SipFlow): boolean {
    if (cameBy(request, flow) !== 'provider' || !asksForMedia(request)) return true;
    return this.#settings.access.rightsOf(aor).publicProviderMedia;
  }
  #refuseMedia(transaction: ServerTransaction): void {
    this.#options.metrics.refusals.inc('no-provider-media');
    this.#endpoint.respond(transaction, 488, {});
  }
}

/** `user@domain` in lower case, without what else a URI may hold; '' when it is no SIP address. */
function addressOf({ uri }: NameAddress): string {
  return addressOfUri(uri);
}
function addressOfUri(uri: string): string {
  const parsed = parseSipUri(uri);
  if (!parsed.ok || parsed.value.user === undefined || parsed.value.password !== undefined) return '';
  return `${parsed.value.user}@${parsed.value.host}`.toLowerCase();
}
