import { isIPv6 } from 'node:net';
import { PresenceAgent } from '#internal/presence';
import { type Connection, dialTls, TlsAcceptor, type TlsAcceptorOptions } from '#platform/net';
import { matchName } from '#platform/pki';
import type { ServiceContext, SocketSource } from '#platform/service';
import { HTTP, SIP } from '#platform/sip-door';
import { type FlowTarget, SipEndpoint } from '#platform/sip-endpoint';
import { OncePerKey } from '#platform/telemetry';
import type { InternalDocument } from '#platform/topology';
import { FOCUS_ALPN } from '#protocols/conference';
import { tokenKey } from '#protocols/tokens';
import { Authenticator } from './authentication.ts';
import { ClientDoor } from './client-door.ts';
import { EdgeLinks } from './edge-links.ts';
import { ExternalAccess } from './external-access.ts';
import { FrontEnd } from './front-end.ts';
import type { FrontEndMetrics } from './front-end-metrics.ts';
import { FlowTokens, type PeerParty, partyOf, peerKey } from './parties.ts';
import type { Prepared } from './prepared.ts';
import { PresenceUsers } from './presence-users.ts';
import { Registrar } from './registrar.ts';
import type { SignInSettings } from './sign-in.ts';

const ALPN = [FOCUS_ALPN, SIP];
/** Connections of one source: a terminal server, or an edge with its pool. */
const PER_SOURCE = 1024;
const REFUSED_PEERS_LOGGED = 64;
/** Above whatever the listener lets in: connections to the edges find room however many clients there are. */
const FLOWS = 1_000_000;
/** Handshakes under way at a time: they are what costs processor time. */
const HANDSHAKES = 200;

/** The front end while it has a document. */
export class Running {
  readonly #context: ServiceContext;
  readonly #endpoint: SipEndpoint;
  readonly #frontEnd: FrontEnd;
  readonly #registrar: Registrar;
  readonly #presenceUsers: PresenceUsers;
  /** Who watches whom. */
  readonly presence: PresenceAgent;
  readonly #links: EdgeLinks;
  readonly #listener: TlsAcceptor;
  /** Pages come to a port that asks for no certificate: browsers give up a WebSocket whose server does. */
  readonly #pages: TlsAcceptor;
  readonly #clients: ClientDoor;
  readonly #refusedPeers = new OncePerKey(REFUSED_PEERS_LOGGED);
  #prepared: Prepared;

  constructor(context: ServiceContext, metrics: FrontEndMetrics, prepared: Prepared) {
    this.#context = context;
    this.#prepared = prepared;
    const { clock, random, log } = context;
    const { directory, document } = prepared;
    directory.forgetFlows();
    this.#registrar = new Registrar(directory, document.frontEnd.registrar);
    const settings = settingsOf(document);
    this.#presenceUsers = new PresenceUsers(directory, this.#registrar, settings.access);
    this.presence = new PresenceAgent(
      { random, store: directory.presence, users: this.#presenceUsers },
      document.frontEnd.presence,
      clock.wall(),
    );
    context.metrics.observe(
      'sallyport_front_end_subscriptions',
      'Live subscriptions to presence and to watchers.',
      () => this.presence.subscriptions,
    );
    const user = {
      clock,
      random,
      metrics,
      authenticator: new Authenticator({ accounts: directory, random, key: directory.secret('digest') }),
      registrar: this.#registrar,
      tokens: new FlowTokens({ current: tokenKey(directory.secret('flow')) }),
      presence: this.presence,
      knows: (aor: string) => directory.find(aor) !== undefined,
    };
    this.#frontEnd = new FrontEnd(user, settings);
    this.#endpoint = new SipEndpoint({
      clock,
      random,
      log,
      metrics: context.metrics,
      name: 'front_end_sip',
      limits: endpointLimits(document),
      user: this.#frontEnd,
    });
    this.#links = new EdgeLinks({
      endpoint: this.#endpoint,
      clock,
      random,
      log,
      metrics: context.metrics,
      edges: document.frontEnd.edges,
      dial: (target) => this.#dial(target),
    });
    this.#frontEnd.attach(this.#endpoint, this.#links);
    this.#clients = new ClientDoor(context, metrics, this.#endpoint, document.frontEnd);
    this.#listener = new TlsAcceptor(this.#listenerOptions());
    this.#pages = new TlsAcceptor(this.#pageOptions());
    this.#links.start();
  }

  get directory() {
    return this.#prepared.directory;
  }
  get databaseFile(): string {
    return this.#prepared.document.frontEnd.database;
  }
  get connections(): number {
    return this.#endpoint.flowCount;
  }
  /** One line an edge service that cannot be reached. */
  troubles(): string[] {
    return this.#links.troubles();
  }

  adopt(prepared: Prepared): void {
    this.#prepared = prepared;
    const { document } = prepared;
    this.#endpoint.configure(endpointLimits(document));
    const settings = settingsOf(document);
    this.#registrar.configure(document.frontEnd.registrar);
    this.#presenceUsers.configure(settings.access);
    this.presence.configure(document.frontEnd.presence);
    this.#frontEnd.configure(settings);
    this.#links.update(document.frontEnd.edges);
    this.#clients.configure(document.frontEnd);
    this.#listener.update(this.#listenerOptions());
    this.#pages.update(this.#pageOptions());
    this.#dismiss(document.frontEnd);
  }
  listen(sockets: SocketSource): void {
    for (const { id, rows, transport } of sockets.plan()) {
      const listener = rows.includes('int-03') ? this.#listener : this.#pages;
      if (transport === 'tcp') sockets.tcp(id, listener.handle);
    }
  }
  drain(): void {
    this.#listener.drain();
    this.#pages.drain();
  }
  undrain(): void {
    this.#listener.undrain();
    this.#pages.undrain();
  }
  async stop(): Promise<void> {
    this.#frontEnd.stop();
    this.#clients.close();
    this.#links.close();
    this.#endpoint.close();
    await Promise.all([this.#listener.close(), this.#pages.close()]);
    this.#prepared.directory.close();
  }

  /** Port row int-03 for edges, who show their certificate, and internal clients, who have none. */
  #listenerOptions(): TlsAcceptorOptions {
    const { limits } = this.#prepared.document.frontEnd;
    return {
      credentials: this.#prepared.credentials,
      clientCertificate: 'optional',
      trust: this.#prepared.trust,
      alpn: ALPN,
      handshakeMs: limits.handshakeSeconds * 1000,
      limits: {
        connections: limits.connections,
        handshakes: Math.min(limits.connections, HANDSHAKES),
        perSource: PER_SOURCE,
        outboundBytes: limits.outboundBytes,
      },
      clock: this.#context.clock,
      log: this.#context.log,
      metrics: this.#context.metrics,
      accept: (connection) => this.#accept(connection),
    };
  }

  #pageOptions(): TlsAcceptorOptions {
    const accept = (connection: Connection) => this.#clients.acceptPage(connection);
    return { ...this.#listenerOptions(), clientCertificate: 'none', alpn: [SIP, HTTP], accept };
  }

  /** An edge or peer that the document no longer names is believed no more, whoever opened the connection. */
  #dismiss({ edges, trustedPeers }: InternalDocument['frontEnd']): void {
    const known = new Set([...edges.map(({ name }) => name), ...trustedPeers.map(peerKey)]);
    for (const flow of [...this.#endpoint.flows()]) {
      const party = partyOf(flow);
      const name = party.kind === 'edge' ? party.edge : party.kind === 'peer' ? party.peer : undefined;
      if (name !== undefined && !known.has(name)) this.#endpoint.closeFlow(flow, 'policy');
    }
  }

  #accept(connection: Connection): void {
    const peer = connection.tls?.peer;
    if (peer === undefined) return this.#clients.accept(connection);
    const { edges, trustedPeers } = this.#prepared.document.frontEnd;
    const names = edges.map(({ name }) => name);
    const edge = matchName(peer.names, names);
    if (edge !== undefined) {
      this.#endpoint.addFlow(connection, { data: { kind: 'edge', edge }, scope: edge });
      this.#links.wake(edge);
      this.#frontEnd.handleReachable('edge', edge);
      return;
    }
    const peers = trustedPeers.map(({ name }) => name);
    const trusted = chosenPeer(trustedPeers, matchName(peer.names, peers), connection.tls?.alpn);
    if (trusted !== undefined) {
      const key = peerKey(trusted);
      const data: PeerParty = { kind: 'peer', peer: key, conferences: trusted.conferences };
      this.#endpoint.addFlow(connection, { data, scope: key });
      this.#frontEnd.handleReachable('peer', key);
      return;
    }
    if (this.#refusedPeers.first(peer.fingerprint)) {
      this.#context.log.warn('peer refused', {
        reason: 'neither-edge-nor-peer',
        subject: peer.subject,
        expected: [...names, ...peers],
      });
    }
    connection.destroy('policy');
  }

  /** Port rows int-02 and int-05, seen from inside. */
  async #dial(target: FlowTarget): ReturnType<typeof dialTls> {
    const { document, credentials, trust } = this.#prepared;
    const connection = await dialTls({
      remote: { address: target.address, port: target.port },
      localAddress: localAddressFor(document, target.address),
      servername: target.name,
      credentials,
      trust,
      expectNames: [target.name],
      handshakeMs: document.frontEnd.limits.handshakeSeconds * 1000,
      outboundBytes: document.frontEnd.limits.outboundBytes,
      clock: this.#context.clock,
      metrics: this.#context.metrics,
    });
    return connection;
  }
}

function localAddressFor(document: InternalDocument, remote: string): string {
  const addresses = document.host.addresses.internal;
  return addresses.find((address) => isIPv6(address) === isIPv6(remote)) ?? addresses[0] ?? '';
}

type TrustedPeer = InternalDocument['frontEnd']['trustedPeers'][number];

/** The peer of that name; where its host has conferences beside other domains, the connection says which of them it is. */
function chosenPeer(
  peers: readonly TrustedPeer[],
  name: string | undefined,
  alpn: string | undefined,
): TrustedPeer | undefined {
  const named = peers.filter((peer) => peer.name === name);
  return named.find(({ conferences }) => conferences === (alpn === FOCUS_ALPN)) ?? soleOf(named);
}

function soleOf<Item>([first, another]: readonly Item[]): Item | undefined {
  return another === undefined ? first : undefined;
}

function settingsOf(document: InternalDocument): SignInSettings {
  const { host, frontEnd } = document;
  const address = host.addresses.internal[0] ?? host.name;
  const own = isIPv6(address) ? `[${address}]` : address;
  const edges = frontEnd.edges.flatMap(({ name, address: at }) => [
    [name, name] as const,
    [isIPv6(at) ? `[${at}]` : at, name] as const,
  ]);
  const addresses = host.addresses.internal.map((at) => (isIPv6(at) ? `[${at}]` : at));
  return {
    // An address needs no name service, which internal clients may lack.
    own: { host: own, port: frontEnd.port },
    around: {
      hosts: new Set([host.name, ...addresses]),
      domains: new Set(frontEnd.sipDomains),
      edges: new Map(edges),
      peers: new Map(
        frontEnd.trustedPeers.flatMap((peer) => peer.domains.map((domain) => [domain, peerKey(peer)])),
      ),
      conferences: new Set(
        frontEnd.trustedPeers.flatMap(({ conferences, domains }) => (conferences ? domains : [])),
      ),
    },
    mrasEdge: frontEnd.edges[0]?.name,
    access: new ExternalAccess(frontEnd.externalAccess),
  };
}

function endpointLimits({ frontEnd: { limits } }: InternalDocument) {
  return {
    flows: FLOWS,
    serverTransactions: limits.transactions,
    clientTransactions: limits.transactions,
    messageBytes: limits.messageBytes,
    headerLineBytes: limits.headerLineBytes,
    headers: limits.headers,
    messageMs: limits.messageSeconds * 1000,
  };
}
