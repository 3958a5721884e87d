import type { Socket } from 'node:net';
import { DnsResolver, resolverPlaces } from '#platform/dns';
import { type Connection, Strangers, TlsAcceptor, type TlsLimits } from '#platform/net';
import { Revocation } from '#platform/revocation';
import {
  type Feature,
  FeatureService,
  type Operation,
  type ServiceContext,
  type ServiceDefinition,
} from '#platform/service';
import type { EdgeDocument, ListenerPlan } from '#platform/topology';
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
  create: (context) => new FeatureService(context, xmppFederation(context)),
};

function xmppFederation(context: ServiceContext): Feature<EdgeDocument, Prepared, Federation> {
  const meters = proxyMetrics(context.metrics);
  const strangers = new Strangers(context.log, 'SLP-XMPP-0002', 'peer is no XMPP gateway');
  return {
    title: 'XMPP federation',
    isOn: ({ policy }) => policy.features.xmpp,
    prepare,
    start: (prepared) => new Federation(context, meters, strangers, prepared),
    verbs: (running) => proxyVerbs(() => running()?.proxy, context.clock),
    measure(running) {
      context.metrics.observe(
        'sallyport_xmpp_streams_open',
        'Streams with partners that are open.',
        () => running()?.proxy.endpoint.open ?? 0,
      );
      context.metrics.observe(
        'sallyport_xmpp_links_open',
        'Links with gateways that are open.',
        () => running()?.proxy.links.size ?? 0,
      );
      context.metrics.observe(
        'sallyport_xmpp_stanzas_pending',
        'Stanzas that are not safe with the next one yet.',
        () => running()?.proxy.pending ?? 0,
      );
    },
  };
}

/** XMPP with partners outside (port rows ext-01, xmpp-02) and with gateways inside (int-01). */
class Federation implements Operation<Prepared> {
  readonly proxy: XmppProxy;
  readonly #strangers: Strangers;
  readonly #resolver: DnsResolver;
  readonly #revocation: Revocation;
  readonly #inside: TlsAcceptor;

  constructor(context: ServiceContext, meters: ProxyMetrics, strangers: Strangers, prepared: Prepared) {
    const { clock, random, log, metrics, events } = context;
    const { document, localAddresses } = prepared;
    const servers = resolverPlaces(document.host.resolvers);
    this.#strangers = strangers;
    const resolver = new DnsResolver({ servers, localAddresses, clock, random, metrics });
    const revocation = new Revocation({ policy: prepared.revocation, resolver, clock, random, metrics });
    this.#resolver = resolver;
    this.#revocation = revocation;
    this.proxy = new XmppProxy(
      {
        clock,
        random,
        log,
        metrics,
        events,
        resolver,
        confirm: (peer, staple) => revocation.check(peer, staple),
        meters,
      },
      prepared,
    );
    this.#inside = new TlsAcceptor({
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
  }

  adopt(prepared: Prepared): boolean {
    if (!sameNames(this.proxy.prepared, prepared)) return false;
    this.#revocation.configure(prepared.revocation);
    this.#inside.update({ credentials: prepared.internal, trust: prepared.internalTrust });
    this.proxy.adopt(prepared);
    return true;
  }
  take(side: ListenerPlan['interface'], socket: Socket): void {
    if (side === 'external') this.proxy.endpoint.accept(socket);
    else this.#inside.handle(socket);
  }
  drain(): void {
    this.#inside.drain();
    this.proxy.drain();
  }
  undrain(): void {
    this.#inside.undrain();
    this.proxy.undrain();
  }
  /** Stanzas under way: a stream without any is opened again at another edge, and nobody notices. */
  remaining(): number {
    return this.proxy.pending;
  }
  detail(): string {
    const { endpoint, links, pending } = this.proxy;
    const gateways = links.size === 0 ? 'no gateway connected' : `${links.size} gateways connected`;
    return `${endpoint.open} streams, ${gateways}, ${pending} stanzas under way`;
  }
  async close(): Promise<void> {
    this.proxy.close();
    this.#revocation.close();
    this.#resolver.close();
    await this.#inside.close();
  }

  #handleLink(connection: Connection): void {
    if (!this.proxy.acceptLink(connection)) this.#strangers.tell(connection);
  }
}

/** Whether the same servers are asked for names from the same addresses; otherwise everything begins anew. */
function sameNames(one: Prepared, other: Prepared): boolean {
  const key = ({ document, localAddresses }: Prepared) =>
    JSON.stringify([document.host.resolvers, localAddresses]);
  return key(one) === key(other);
}
