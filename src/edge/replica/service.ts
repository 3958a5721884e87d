import type { Socket } from 'node:net';
import { z } from 'zod';
import { ok, type Result } from '#kernel';
import { HttpService } from '#platform/http';
import { type Connection, ConnectionStream, Strangers, TlsAcceptor, type TlsLimits } from '#platform/net';
import {
  type Credentials,
  loadCredentials,
  loadTrustAnchors,
  matchName,
  type TrustAnchors,
} from '#platform/pki';
import { ReplicaFolder } from '#platform/replica-store';
import {
  type Health,
  type Provision,
  type Service,
  type ServiceContext,
  type ServiceDefinition,
  verb,
} from '#platform/service';
import type { Counter, EventDraft } from '#platform/telemetry';
import type { EdgeDocument } from '#platform/topology';
import { PUSH_BYTES } from '#protocols/replication';
import { Exchange, type ExchangeOutcome, exchangeOutcomes } from './exchange.ts';

const HANDSHAKE_MS = 10_000;
/** A store has one connection; a few come and go while stores change places. */
const LIMITS: TlsLimits = { connections: 16, handshakes: 16, perSource: 8, outboundBytes: 1 << 20 };
const HTTP_LIMITS = {
  headerBytes: 8192,
  bodyBytes: PUSH_BYTES,
  connections: LIMITS.connections,
  requestMs: 60_000,
  idleMs: 120_000,
};

export const service: ServiceDefinition<EdgeDocument> = {
  name: 'replica',
  title: 'replica agent',
  create: (context) => new Replica(context),
};

interface Settings {
  readonly document: EdgeDocument;
  readonly credentials: Credentials;
  readonly trust: TrustAnchors;
}

/** Takes pushed configuration on the internal interface (port row int-08). */
class Replica implements Service<EdgeDocument> {
  readonly verbs: Service<EdgeDocument>['verbs'];
  readonly #context: ServiceContext;
  readonly #requests: Counter<ExchangeOutcome>;
  readonly #refusedPeers: Counter;
  readonly #strangers: Strangers;
  readonly #exchange: Exchange;
  readonly #http: HttpService;
  readonly #open = new Set<Connection>();
  #settings: Settings | undefined;
  #acceptor: TlsAcceptor | undefined;

  constructor(context: ServiceContext) {
    this.#context = context;
    this.#strangers = new Strangers(context.log, 'SLP-CFG-0014', 'peer is no management store');
    this.#requests = context.metrics.counter(
      'sallyport_replica_requests_total',
      'Requests of management stores.',
      {
        name: 'outcome',
        values: exchangeOutcomes,
      },
    );
    this.#refusedPeers = context.metrics.counter(
      'sallyport_replica_peers_refused_total',
      'Connections of verified peers that are no management store.',
    );
    this.#exchange = new Exchange(
      context,
      () => this.#settings?.document,
      (outcome, detail) => {
        this.#requests.inc(outcome);
        const ordinary = ['report', 'applied', 'activated'].includes(outcome);
        this.#tell('store-request', ordinary ? 'info' : 'warning', { outcome, ...detail });
      },
    );
    this.#http = new HttpService({
      limits: HTTP_LIMITS,
      log: context.log,
      handle: (request) => this.#exchange.handle(request),
      onTooLong: () => this.#exchange.handleTooLong(),
    });
    this.verbs = {
      report: verb(z.strictObject({}), () => {
        const document = this.#settings?.document;
        return document === undefined ? null : this.#exchange.report(document);
      }),
    };
  }

  async provision(document: EdgeDocument): Promise<Result<Provision>> {
    const credentials = loadCredentials(document.host.certificates.internal, this.#context.clock.wall());
    if (!credentials.ok) return credentials;
    const trust = loadTrustAnchors(document.host.internalCa);
    if (!trust.ok) return trust;
    const settings = { document, credentials: credentials.value, trust: trust.value };
    return ok({ commit: async () => this.#commit(settings), abandon: async () => {} });
  }

  health(): Health {
    const document = this.#settings?.document;
    if (document === undefined) return { ok: false, detail: 'no document yet' };
    if (document.host.replication.policy === 'local') return { ok: true, detail: 'the policy is local' };
    const head = new ReplicaFolder(document.host.stateDirectory).current()?.head;
    return { ok: true, detail: `version ${head?.version ?? 'none'}, ${this.#open.size} stores connected` };
  }
  drain(): void {}
  undrain(): void {}
  /** A push that is being tried is answered by the next process just as well. */
  remaining(): number {
    return 0;
  }
  async stop(): Promise<void> {
    await this.#acceptor?.close();
    for (const connection of this.#open) connection.destroy('shutdown');
  }

  #commit(settings: Settings): void {
    const first = this.#settings === undefined;
    this.#settings = settings;
    if (first) new ReplicaFolder(settings.document.host.stateDirectory).sweepInbox();
    const { credentials, trust } = settings;
    if (this.#acceptor === undefined) this.#acceptor = this.#makeAcceptor(settings);
    else this.#acceptor.update({ credentials, trust });
    for (const listener of this.#context.sockets.plan()) {
      this.#context.sockets.tcp(listener.id, this.#acceptor.handle);
    }
    for (const connection of this.#open) if (!this.#welcome(connection)) connection.destroy('policy');
  }

  #makeAcceptor({ credentials, trust }: Settings): TlsAcceptor {
    const { clock, log, metrics, events } = this.#context;
    return new TlsAcceptor({
      credentials,
      trust,
      clientCertificate: 'required',
      alpn: ['http/1.1'],
      handshakeMs: HANDSHAKE_MS,
      idleMs: HTTP_LIMITS.idleMs,
      limits: LIMITS,
      clock,
      log,
      metrics,
      events,
      accept: (connection) => this.#handleConnection(connection),
    });
  }

  #tell(
    name: string,
    level: EventDraft['level'],
    fields: NonNullable<EventDraft['fields']>,
    address?: string,
  ): void {
    this.#context.events.emit({
      provider: 'Replica',
      component: 'replica',
      level,
      kind: 'decision',
      name,
      fields,
      ...(address === undefined ? {} : { keys: { address: [address] } }),
    });
  }

  #welcome(connection: Connection): boolean {
    const peer = connection.tls?.peer;
    const stores = this.#settings?.document.host.replication.stores ?? [];
    return peer !== undefined && matchName(peer.names, stores) !== undefined;
  }

  #handleConnection(connection: Connection): void {
    if (!this.#welcome(connection)) {
      this.#refusedPeers.inc();
      const stranger = this.#strangers.tell(connection);
      if (stranger !== undefined) {
        const { subject, address } = stranger;
        this.#tell('store-refused', 'warning', { rule: 'SLP-CFG-0014', subject, remote: address }, address);
      }
      connection.destroy('policy');
      return;
    }
    this.#open.add(connection);
    const stream = new ConnectionStream(connection);
    stream.on('error', () => {});
    stream.on('close', () => this.#open.delete(connection));
    this.#http.accept(stream as unknown as Socket);
  }
}
