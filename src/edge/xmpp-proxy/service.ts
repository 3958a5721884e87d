import type { Socket } from 'node:net';
import { ok, type Result } from '#kernel';
import { DnsResolver, resolverPlaces } from '#platform/dns';
import { type Connection, TlsAcceptor, type TlsLimits } from '#platform/net';
import { Revocation } from '#platform/revocation';
import type {
  Health,
  Provision,
  Service,
  ServiceContext,
  ServiceDefinition,
  VerbHandler,
} from '#platform/service';
import { OncePerKey } from '#platform/telemetry';
import type { EdgeDocument } from '#platform/topology';
import { type ProxyMetrics, proxyMetrics } from './metrics.ts';
import { type Prepared, prepare } from './prepared.ts';
import { XmppProxy } from './proxy.ts';
import { proxyVerbs } from './verbs.ts';

const HANDSHAKE_MS = 10_000;
/** A few gateways, each with one link, and a few that come while others have not gone yet. */
const LINK_LIMITS: TlsLimits = { connections: 64, handshakes: 32, perSource: 16, outboundBytes: 8 << 20 };

export const service: ServiceDefinition<EdgeDocument> = {
  name: 'xmpp-proxy',
  title: 'XMPP proxy',
  create: (context) => new XmppProxyService(context),
};

/** What runs while XMPP federation is on. */
interface Running {
  readonly proxy: XmppProxy;
  readonly resolver: DnsResolver;
  readonly revocation: Revocation;
  readonly acceptor: TlsAcceptor;
}

/** XMPP with partners outside (port rows ext-01, xmpp-02) and with gateways inside (int-01). */
class XmppProxyService implements Service<EdgeDocument> {
  readonly verbs: Readonly<Record<string, VerbHandler>>;
  readonly #context: ServiceContext;
  readonly #meters: ProxyMetrics;
  readonly #refusedOnce = new OncePerKey(1000);
  #running: Running | undefined;
  #documents = 0;
  #draining = false;

  constructor(context: ServiceContext) {
    this.#context = context;
    this.#meters = proxyMetrics(context.metrics);
    this.verbs = proxyVerbs(() => this.#running?.proxy, context.clock);
    context.metrics.observe(
      'sallyport_xmpp_streams_open',
      'Streams with partners that are open.',
      () => this.#running?.proxy.endpoint.open ?? 0,
    );
    context.metrics.observe(
      'sallyport_xmpp_links_open',
      'Links with gateways that are open.',
      () => this.#running?.proxy.links.size ?? 0,
    );
    context.metrics.observe(
      'sallyport_xmpp_stanzas_pending',
      'Stanzas that are not safe with the next one yet.',
      () => this.#running?.proxy.pending ?? 0,
    );
  }

  async provision(document: EdgeDocument): Promise<Result<Provision>> {
    if (!document.policy.features.xmpp) {
      return ok({ commit: () => this.#leave(), abandon: async () => {} });
    }
    const prepared = prepare(document, this.#context.clock.wall());
    if (!prepared.ok) return prepared;
    return ok({ commit: async () => this.#commit(prepared.value), abandon: async () => {} });
  }

  health(): Health {
    if (this.#documents === 0) return { ok: false, detail: 'no document yet' };
    if (this.#running === undefined) return { ok: true, detail: 'XMPP federation is off' };
    const { endpoint, links, pending } = this.#running.proxy;
    const state = this.#draining ? 'draining, ' : '';
    const gateways = links.size === 0 ? 'no gateway connected' : `${links.size} gateways connected`;
    return {
      ok: true,
      detail: `${state}${endpoint.open} streams, ${gateways}, ${pending} stanzas under way`,
    };
  }
  drain(): void {
    this.#draining = true;
    this.#running?.acceptor.drain();
    this.#running?.proxy.drain();
  }
  undrain(): void {
    this.#draining = false;
    this.#running?.acceptor.undrain();
    this.#running?.proxy.undrain();
  }
  /** Stanzas under way: a stream without any is opened again at another edge, and nobody notices. */
  remaining(): number {
    return this.#running?.proxy.pending ?? 0;
  }
  async stop(): Promise<void> {
    await this.#leave();
  }

  #commit(prepared: Prepared): void {
    this.#documents += 1;
    for (const warning of [...prepared.external.warnings, ...prepared.internal.warnings]) {
      this.#context.log.warn('certificate needs attention', { warning });
    }
    const running = this.#running;
    if (running !== undefined && sameNames(running.proxy.prepared, prepared)) {
      running.revocation.configure(prepared.revocation);
      running.acceptor.update({ credentials: prepared.internal, trust: prepared.internalTrust });
      running.proxy.adopt(prepared);
    } else {
      void this.#stop();
      this.#running = this.#start(prepared);
    }
    this.#listen();
  }
  async #leave(): Promise<void> {
    this.#documents += 1;
    await this.#stop();
  }
  async #stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    if (running === undefined) return;
    running.proxy.close();
    running.revocation.close();
    running.resolver.close();
    await running.acceptor.close();
  }

  #start(prepared: Prepared): Running {
    const { clock, random, log, metrics, events } = this.#context;
    const { document, localAddresses } = prepared;
    const servers = resolverPlaces(document.host.resolvers);
    const resolver = new DnsResolver({ servers, localAddresses, clock, random, metrics });
    const revocation = new Revocation({ policy: prepared.revocation, resolver, clock, random, metrics });
    const proxy = new XmppProxy(
      {
        clock,
        random,
        log,
        metrics,
        events,
        resolver,
        confirm: (peer, staple) => revocation.check(peer, staple),
        meters: this.#meters,
      },
      prepared,
    );
    const acceptor = new TlsAcceptor({
      credentials: prepared.internal,
      trust: prepared.internalTrust,
      clientCertificate: 'required',
      handshakeMs: HANDSHAKE_MS,
      limits: LINK_LIMITS,
      clock,
      log,
      metrics,
      events,
      accept: (connection) => this.#handleLink(connection),
    });
    if (this.#draining) {
      acceptor.drain();
      proxy.drain();
    }
    return { proxy, resolver, revocation, acceptor };
  }

  #listen(): void {
    const running = this.#running;
    if (running === undefined) return;
    for (const { id, interface: side } of this.#context.sockets.plan()) {
      const take = side === 'external' ? running.proxy.endpoint.accept : running.acceptor.handle;
      this.#context.sockets.tcp(id, (socket: Socket) => take(socket));
    }
  }

  #handleLink(connection: Connection): void {
    if (this.#running?.proxy.acceptLink(connection) === true) return;
    const subject = connection.tls?.peer?.subject ?? 'unknown';
    const { address } = connection.remote;
    if (!this.#refusedOnce.first(subject)) return;
    this.#context.log.warn('peer is no XMPP gateway', { code: 'SLP-XMPP-0002', subject, address });
  }
}

/** Whether the same servers are asked for names from the same addresses; otherwise everything begins anew. */
function sameNames(one: Prepared, other: Prepared): boolean {
  const key = ({ document, localAddresses }: Prepared) =>
    JSON.stringify([document.host.resolvers, localAddresses]);
  return key(one) === key(other);
}
