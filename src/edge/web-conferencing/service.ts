import type { Socket } from 'node:net';
import { ok, type Result } from '#kernel';
import { type Connection, TlsAcceptor, type TlsLimits } from '#platform/net';
import { DOOR_ALPN } from '#platform/psom-door';
import { PSOM_LINK_ALPN } from '#platform/psom-link';
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
import { ConferencingEdge } from './conferencing-edge.ts';
import { type EdgeMetrics, edgeMetrics } from './metrics.ts';
import { type Prepared, prepare } from './prepared.ts';
import { conferencingVerbs } from './verbs.ts';

const HANDSHAKE_MS = 10_000;
const HANDSHAKES = 256;
/** A few services, each with one link, and a few that come while others have not gone yet. */
const LINK_LIMITS: TlsLimits = { connections: 64, handshakes: 32, perSource: 16, outboundBytes: 8 << 20 };

export const service: ServiceDefinition<EdgeDocument> = {
  name: 'web-conferencing',
  title: 'Web Conferencing Edge service',
  create: (context) => new WebConferencingService(context),
};

/** What runs while web conferencing is on. */
interface Running {
  readonly edge: ConferencingEdge;
  readonly outside: TlsAcceptor;
  readonly inside: TlsAcceptor;
}

/** Participants outside (port row ext-08), for services inside that dial this edge (int-04). */
class WebConferencingService implements Service<EdgeDocument> {
  readonly verbs: Readonly<Record<string, VerbHandler>>;
  readonly #context: ServiceContext;
  readonly #meters: EdgeMetrics;
  readonly #refusedOnce = new OncePerKey(1000);
  #running: Running | undefined;
  #documents = 0;
  #draining = false;

  constructor(context: ServiceContext) {
    this.#context = context;
    this.#meters = edgeMetrics(context.metrics);
    this.verbs = conferencingVerbs(() => this.#running?.edge, this.#meters);
    context.metrics.observe(
      'sallyport_webconf_participants_open',
      'Participants that are in by this edge.',
      () => this.#running?.edge.participants.size ?? 0,
    );
    context.metrics.observe(
      'sallyport_webconf_links_open',
      'Links with web conferencing services that are open.',
      () => this.#running?.edge.links.size ?? 0,
    );
  }

  async provision(document: EdgeDocument): Promise<Result<Provision>> {
    if (!document.policy.features.webConferencing) {
      return ok({ commit: () => this.#leave(), abandon: async () => {} });
    }
    const prepared = prepare(document, this.#context.clock.wall());
    if (!prepared.ok) return prepared;
    return ok({ commit: async () => this.#commit(prepared.value), abandon: async () => {} });
  }

  health(): Health {
    if (this.#documents === 0) return { ok: false, detail: 'no document yet' };
    if (this.#running === undefined) return { ok: true, detail: 'web conferencing is off' };
    const { participants, links, prepared } = this.#running.edge;
    const state = this.#draining ? 'draining, ' : '';
    const services = links.size === 0 ? 'no service connected' : `${links.size} services connected`;
    const site = prepared.door.site === undefined ? ', meeting client not built' : '';
    return { ok: true, detail: `${state}${participants.size} participants, ${services}${site}` };
  }
  drain(): void {
    this.#draining = true;
    this.#running?.outside.drain();
    this.#running?.edge.drain();
  }
  undrain(): void {
    this.#draining = false;
    this.#running?.outside.undrain();
    this.#running?.edge.undrain();
  }
  /** Participants that have not gone to another edge yet. */
  remaining(): number {
    return this.#running?.edge.participants.size ?? 0;
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
    if (running === undefined) {
      this.#running = this.#start(prepared);
    } else {
      running.outside.update({ credentials: prepared.external, limits: outsideLimits(prepared) });
      running.inside.update({ credentials: prepared.internal, trust: prepared.internalTrust });
      running.edge.adopt(prepared);
    }
    this.#listen();
  }
  async #leave(): Promise<void> {
    this.#documents += 1;
    const running = this.#running;
    this.#running = undefined;
    if (running === undefined) return;
    running.edge.close();
    await Promise.all([running.outside.close(), running.inside.close()]);
  }

  #start(prepared: Prepared): Running {
    const { clock, log, metrics, events } = this.#context;
    const edge = new ConferencingEdge({ clock, metrics, events, meters: this.#meters }, prepared);
    const shared = { handshakeMs: HANDSHAKE_MS, clock, log, metrics, events };
    const outside = new TlsAcceptor({
      ...shared,
      credentials: prepared.external,
      clientCertificate: 'none',
      alpn: DOOR_ALPN,
      limits: outsideLimits(prepared),
      accept: edge.door.accept,
    });
    const inside = new TlsAcceptor({
      ...shared,
      credentials: prepared.internal,
      trust: prepared.internalTrust,
      clientCertificate: 'required',
      alpn: [PSOM_LINK_ALPN],
      limits: LINK_LIMITS,
      accept: (connection) => this.#handleLink(connection),
    });
    if (this.#draining) {
      outside.drain();
      edge.drain();
    }
    return { edge, outside, inside };
  }

  #listen(): void {
    const running = this.#running;
    if (running === undefined) return;
    for (const { id, interface: side } of this.#context.sockets.plan()) {
      const take = side === 'external' ? running.outside.handle : running.inside.handle;
      this.#context.sockets.tcp(id, (socket: Socket) => take(socket));
    }
  }

  #handleLink(connection: Connection): void {
    if (this.#running?.edge.links.accept(connection) === true) return;
    const subject = connection.tls?.peer?.subject ?? 'unknown';
    const { address } = connection.remote;
    if (!this.#refusedOnce.first(subject)) return;
    this.#context.log.warn('peer is no web conferencing service', { code: 'SLP-WEB-0001', subject, address });
  }
}

/** A participant has one connection for PSOM, and its page a few for files. */
function outsideLimits({ document }: Prepared): TlsLimits {
  const { participants, participantsPerSource, bytesWaiting } = document.policy.webConferencing.limits;
  return {
    connections: participants * 4 + HANDSHAKES,
    handshakes: HANDSHAKES,
    perSource: participantsPerSource * 4 + 16,
    outboundBytes: bytesWaiting,
  };
}
