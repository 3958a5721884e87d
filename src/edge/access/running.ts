import { type Cancel, randomToken } from '#kernel';
import type { Resolver } from '#platform/dns';
import { type Connection, dialTls, TicketKeys, TlsAcceptor, type TlsAcceptorOptions } from '#platform/net';
import { type CertificateNames, matchName } from '#platform/pki';
import { Revocation, type RevocationLimits } from '#platform/revocation';
import type { ServiceContext, SocketSource } from '#platform/service';
import {
  type FlowTarget,
  type OutgoingRequest,
  type PoolMember,
  type SipEndpointLimits,
  SipFlowPool,
} from '#platform/sip-endpoint';
import type { ListenerPlan } from '#platform/topology';
import { buildRequest } from '#protocols/sip';
import { type TokenKeys, tokenKey } from '#protocols/tokens';
import { ClientListener } from './clients/client-listener.ts';
import { ClientTable, nodeNumber } from './clients/client-table.ts';
import { EdgeNames } from './federation/connections/edge-names.ts';
import { Federation } from './federation/federation.ts';
import { type FederationScene, federationScene, openPartnerToken } from './federation/federation-scene.ts';
import { federationListener } from './federation/listener.ts';
import { GuardDesk } from './guard/guard-desk.ts';
import { Indicators, type Sample } from './indicators.ts';
import type { AccessMetrics } from './metrics.ts';
import { NEXT_HOP_OUTBOUND_BYTES, NextHopDoor } from './next-hop-door.ts';
import { OverloadDesk } from './overload/overload-desk.ts';
import type { Prepared } from './prepared.ts';
import { AccessProxy, NEXT_HOP_SCOPE } from './proxy/access-proxy.ts';
import type { Scene } from './rewrite/scene.ts';
import { type AccessSettings, localAddressFor } from './settings.ts';
import { Seal, TopologyHiding } from './topology-hiding/index.ts';
import { Ownership } from './workers/ownership.ts';
import type { Team } from './workers/team.ts';

/** Above whatever the listeners let in, so that a document may raise their limits. */
const FLOWS = 1_000_000;
/** How often indicators are sampled. Milliseconds. */
const WATCH_MS = 1000;
/** How often a member of the next hop is asked whether it serves. */
const PROBE_MS = 30_000;
/** There are few members and nothing works without one, so a lost one is looked for often. */
const BACK_OFF = { firstMs: 250, longestMs: 5000 };
const TAG_LENGTH = 16;

/** The other workers, and what tests put in place of the network's own, or of what takes long. */
export interface RunningParts {
  readonly team?: Team | undefined;
  readonly names?: Resolver;
  readonly revocation?: Partial<RevocationLimits>;
}

/** The service while it has a document: proxy, listeners and the pool towards the next hop. */
export class Running {
  /** The resolver of the running document. */
  readonly names: EdgeNames;
  readonly indicators: Indicators;
  readonly revocation: Revocation;
  readonly #context: ServiceContext;
  readonly #team: Team | undefined;
  readonly #metrics: AccessMetrics;
  readonly #proxy: AccessProxy;
  readonly #pool: SipFlowPool;
  /** For the life of this process; a document changes nothing about them. */
  readonly #tickets: TicketKeys;
  readonly #external: ClientListener;
  readonly #nextHopDoor: NextHopDoor;
  readonly #internal: TlsAcceptor;
  readonly #federation: Federation;
  readonly #partners: TlsAcceptor;
  readonly #overload: OverloadDesk;
  #cancelWatch: Cancel = () => {};
  /** For life: what clients were shown has to open whatever document runs then, as long as that lists its key. */
  readonly #seal: Seal;
  #prepared: Prepared;

  constructor(context: ServiceContext, metrics: AccessMetrics, prepared: Prepared, parts: RunningParts = {}) {
    const { team } = parts;
    this.#context = context;
    this.#team = team;
    this.#metrics = metrics;
    this.#prepared = prepared;
    this.#seal = new Seal(prepared.flowKeys);
    const { settings } = prepared;
    const { clock, random, log, events } = context;
    this.indicators = new Indicators(context.metrics);
    this.#overload = new OverloadDesk(context, settings.limits.overloadMs);
    const guard = new GuardDesk({ clock, log, events, metrics: context.metrics, settings, offices: team });
    this.#proxy = new AccessProxy({
      guard,
      overload: this.#overload,
      team,
      clock,
      random,
      log,
      events,
      registry: context.metrics,
      metrics,
      limits: endpointLimits(settings),
      clients: new ClientTable({
        keys: tokenKeysOf(prepared),
        node: nodeNumber(settings.internal.host),
        worker: team?.place.index ?? 0,
        random,
      }),
      scene: this.#sceneOf(prepared),
    });
    this.#pool = this.#nextHopPool();
    this.#tickets = new TicketKeys(clock, random);
    this.#external = new ClientListener(context, metrics, prepared, guard, this.#tickets, {
      client: (connection) => this.#proxy.addClient(connection),
      silent: (connection) => this.#proxy.refuseConnection('pre-sign-in-seconds', 'client', connection),
      partner: (connection) => this.#federation.accept(connection),
      elsewhere: (listener) => team?.sourcesOf(listener),
    });
    this.#nextHopDoor = new NextHopDoor(context, metrics, this.#acceptNextHop.bind(this));
    this.#internal = new TlsAcceptor(this.#nextHopDoor.options(prepared));
    const ownNames = new EdgeNames(context, prepared.names);
    this.names = ownNames;
    this.revocation = this.#newRevocation(parts.revocation);
    this.#federation = new Federation({
      clock,
      random,
      registry: context.metrics,
      events,
      log,
      core: this.#proxy,
      seal: this.#seal,
      resolver: parts.names ?? ownNames,
      confirm: (peer, staple) => this.revocation.check(peer, staple),
      scene: this.#federationSceneOf(prepared),
      divert: team?.divertPartner,
      lends: team?.lends,
    });
    this.#partners = new TlsAcceptor(this.#partnerOptions());
    this.#proxy.start(this.#pool, this.#federation);
    this.#pool.start();
    this.#overload.start();
    this.#watch();
  }

  get federation(): Federation {
    return this.#federation;
  }
  get proxy(): AccessProxy {
    return this.#proxy;
  }

  /** With the other workers, if there are any; connections come only afterwards. */
  async join(): Promise<void> {
    const { clients, endpoint, guard } = this.#proxy;
    const team = this.#team;
    await team?.start({
      endpoint,
      guard,
      tickets: this.#tickets,
      ownership: new Ownership({
        place: team.place,
        settings: () => this.#prepared.settings,
        federation: () => this.#federation.scene,
        workerOfToken: (token) => clients.workerOf(token),
        openPartnerToken: (token) => openPartnerToken(this.#seal, token),
      }),
      accept: (connection, kind) => this.#proxy.addBorrowed(connection, kind),
      wake: (names) => {
        for (const name of names) this.#pool.wake(name);
      },
      refuse: (...refused) => this.#proxy.refuseDiverted(...refused),
    });
  }
  get team(): Team | undefined {
    return this.#team;
  }

  /** Another document: new handshakes, requests and connections follow it, what is open goes on. */
  adopt(prepared: Prepared): void {
    this.#prepared = prepared;
    this.#seal.exchange(prepared.flowKeys);
    this.#proxy.clients.exchange(tokenKeysOf(prepared));
    this.#proxy.endpoint.configure(endpointLimits(prepared.settings));
    this.#proxy.guard.configure(prepared.settings);
    this.#overload.configure({ waitMs: prepared.settings.limits.overloadMs });
    this.#external.update(prepared);
    this.#internal.update(this.#nextHopDoor.options(prepared));
    this.names.adopt(prepared.names);
    this.revocation.configure(prepared.revocation);
    this.#partners.update(this.#partnerOptions());
    this.#proxy.adopt(this.#sceneOf(prepared));
    this.#federation.adopt(this.#federationSceneOf(prepared));
    this.#pool.update(prepared.settings.nextHop.members);
  }

  /** Takes over the sockets that the document plans for this service. */
  listen(sockets: SocketSource): void {
    for (const plan of sockets.plan()) {
      if (plan.transport !== 'tcp') continue;
      sockets.tcp(plan.id, this.#handlerFor(plan));
    }
  }
  #handlerFor({ interface: side, rows }: ListenerPlan): TlsAcceptor['handle'] {
    if (side !== 'external') return this.#internal.handle;
    if (!rows.includes('ext-05')) return this.#partners.handle;
    return rows.includes('ext-06') ? this.#external.handleShared : this.#external.handle;
  }

  counts(): { clients: number; healthy: number; members: number; unserved: readonly string[] } {
    const members = this.#pool.members();
    const healthy = members.filter((member) => member.state === 'healthy').length;
    const unserved = this.#prepared.settings.nextHop.shares.divided ? this.#proxy.nextHop.unserved() : [];
    return { clients: this.#proxy.clients.size, healthy, members: members.length, unserved };
  }
  drain(): void {
    this.#external.drain();
    this.#partners.drain();
    this.#proxy.drain();
  }
  undrain(): void {
    this.#external.undrain();
    this.#partners.undrain();
    this.#proxy.undrain();
  }
  async stop(): Promise<void> {
    // First, or the others would be told that their connections are to end.
    await this.#team?.stop();
    this.#overload.stop();
    this.#tickets.stop();
    this.#cancelWatch();
    this.#pool.close();
    this.#federation.stop();
    this.revocation.close();
    this.names.close();
    this.#proxy.stop();
    await Promise.all([this.#external.close(), this.#internal.close(), this.#partners.close()]);
  }

  /** Key health indicators, once a second. */
  #watch(): void {
    const { clock } = this.#context;
    this.#cancelWatch = clock.after(WATCH_MS, () => {
      this.indicators.sample(this.#sample(), clock.now());
      this.#watch();
    });
  }
  #sample(): Sample {
    const { endpoint } = this.#proxy;
    const { timedOut, dropped } = endpoint.troubles;
    let flowControlled = 0;
    for (const { connection } of endpoint.flows()) if (connection.queued > 0) flowControlled += 1;
    return {
      totals: {
        connectionsDropped: this.#external.refusedByLimits + this.#partners.refusedByLimits,
        sendsTimedOut: timedOut,
        requestsDropped: dropped + this.#metrics.refusals.value('overloaded'),
      },
      levels: { flowControlled, waitingSeconds: this.#overload.waitedMs / 1000 },
    };
  }

  #newRevocation(limits: RunningParts['revocation']): Revocation {
    const { clock, random, metrics } = this.#context;
    return new Revocation({
      policy: this.#prepared.revocation,
      resolver: this.names,
      clock,
      random,
      metrics,
      changed: () => void this.#federation.review(),
      ...(limits === undefined ? {} : { limits }),
    });
  }

  #nextHopPool(): SipFlowPool {
    const { clock, random, log, metrics } = this.#context;
    return new SipFlowPool({
      endpoint: this.#proxy.endpoint,
      clock,
      random,
      log,
      metrics,
      name: 'access_next_hop',
      targets: this.#prepared.settings.nextHop.members,
      dial: (target) => this.#dial(target),
      backOff: BACK_OFF,
      scope: NEXT_HOP_SCOPE,
      probe: { intervalMs: PROBE_MS, build: (_flow, target) => this.#probeOf(target) },
      onChange: (member) => this.#tell(member),
      ...(this.#team === undefined ? {} : { divert: this.#team.divertNextHop }),
    });
  }

  #sceneOf({ settings }: Prepared): Scene {
    return {
      settings,
      hiding: new TopologyHiding(this.#seal, settings.disclosure, settings.external),
      stripped: () => this.#metrics.stripped.inc(),
      scrubbed: () => this.#metrics.scrubbed.inc(),
    };
  }

  #federationSceneOf(prepared: Prepared): FederationScene {
    return federationScene(this.#sceneOf(prepared), this.#seal, {
      settings: prepared.federation,
      credentials: prepared.external,
      trust: prepared.partnerTrust,
      localAddresses: prepared.names.localAddresses,
      mayDial: prepared.mayDialPartner,
    });
  }

  /** Port row ext-06. */
  #partnerOptions(): TlsAcceptorOptions {
    return federationListener(
      this.#prepared,
      this.#context,
      (connection) => this.#federation.accept(connection),
      this.#team?.sourcesOf('partners'),
    );
  }

  /** RFC 3261 §11: a member that answers this, whatever it answers, serves. */
  #probeOf({ name, port }: FlowTarget): OutgoingRequest {
    const { host } = this.#prepared.settings.internal;
    const branch = this.#proxy.branches.next();
    const { random } = this.#context;
    const bytes = buildRequest({
      method: 'OPTIONS',
      uri: `sip:${name}:${port};transport=tls`,
      headers: [
        ['Via', `SIP/2.0/TLS ${host}:${this.#prepared.settings.internal.port};branch=${branch}`],
        ['Max-Forwards', '1'],
        ['From', `<sip:${host}>;tag=${randomToken(random, TAG_LENGTH)}`],
        ['To', `<sip:${name}>`],
        ['Call-ID', randomToken(random, TAG_LENGTH)],
        ['CSeq', '1 OPTIONS'],
      ],
    });
    return { method: 'OPTIONS', branch, bytes };
  }

  #tell({ target, state }: PoolMember): void {
    this.#context.events.emit({
      provider: 'Access',
      component: 'next-hop',
      level: state === 'healthy' ? 'info' : 'warning',
      kind: 'state',
      name: state === 'healthy' ? 'next-hop-reachable' : 'next-hop-unreachable',
      flags: ['connection'],
      fields: { member: target.name },
      keys: { address: [target.address] },
    });
  }

  #acceptNextHop(connection: Connection, names: CertificateNames): void {
    this.#proxy.addNextHop(connection);
    const members = this.#pool.members().map(({ target }) => target.name);
    const woken = members.filter((name) => matchName(names, [name]) !== undefined);
    for (const name of woken) this.#pool.wake(name);
    this.#team?.tellHeardFrom(woken);
  }

  /** Port row int-03. */
  #dial(target: FlowTarget): ReturnType<typeof dialTls> {
    const { settings, internal, trust } = this.#prepared;
    const localAddress = localAddressFor(settings, target.address);
    // `prepare` has refused documents without one, and `address` is never an address of the internal interface.
    if (localAddress === undefined) throw new Error(`no local address for ${target.address}`);
    return dialTls({
      remote: { address: target.address, port: target.port },
      localAddress,
      servername: target.name,
      credentials: internal,
      trust,
      expectNames: [target.name],
      handshakeMs: settings.limits.handshakeSeconds * 1000,
      outboundBytes: NEXT_HOP_OUTBOUND_BYTES,
      clock: this.#context.clock,
      metrics: this.#context.metrics,
      events: this.#context.events,
    });
  }
}

function tokenKeysOf({ flowKeys: { current, others } }: Prepared): TokenKeys {
  return { current: tokenKey(current), others: others.map(tokenKey) };
}

function endpointLimits({ limits }: AccessSettings): SipEndpointLimits {
  return {
    flows: FLOWS,
    serverTransactions: limits.transactions,
    clientTransactions: limits.transactions,
    messageBytes: limits.messageBytes,
    headerLineBytes: limits.headerLineBytes,
    headers: limits.headers,
    messageMs: limits.messageSeconds * 1000,
    preAuthorisation: limits.preSignIn,
  };
}
