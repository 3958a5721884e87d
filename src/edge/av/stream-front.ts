import type { Socket } from 'node:net';
import type { Clock } from '#kernel';
import { type FirstBytes, type HalfOpenConnection, TlsAcceptor } from '#platform/net';
import type { EventStream, Log, Metrics } from '#platform/telemetry';
import type { ListenerPlan } from '#platform/topology';
import { openingOf } from '#protocols/stun';
import type { ClientTransport, Face } from '#protocols/turn';
import { faceOf } from './client-path.ts';
import type { StreamSettings } from './settings.ts';

/** RFC 7443 §3: what a client says over TLS when it means TURN or STUN. Who offers only others is refused. */
const ALPN = ['stun.turn', 'stun.nat-discovery'];

/** What a connection speaks, once its first bytes have said so. Within TLS it is always STUN. */
export type StreamKind = 'stun' | 'pseudo-tls' | 'ms-framing' | 'edge-tunnel';

/** How its bytes are counted: three things that look alike on port 443. */
export const transportOf = (kind: StreamKind, isTls: boolean): ClientTransport =>
  kind === 'pseudo-tls' ? 'pseudo-tls' : isTls ? 'tls' : 'tcp';

/** Takes over a connection; nothing of it has been read. */
export type TakeStream = (connection: HalfOpenConnection, kind: StreamKind, face: Face) => void;

export interface StreamFrontOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly events: EventStream;
  /** What is spoken here; a connection that begins with anything else is closed. */
  readonly kinds: ReadonlySet<StreamKind>;
  readonly take: TakeStream;
  readonly settings: StreamSettings;
}

/** TCP connections of both interfaces: bounded, their first bytes judged under a deadline (port rows ext-15, int-07). */
export class StreamFront {
  readonly #options: StreamFrontOptions;
  readonly #acceptors: Readonly<Record<Face, TlsAcceptor>>;

  constructor(options: StreamFrontOptions) {
    this.#options = options;
    this.#acceptors = { external: this.#acceptor('external'), internal: this.#acceptor('internal') };
  }

  /** Connections open right now, those that have not yet shown what they speak too. */
  get open(): number {
    return this.#acceptors.external.open + this.#acceptors.internal.open;
  }

  /** Takes new certificates and limits into use; open connections stay. */
  reconfigure(settings: StreamSettings): void {
    for (const face of ['external', 'internal'] as const) {
      this.#acceptors[face].update({
        credentials: settings.credentials[face],
        limits: settings.limits,
        handshakeMs: settings.openingMs,
      });
    }
  }

  /** Takes over a socket that a listener of this plan has accepted. */
  handle(plan: ListenerPlan, socket: Socket): void {
    this.#acceptors[faceOf(plan)].handle(socket);
  }

  async close(): Promise<void> {
    await Promise.all([this.#acceptors.external.close(), this.#acceptors.internal.close()]);
  }

  #acceptor(face: Face): TlsAcceptor {
    const { clock, log, metrics, events, settings, take } = this.#options;
    return new TlsAcceptor({
      credentials: settings.credentials[face],
      clientCertificate: 'none',
      alpn: ALPN,
      handshakeMs: settings.openingMs,
      limits: settings.limits,
      clock,
      log,
      metrics,
      events,
      firstBytes: (first) => this.#judge(first, face),
      accept: (connection, opening = 'stun') => take(connection, opening as StreamKind, face),
    });
  }

  #judge(first: Buffer, face: Face): FirstBytes {
    const opening = openingOf(first);
    if (opening === 'more' || opening === 'tls') return opening;
    // Edges of other organisations are outside.
    if (opening === 'edge-tunnel' && face !== 'external') return 'first-bytes';
    const kind = opening === 'channel-data' ? 'stun' : opening;
    return kind !== 'nothing' && this.#options.kinds.has(kind) ? { plain: kind } : 'first-bytes';
  }
}
