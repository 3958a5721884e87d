import type { Socket } from 'node:net';
import { type Connection, Strangers, TlsAcceptor, type TlsLimits } from '#platform/net';
import { DOOR_ALPN } from '#platform/psom-door';
import { PSOM_LINK_ALPN } from '#platform/psom-link';
import {
  type Feature,
  FeatureService,
  type Operation,
  type ServiceContext,
  type ServiceDefinition,
} from '#platform/service';
import type { EdgeDocument, ListenerPlan } from '#platform/topology';
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
  create: (context) => new FeatureService(context, webConferencing(context)),
};

function webConferencing(context: ServiceContext): Feature<EdgeDocument, Prepared, Conferencing> {
  const meters = edgeMetrics(context.metrics);
  const strangers = new Strangers(context.log, 'SLP-WEB-0001', 'peer is no web conferencing service');
  return {
    title: 'web conferencing',
    isOn: ({ policy }) => policy.features.webConferencing,
    prepare,
    start: (prepared) => new Conferencing(context, meters, strangers, prepared),
    verbs: (running) => conferencingVerbs(() => running()?.edge, meters),
    measure(running) {
      context.metrics.observe(
        'sallyport_webconf_participants_open',
        'Participants that are in by this edge.',
        () => running()?.edge.participants.size ?? 0,
      );
      context.metrics.observe(
        'sallyport_webconf_links_open',
        'Links with web conferencing services that are open.',
        () => running()?.edge.links.size ?? 0,
      );
    },
  };
}

/** Participants outside (port row ext-08), for services inside that dial this edge (int-04). */
class Conferencing implements Operation<Prepared> {
  readonly edge: ConferencingEdge;
  readonly #strangers: Strangers;
  readonly #outside: TlsAcceptor;
  readonly #inside: TlsAcceptor;

  constructor(context: ServiceContext, meters: EdgeMetrics, strangers: Strangers, prepared: Prepared) {
    const { clock, log, metrics, events } = context;
    this.#strangers = strangers;
    this.edge = new ConferencingEdge({ clock, metrics, events, meters }, prepared);
    const shared = { handshakeMs: HANDSHAKE_MS, clock, log, metrics, events };
    this.#outside = new TlsAcceptor({
      ...shared,
      credentials: prepared.external,
      clientCertificate: 'none',
      alpn: DOOR_ALPN,
      limits: outsideLimits(prepared),
      accept: this.edge.door.accept,
    });
    this.#inside = new TlsAcceptor({
      ...shared,
      credentials: prepared.internal,
      trust: prepared.internalTrust,
      clientCertificate: 'required',
      alpn: [PSOM_LINK_ALPN],
      limits: LINK_LIMITS,
      accept: (connection) => this.#handleLink(connection),
    });
  }

  adopt(prepared: Prepared): boolean {
    this.#outside.update({ credentials: prepared.external, limits: outsideLimits(prepared) });
    this.#inside.update({ credentials: prepared.internal, trust: prepared.internalTrust });
    this.edge.adopt(prepared);
    return true;
  }
  take(side: ListenerPlan['interface'], socket: Socket): void {
    (side === 'external' ? this.#outside : this.#inside).handle(socket);
  }
  drain(): void {
    this.#outside.drain();
    this.edge.drain();
  }
  undrain(): void {
    this.#outside.undrain();
    this.edge.undrain();
  }
  /** Participants that have not gone to another edge yet. */
  remaining(): number {
    return this.edge.participants.size;
  }
  detail(): string {
    const { participants, links, prepared } = this.edge;
    const services = links.size === 0 ? 'no service connected' : `${links.size} services connected`;
    const site = prepared.door.site === undefined ? ', meeting client not built' : '';
    return `${participants.size} participants, ${services}${site}`;
  }
  async close(): Promise<void> {
    this.edge.close();
    await Promise.all([this.#outside.close(), this.#inside.close()]);
  }

  #handleLink(connection: Connection): void {
    if (!this.edge.links.accept(connection)) this.#strangers.tell(connection);
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
