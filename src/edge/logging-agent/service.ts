import { accessSync, constants, mkdirSync } from 'node:fs';
import { z } from 'zod';
import { err, FailureError, failure, ok, type Result } from '#kernel';
import { type CloseReason, type Connection, Strangers, TlsAcceptor, type TlsLimits } from '#platform/net';
import {
  type Credentials,
  loadCredentials,
  loadTrustAnchors,
  matchName,
  type TrustAnchors,
} from '#platform/pki';
import {
  type Health,
  type Provision,
  type Service,
  type ServiceContext,
  type ServiceDefinition,
  verb,
} from '#platform/service';
import { type Counter, PRODUCT_VERSION } from '#platform/telemetry';
import type { EdgeDocument, ListenerPlan } from '#platform/topology';
import type { AgentStatus, LogPort } from '#protocols/log-query';
import { Agent } from './agent.ts';
import { LogSession, type RequestOutcome, requestOutcomes, SESSION_LIMITS } from './ports/session.ts';

const HANDSHAKE_MS = 10_000;
/** A controller has one connection a port, for each command that runs. */
const LIMITS: TlsLimits = { connections: 48, handshakes: 16, perSource: 24, outboundBytes: 1 << 20 };
const PORTS: Readonly<Record<string, LogPort>> = {
  'int-09': 'control',
  'int-10': 'search',
  'int-11': 'collection',
};

export const service: ServiceDefinition<EdgeDocument> = {
  name: 'logging-agent',
  title: 'logging agent',
  create: (context) => new LoggingAgent(context),
};

interface Settings {
  readonly document: EdgeDocument;
  readonly credentials: Credentials;
  readonly trust: TrustAnchors;
}

/** Stores what all services of this edge tell, and answers the log controllers (port rows int-09, int-10 and int-11). */
class LoggingAgent implements Service<EdgeDocument> {
  readonly verbs: Service<EdgeDocument>['verbs'];
  readonly #context: ServiceContext;
  readonly #requests: Counter<RequestOutcome>;
  readonly #refusedPeers: Counter;
  readonly #strangers: Strangers;
  readonly #sessions = new Map<Connection, LogSession>();
  readonly #acceptors = new Map<LogPort, TlsAcceptor>();
  #settings: Settings | undefined;
  #agent: Agent | undefined;
  #problem: string | undefined;

  constructor(context: ServiceContext) {
    this.#context = context;
    const { metrics } = context;
    this.#strangers = new Strangers(context.log, 'SLP-LOG-0012', 'peer is no log controller');
    this.#requests = metrics.counter('sallyport_log_requests_total', 'Requests of log controllers.', {
      name: 'outcome',
      values: requestOutcomes,
    });
    this.#refusedPeers = metrics.counter(
      'sallyport_log_peers_refused_total',
      'Connections of verified peers that are no log controller.',
    );
    const count = (name: 'taken' | 'dropped' | 'suppressed' | 'unstored', help: string) =>
      metrics.observe(`sallyport_log_events_${name}`, help, () => this.#agent?.counts[name] ?? 0);
    count('taken', 'Events that a scenario asked for, since the agent started.');
    count('dropped', 'Events lost before they reached the agent, since it started.');
    count('suppressed', 'Events held back by the throttle, since the agent started.');
    count('unstored', 'Events that could not be written, since the agent started.');
    this.verbs = {
      status: verb(z.strictObject({}), (): AgentStatus | null => this.#agent?.status() ?? null),
    };
  }

  async provision(document: EdgeDocument): Promise<Result<Provision>> {
    const credentials = loadCredentials(document.host.certificates.internal, this.#context.clock.wall());
    if (!credentials.ok) return credentials;
    const trust = loadTrustAnchors(document.host.internalCa);
    if (!trust.ok) return trust;
    if (document.policy.features.logging) {
      const { directory } = document.host.logging;
      try {
        mkdirSync(directory, { recursive: true, mode: 0o700 });
        accessSync(directory, constants.W_OK | constants.X_OK);
      } catch (error) {
        return err(failure('SLP-LOG-0003', `${directory}: ${(error as Error).message}`, error));
      }
    }
    const settings = { document, credentials: credentials.value, trust: trust.value };
    return ok({ commit: async () => this.#commit(settings), abandon: async () => {} });
  }

  health(): Health {
    const document = this.#settings?.document;
    if (document === undefined) return { ok: false, detail: 'no document yet' };
    if (!document.policy.features.logging) return { ok: true, detail: 'centralized logging is off' };
    const problem = this.#problem ?? this.#agent?.problem;
    if (problem !== undefined) return { ok: this.#agent !== undefined, detail: problem };
    const names = this.#agent?.scenarios.scenarios.map(({ name }) => name).join(', ') || 'no scenario';
    const nobody =
      document.host.logging.controllers.length === 0 ? '; host.logging.controllers is empty' : '';
    return { ok: true, detail: `${names}; ${this.#sessions.size} controller connections${nobody}` };
  }
  drain(): void {}
  undrain(): void {}
  /** Controllers ask again. */
  remaining(): number {
    return 0;
  }
  async stop(): Promise<void> {
    for (const acceptor of this.#acceptors.values()) await acceptor.close();
    this.#endSessions('shutdown');
    this.#agent?.close();
  }

  #commit(settings: Settings): void {
    this.#settings = settings;
    const { credentials, trust, document } = settings;
    this.#placeAgent(document);
    for (const acceptor of this.#acceptors.values()) acceptor.update({ credentials, trust });
    for (const listener of this.#context.sockets.plan()) {
      const port = portOf(listener);
      if (port === undefined) continue;
      const acceptor = this.#acceptors.get(port) ?? this.#makeAcceptor(port, settings);
      this.#context.sockets.tcp(listener.id, acceptor.handle);
    }
    for (const connection of this.#sessions.keys())
      if (!this.#welcome(connection)) this.#sessions.get(connection)?.destroy('policy');
  }

  /** One agent a folder; another folder is another store. */
  #placeAgent(document: EdgeDocument): void {
    const wanted = document.policy.features.logging ? document.host.logging.directory : undefined;
    if (this.#agent !== undefined && this.#agent.folder === wanted) {
      this.#agent.configure(document);
      return;
    }
    if (this.#agent !== undefined) {
      this.#endSessions('policy');
      this.#context.collector?.demand({ providers: {} });
      this.#agent.close();
    }
    this.#agent = undefined;
    this.#problem = undefined;
    if (wanted === undefined) return;
    try {
      this.#agent = new Agent(this.#context, document);
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
      this.#problem = error.failure.message;
      this.#context.log.error('events are not stored', {
        code: error.failure.code,
        problem: error.failure.message,
      });
    }
  }

  #makeAcceptor(port: LogPort, { credentials, trust }: Settings): TlsAcceptor {
    const { clock, log, metrics, events } = this.#context;
    const acceptor = new TlsAcceptor({
      credentials,
      trust,
      clientCertificate: 'required',
      handshakeMs: HANDSHAKE_MS,
      idleMs: SESSION_LIMITS.idleMs,
      limits: LIMITS,
      clock,
      log,
      metrics,
      events,
      accept: (connection) => this.#handleConnection(connection, port),
    });
    this.#acceptors.set(port, acceptor);
    return acceptor;
  }

  #welcome(connection: Connection): boolean {
    const peer = connection.tls?.peer;
    const controllers = this.#settings?.document.host.logging.controllers ?? [];
    return peer !== undefined && matchName(peer.names, controllers) !== undefined;
  }

  #handleConnection(connection: Connection, port: LogPort): void {
    const agent = this.#agent;
    if (!this.#welcome(connection)) {
      this.#refusedPeers.inc();
      this.#strangers.tell(connection);
      connection.destroy('policy');
      return;
    }
    if (agent === undefined) return connection.destroy('policy');
    const session = new LogSession(connection, {
      port,
      clock: this.#context.clock,
      limits: SESSION_LIMITS,
      welcome: () => ({
        type: 'welcome',
        version: 1,
        node: this.#settings?.document.host.name ?? '',
        product: PRODUCT_VERSION,
        now: this.#context.clock.wall(),
      }),
      answer: (request, reply) => {
        if (port === 'control') return agent.control(request, reply);
        if (port === 'search' && request.type === 'search') return agent.search(request, reply);
        return agent.collection(request, reply);
      },
      counted: (outcome) => this.#requests.inc(outcome),
      ended: () => this.#sessions.delete(connection),
    });
    this.#sessions.set(connection, session);
  }

  #endSessions(reason: CloseReason): void {
    for (const session of [...this.#sessions.values()]) session.destroy(reason);
  }
}

function portOf({ rows }: ListenerPlan): LogPort | undefined {
  return rows.map((row) => PORTS[row]).find((port) => port !== undefined);
}
