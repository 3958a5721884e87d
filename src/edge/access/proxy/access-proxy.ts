import type { Cancel, Clock, Random } from '#kernel';
import type { Connection } from '#platform/net';
import { matchName } from '#platform/pki';
import {
  type FlowCloseReason,
  SipEndpoint,
  type SipEndpointLimits,
  type SipFlow,
  type SipFlowPool,
  type SipUser,
  StatefulProxy,
} from '#platform/sip-endpoint';
import { type EventStream, type Log, type Metrics, OncePerKey } from '#platform/telemetry';
import { buildResponse, type ServerTransaction, type SipMessage, type SipRequest } from '#protocols/sip';
import { ASSERTED_SOURCE, MESSAGE_TRUST } from '#protocols/trust-marking';
import { ClientConnection } from '../clients/client-connection.ts';
import type { ClientTable } from '../clients/client-table.ts';
import { Departure } from '../clients/departure.ts';
import { DecisionEvents } from '../decision-events.ts';
import { PartnerConnection } from '../federation/connections/partner-connection.ts';
import type { Federation } from '../federation/federation.ts';
import type { GuardDesk } from '../guard/guard-desk.ts';
import { GuestDesk } from '../guests/guest-desk.ts';
import { type AccessMetrics, observeConnections, type SignInOutcome } from '../metrics.ts';
import type { OverloadDesk } from '../overload/overload-desk.ts';
import { type Refusal, type RefusalReason, refuse } from '../policy/refusal.ts';
import { type Scene, webSocketScene } from '../rewrite/scene.ts';
import type { BorrowedConnection } from '../workers/borrowed-connection.ts';
import type { LentKind } from '../workers/lending.ts';
import type { NotHandled, Team } from '../workers/team.ts';
import { Branches } from './branches.ts';
import type { ProxyCore } from './core.ts';
import { ClientSide } from './from-client.ts';
import { NextHopSide } from './from-next-hop.ts';
import { NextHop } from './next-hop.ts';

export interface AccessProxyOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly events: EventStream;
  readonly registry: Metrics;
  readonly metrics: AccessMetrics;
  readonly limits: SipEndpointLimits;
  readonly clients: ClientTable;
  readonly guard: GuardDesk;
  readonly overload: OverloadDesk;
  readonly scene: Scene;
  /** The other workers; absent: there are none. */
  readonly team?: Team | undefined;
}

/** All flows of the next hop answer and cancel for one another. */
export const NEXT_HOP_SCOPE = 'next-hop';
const SWEEP_MS = 1000;
/** Unanswered requests of one client; far above what a person has, far below what the table of all holds. */
const OPEN_REQUESTS = 1000;
/** Connections and reasons remembered, so that each has one line in the log. */
const REFUSALS_LOGGED = 4096;
/** Seconds after which a client may try again when the next hop is away. */
const RETRY_AFTER = '5';
/** Seconds after which one may look whether a drained edge serves again. */
const DRAIN_RETRY_AFTER = '60';
const ALLOW =
  'INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, MESSAGE, SUBSCRIBE, NOTIFY, REFER, INFO, UPDATE, PRACK, PUBLISH, SERVICE';

/** By these the next hop knows whose a request is. */
const MARKS = [ASSERTED_SOURCE, MESSAGE_TRUST];

/** Routes every SIP message of this service: from clients to the next hop, from the next hop to clients. */
export class AccessProxy implements SipUser, ProxyCore {
  readonly clock: Clock;
  readonly endpoint: SipEndpoint;
  readonly proxy: StatefulProxy;
  readonly clients: ClientTable;
  readonly guard: GuardDesk;
  readonly guests = new GuestDesk();
  readonly branches: Branches;
  readonly metrics: AccessMetrics;
  readonly #log: Log;
  readonly #decisions: DecisionEvents;
  readonly #overload: OverloadDesk;
  readonly #team: Team | undefined;
  readonly #logged = new OncePerKey(REFUSALS_LOGGED);
  readonly #clientSide: ClientSide;
  readonly #nextHopSide: NextHopSide;
  /** Connections that the next hop opened: they end with their peer's place in the document. */
  readonly #fromNextHop = new Set<SipFlow>();
  /** New connections are refused, and dialogs with partners that would begin. */
  draining = false;
  readonly #departure: Departure;
  #scene: Scene;
  #webSocketScene: Scene;
  #nextHop: NextHop | undefined;
  #federation: Federation | undefined;
  #sweep: Cancel | undefined;

  constructor(options: AccessProxyOptions) {
    this.clock = options.clock;
    this.clients = options.clients;
    this.guard = options.guard;
    this.metrics = options.metrics;
    this.branches = new Branches(options.random, options.team?.place.index);
    this.#team = options.team;
    this.#log = options.log;
    this.#decisions = new DecisionEvents(options.events);
    this.#overload = options.overload;
    this.#scene = options.scene;
    this.#webSocketScene = webSocketScene(options.scene);
    this.endpoint = new SipEndpoint({
      clock: options.clock,
      random: options.random,
      log: options.log,
      metrics: options.registry,
      events: options.events,
      name: 'access_sip',
      limits: options.limits,
      user: this,
    });
    this.proxy = new StatefulProxy({ endpoint: this.endpoint, carried: MARKS });
    observeConnections(options.registry, {
      clients: () => this.clients.size,
      nextHop: () =>
        this.endpoint.flowCount -
        this.clients.size -
        (this.#federation?.flowCount ?? 0) -
        (options.team?.borrowed ?? 0),
    });
    this.#departure = new Departure({
      clock: options.clock,
      clients: () => this.clients.values(),
      close: (client) => this.endpoint.closeFlow(client.flow, 'shutdown'),
    });
    this.#clientSide = new ClientSide(this);
    this.#nextHopSide = new NextHopSide(this);
  }

  get scene(): Scene {
    return this.#scene;
  }
  sceneOf({ flow }: ClientConnection): Scene {
    return flow.connection.messages === true ? this.#webSocketScene : this.#scene;
  }
  get nextHop(): NextHop {
    if (this.#nextHop === undefined) throw new Error('the proxy has no next hop yet');
    return this.#nextHop;
  }

  get federation(): Federation {
    if (this.#federation === undefined) throw new Error('the proxy has no federation yet');
    return this.#federation;
  }

  /** Begins to route: the pool dials with this proxy's endpoint, so it comes after it, and federation likewise. */
  start(pool: SipFlowPool, federation: Federation): void {
    this.#nextHop = new NextHop(pool, () => this.#scene.settings);
    this.#federation = federation;
    this.#planSweep();
  }
  /** Another document; connections and transactions go on. */
  adopt(scene: Scene): void {
    this.#scene = scene;
    this.#webSocketScene = webSocketScene(scene);
    const idleMs = scene.settings.limits.keepAliveSeconds * 1000;
    for (const client of this.clients.values()) client.flow.connection.idleMs = idleMs;
    for (const flow of this.#fromNextHop) {
      const names = flow.connection.tls?.peer?.names;
      const known = names !== undefined && matchName(names, scene.settings.nextHopNames) !== undefined;
      if (!known) this.endpoint.closeFlow(flow, 'policy');
    }
  }
  /** Sends everybody elsewhere, gently. */
  drain(): void {
    this.draining = true;
    this.#departure.begin(this.#scene.settings.limits.drainSeconds * 1000);
  }
  undrain(): void {
    this.draining = false;
    this.#departure.stop();
  }
  stop(): void {
    this.#departure.stop();
    this.#sweep?.();
    this.#sweep = undefined;
    this.endpoint.close();
  }

  addClient(connection: Connection): void {
    const flow = this.endpoint.addFlow(connection, { authorised: false, openRequests: OPEN_REQUESTS });
    if (flow === undefined) return this.refuseConnection('connections-full', 'client', connection);
    const client = this.clients.add(flow, connection.opened);
    flow.data = client;
    flow.party = client.party;
    connection.idleMs = this.#scene.settings.limits.keepAliveSeconds * 1000;
  }
  /** A connection that the next hop opened (port row int-02); its names are checked. */
  addNextHop(connection: Connection): void {
    const onClosed = (closed: SipFlow) => void this.#fromNextHop.delete(closed);
    const divert = this.#team?.divertNextHop;
    const flow = this.endpoint.addFlow(connection, {
      authorised: true,
      scope: NEXT_HOP_SCOPE,
      onClosed,
      ...(divert === undefined ? {} : { divert }),
    });
    if (flow === undefined) this.refuseConnection('connections-full', 'next-hop', connection);
    else this.#fromNextHop.add(flow);
  }

  /** A connection that another worker has with the next hop, or a partner: messages of it that belong here. */
  addBorrowed(connection: BorrowedConnection, kind: LentKind): void {
    const { accounting } = connection;
    if (kind === 'partner') this.federation.borrow(connection, accounting);
    else this.endpoint.addFlow(connection, { authorised: true, scope: NEXT_HOP_SCOPE, ...accounting });
  }
  /** What belongs to a worker that cannot take it, or has ended. Stateless: it is that worker's transaction. */
  refuseDiverted(message: SipMessage, flow: SipFlow, reason: NotHandled, toTag = this.branches.tag()): void {
    const answered = message.kind === 'request' && message.method !== 'ACK';
    const request = message.kind === 'request' ? message : undefined;
    const status = reason === 'dead-flow' ? 430 : 503;
    this.countRefusal(reason, flow, request, answered ? status : undefined);
    if (!answered) return;
    const headers = status === 503 ? ([['Retry-After', RETRY_AFTER]] as const) : [];
    const source = flow.connection.remote;
    this.endpoint.sendStateless(flow, buildResponse(message, status, { headers, toTag, source }));
  }

  onRequest(request: SipRequest, flow: SipFlow, transaction: ServerTransaction): void {
    if (flow.scope !== NEXT_HOP_SCOPE && !this.#overload.admits(request, flow)) {
      this.refuse(transaction, refuse(503, 'overloaded', [['Retry-After', RETRY_AFTER]]), flow);
    } else if (flow.data instanceof ClientConnection) {
      this.#clientSide.handleRequest(request, flow.data, transaction);
    } else if (flow.data instanceof PartnerConnection) {
      this.federation.handleRequest(request, flow.data, transaction);
    } else {
      this.#nextHopSide.handleRequest(request, flow, transaction);
    }
  }
  onAck(request: SipRequest, flow: SipFlow): void {
    if (flow.data instanceof ClientConnection) this.#clientSide.handleAck(request, flow.data);
    else if (flow.data instanceof PartnerConnection) this.federation.handleAck(request, flow.data);
    else this.#nextHopSide.handleAck(request, flow);
  }
  /** An INVITE that still waits for a connection to the next hop. */
  onCancel(_cancel: SipRequest, _flow: SipFlow, invite: ServerTransaction): void {
    this.endpoint.respond(invite, 487);
  }
  onFlowClosed(flow: SipFlow, reason: FlowCloseReason): void {
    this.#team?.handleClosed(flow);
    if (flow.data instanceof PartnerConnection) this.federation.handleClosed(flow.data);
    if (!(flow.data instanceof ClientConnection)) return;
    this.clients.remove(flow.data);
    this.guests.handleClosed(flow.data);
    const excess = PRE_SIGN_IN[reason];
    // The endpoint has logged that it refused the flow.
    if (excess !== undefined) this.#tellRefusal(excess, flow);
  }

  refuse(transaction: ServerTransaction, refusal: Refusal, from: SipFlow): void {
    this.countRefusal(refusal.reason, from, transaction.request, refusal.status);
    const headers = refusal.headers;
    this.endpoint.respond(transaction, refusal.status, headers === undefined ? {} : { headers });
  }
  refuseWhileDraining(): Refusal {
    return refuse(503, 'draining', [['Retry-After', DRAIN_RETRY_AFTER]]);
  }
  refuseUnreachable(transaction: ServerTransaction, from: SipFlow): void {
    if (!transaction.pending) return;
    this.refuse(transaction, refuse(503, 'no-next-hop', [['Retry-After', RETRY_AFTER]]), from);
  }
  refuseBusy(transaction: ServerTransaction, from: SipFlow): void {
    this.refuse(transaction, refuse(503, 'next-hop-busy', [['Retry-After', RETRY_AFTER]]), from);
  }
  countRefusal(reason: RefusalReason, from: SipFlow, request?: SipRequest, status?: number): void {
    this.#tellRefusal(reason, from, request, status);
    if (!this.#logged.first(`${from.id} ${reason}`)) return;
    const remote = from.connection.remote.address;
    this.#log.info('request refused', { reason, peer: peerOf(from), flow: from.id, remote });
  }
  /** Counted and an event, but no line in the log. */
  #tellRefusal(reason: RefusalReason, from: SipFlow, request?: SipRequest, status?: number): void {
    this.metrics.refusals.inc(reason);
    this.#decisions.refused({ reason, from, peer: peerOf(from), request, status });
  }
  /** The connection is closed, or will be, by whoever says so. */
  refuseConnection(reason: RefusalReason, peer: 'client' | 'partner' | 'next-hop', at: Connection): void {
    this.metrics.refusals.inc(reason);
    this.#decisions.connectionRefused(reason, peer, at);
  }
  tellSignIn(outcome: SignInOutcome, request: SipRequest, from: SipFlow, status: number): void {
    this.metrics.signIns.inc(outcome);
    this.#decisions.signIn(outcome, request, from, status);
  }
  refuseExcess(client: ClientConnection): boolean {
    if (client.guest?.accepted === true || client.signIn.signedIn) return false;
    const excess = client.signIn.excess(client.flow, this.scene.settings.limits.preSignIn, this.clock.now());
    if (excess === undefined) return false;
    this.countRefusal(excess, client.flow);
    this.endpoint.closeFlow(client.flow, 'policy');
    return true;
  }
  answerOptions(transaction: ServerTransaction): void {
    // Who asks whether somebody serves here is to look elsewhere.
    if (this.draining) {
      this.endpoint.respond(transaction, 503, { headers: [['Retry-After', DRAIN_RETRY_AFTER]] });
      return;
    }
    this.endpoint.respond(transaction, 200, {
      headers: [
        ['Allow', ALLOW],
        ['Accept', 'application/sdp'],
        ['Supported', 'path, outbound'],
      ],
    });
  }

  #planSweep(): void {
    this.#sweep = this.clock.after(SWEEP_MS, () => {
      const now = this.clock.now();
      for (const client of this.clients.values()) {
        client.handleTime(now);
        this.refuseExcess(client);
      }
      for (const guest of this.guests.overdue(this.scene.settings, now)) {
        this.countRefusal('guest-budget', guest.flow);
        this.endpoint.closeFlow(guest.flow, 'policy');
      }
      this.#planSweep();
    });
  }
}

function peerOf({ data }: SipFlow): 'client' | 'partner' | 'next-hop' {
  if (data instanceof ClientConnection) return 'client';
  return data instanceof PartnerConnection ? 'partner' : 'next-hop';
}

/** The endpoint closes by itself what goes beyond the limits before the first sign-in. */
const PRE_SIGN_IN: Partial<Record<FlowCloseReason, RefusalReason>> = {
  'unauthorised-messages': 'pre-sign-in-messages',
  'unauthorised-bytes': 'pre-sign-in-bytes',
  'unauthorised-seconds': 'pre-sign-in-seconds',
};
