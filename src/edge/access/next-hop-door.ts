import type { Connection, TlsAcceptorOptions } from '#platform/net';
import { type CertificateNames, matchName } from '#platform/pki';
import type { ServiceContext } from '#platform/service';
import { OncePerKey } from '#platform/telemetry';
import type { AccessMetrics } from './metrics.ts';
import type { Prepared } from './prepared.ts';

/** IANA's ALPN id of SIP over TLS. */
const ALPN = ['sip/2'];
/** Connections of the next hop that are open at once; far above what a pool needs. */
const NEXT_HOP_CONNECTIONS = 1024;
/**
 * Queued towards a member of the next hop before its connection, which serves all clients, is given up. Requests are
 * refused long before, at the limit of one client, so what comes up to this is what was under way.
 */
export const NEXT_HOP_OUTBOUND_BYTES = 64 * 1024 * 1024;
const REFUSED_PEERS_LOGGED = 64;

/** Port row int-02: who comes shows a certificate of the internal authority with a name of the next hop. */
export class NextHopDoor {
  readonly #context: ServiceContext;
  readonly #metrics: AccessMetrics;
  readonly #accept: (connection: Connection, names: CertificateNames) => void;
  readonly #refused = new OncePerKey(REFUSED_PEERS_LOGGED);
  /** Certificate names that may come in, by the latest document. */
  #expected: readonly string[] = [];

  /** @param accept is told of each connection, with the names of its peer */
  constructor(
    context: ServiceContext,
    metrics: AccessMetrics,
    accept: (connection: Connection, names: CertificateNames) => void,
  ) {
    this.#context = context;
    this.#metrics = metrics;
    this.#accept = accept;
  }

  /** For a new document; who may come in is decided by it from now on. */
  options({ internal, settings, trust }: Prepared): TlsAcceptorOptions {
    this.#expected = settings.nextHopNames;
    const { clock, log, metrics, events } = this.#context;
    const { limits } = settings;
    return {
      credentials: internal,
      clientCertificate: 'required',
      trust,
      alpn: ALPN,
      handshakeMs: limits.handshakeSeconds * 1000,
      limits: {
        connections: NEXT_HOP_CONNECTIONS,
        handshakes: limits.handshakes,
        perSource: NEXT_HOP_CONNECTIONS,
        outboundBytes: NEXT_HOP_OUTBOUND_BYTES,
      },
      clock,
      log,
      metrics,
      events,
      accept: (connection) => this.#judge(connection),
    };
  }

  #judge(connection: Connection): void {
    const peer = connection.tls?.peer;
    if (peer !== undefined && matchName(peer.names, this.#expected) !== undefined) {
      this.#accept(connection, peer.names);
      return;
    }
    const { log, events } = this.#context;
    const names = peer?.names.dns ?? [];
    const remote = connection.remote.address;
    this.#metrics.refusals.inc('wrong-peer-name');
    if (this.#refused.first(peer?.fingerprint ?? remote)) {
      const expected = this.#expected;
      log.warn('internal peer refused', { reason: 'wrong-peer-name', remote, names, expected });
      events.emit({
        provider: 'Access',
        component: 'next-hop',
        level: 'warning',
        kind: 'decision',
        name: 'next-hop-refused',
        flags: ['security'],
        fields: { rule: 'wrong-peer-name', names: names.slice(0, 4).join(' ') },
        keys: { address: [remote] },
      });
    }
    connection.destroy('policy');
  }
}
