import type { Server, Socket } from 'node:net';
import type { SecureContext, TLSSocket, TLSSocketOptions } from 'node:tls';
import type { Cancel, Clock } from '#kernel';
import type { Purpose, VerifiedPeer } from '#platform/pki';
import type { EventStream, Log, Metrics } from '#platform/telemetry';
import type { CloseReason, Connection, HalfOpenConnection, TlsFacts } from './connection.ts';
import { type Endpoint, localEndpoint, remoteEndpoint, sourceKey } from './endpoint.ts';
import { type FirstBytes, tlsOnly } from './first-bytes.ts';
import { Handshake } from './handshake.ts';
import { verifyPeer } from './peer-certificate.ts';
import { RefusalLog, type RefusalReason, refusalMetrics } from './refusal.ts';
import { ServerContexts, type TlsIdentity } from './secure-contexts.ts';
import { type ConnectionHost, connectionMetrics, StreamConnection } from './stream-connection.ts';
import { TlsEvents } from './tls-events.ts';

export type ClientCertificate = 'none' | 'optional' | 'required';

export interface TlsLimits {
  /** Open connections, handshaking ones included. */
  readonly connections: number;
  /** Sockets between accept and the end of the handshake. */
  readonly handshakes: number;
  /** Connections of one source: an IPv4 address or an IPv6 /64. */
  readonly perSource: number;
  /** Bytes queued towards a peer that does not read; beyond it the connection is destroyed. */
  readonly outboundBytes: number;
}

export interface TlsAcceptorOptions extends TlsIdentity {
  /** 'optional': none is fine, but one that does not verify is refused. */
  readonly clientCertificate: ClientCertificate;
  /** Default 'internal-peer'. */
  readonly purpose?: Purpose;
  /** ALPN ids accepted (default: none); who offers only others is refused, who offers none is welcome. */
  readonly alpn?: readonly string[];
  /** Milliseconds from accept to the end of the handshake. */
  readonly handshakeMs: number;
  /** Starting value of Connection.idleMs; 0 (default) = never. */
  readonly idleMs?: number;
  readonly limits: TlsLimits;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Who was let in and who was not; nothing is told when left out. */
  readonly events?: EventStream | undefined;
  /**
   * What the first bytes of a connection begin, where something else than TLS is spoken too. Called with all that
   * has arrived; within the handshake's deadline it has to know.
   */
  readonly firstBytes?: (first: Buffer) => FirstBytes;
  /** What the same listener has in other processes, which counts for `perSource` too. */
  readonly elsewhere?: SourcesElsewhere | undefined;
  /** Asked before the handshake with what `sourceKey` makes of the remote address; false refuses. */
  readonly admits?: (source: string) => boolean;
  /**
   * Called for each established connection; assign onData and onClose in it. `opening` is the name that
   * `firstBytes` gave to one that is not TLS.
   */
  readonly accept: (connection: HalfOpenConnection, opening?: string) => void;
}

/** How many connections sources have at listeners that count as one, in other processes; `sourceKey` names a source. */
export interface SourcesElsewhere {
  countOf(source: string): number;
  /** The source has so many here now, for the others to know. */
  tell(source: string, count: number): void;
}

/** What can change while connections are open; what is left out stays, but for the identity. */
export interface TlsChange extends TlsIdentity {
  /** A lower limit closes nobody: it is refused to newcomers until enough have left. */
  readonly limits?: TlsLimits;
  readonly handshakeMs?: number;
  readonly alpn?: readonly string[];
}

const LIMITS_REACHED = [
  'too-many-connections',
  'too-many-handshakes',
  'too-many-from-source',
  'made-room',
] as const satisfies readonly RefusalReason[];

/** Closes that an operator may want to look into. */
const NOTABLE: ReadonlySet<CloseReason> = new Set(['tls-error', 'slow-reader']);

/**
 * Turns accepted sockets into TLS connections whose peer, if it has a certificate, was verified by our own code;
 * where `firstBytes` says so, into plain ones too.
 * It makes the TLS sockets itself: the runtime's tls.Server reads, and thereby loses, the client's intermediates.
 */
export class TlsAcceptor {
  readonly #options: TlsAcceptorOptions;
  #host: { -readonly [key in keyof ConnectionHost]: ConnectionHost[key] };
  readonly #refused: ReturnType<typeof refusalMetrics>;
  /** This acceptor's own part of them. */
  readonly #refusedBy = new Map<RefusalReason, number>();
  readonly #refusalLog: RefusalLog;
  readonly #events: TlsEvents;
  /** In the order in which they began, which is the order in which they are due. */
  readonly #handshakes = new Set<Handshake>();
  readonly #connections = new Set<StreamConnection>();
  readonly #perSource = new Map<string, number>();
  readonly #servers = new Set<Server>();
  #limits: TlsLimits;
  #alpn: readonly string[];
  #handshakeMs: number;
  #contexts: ServerContexts;
  #tlsOptions: TLSSocketOptions;
  #armed: Cancel | undefined;
  #draining = false;
  #emptied: (() => void)[] = [];

  /** @throws when the TLS library refuses the credentials, or anchors are missing for client certificates */
  constructor(options: TlsAcceptorOptions) {
    this.#options = options;
    this.#limits = options.limits;
    this.#alpn = options.alpn ?? [];
    this.#handshakeMs = options.handshakeMs;
    this.#contexts = this.#makeContexts(options);
    this.#tlsOptions = this.#makeTlsOptions(this.#contexts);
    this.#refused = refusalMetrics(options.metrics);
    this.#refusalLog = new RefusalLog(options.log, options.clock);
    this.#events = new TlsEvents(options.events, 'tls-acceptor');
    this.#host = {
      clock: options.clock,
      outboundBytes: options.limits.outboundBytes,
      metrics: connectionMetrics(options.metrics),
      finished: (connection, reason) => this.#handleFinished(connection, reason),
    };
  }

  /** Open connections, handshaking ones included. */
  get open(): number {
    return this.#connections.size + this.#handshakes.size;
  }
  /** Sockets refused since the start because a limit was reached. */
  get refusedByLimits(): number {
    return LIMITS_REACHED.reduce((sum, reason) => sum + (this.#refusedBy.get(reason) ?? 0), 0);
  }
  /** Sockets in their handshake. */
  get handshaking(): number {
    return this.#handshakes.size;
  }
  get connections(): Iterable<Connection> {
    return this.#connections;
  }

  /** Takes over the connections that the server accepts from now on. */
  attach(server: Server): void {
    this.#servers.add(server);
    server.on('connection', this.handle);
  }

  /** Takes over one accepted socket from which nothing has been read. May be passed on as a function. */
  readonly handle = (raw: Socket): void => {
    const remote = remoteEndpoint(raw);
    const local = localEndpoint(raw);
    raw.on('error', ignore);
    const source = remote === undefined ? '' : sourceKey(remote.address);
    const refusal = this.#refusalBeforeHandshake(source);
    if (remote === undefined || local === undefined || refusal !== undefined) {
      raw.destroy();
      this.#count(refusal ?? 'gone', { local, remote });
      return;
    }
    raw.setNoDelay(true);
    this.#arrive(source);
    const begun = this.#options.clock.now();
    this.#handshakes.add(new Handshake(this.#handshakeHost, raw, { remote, local, source, begun }));
    this.#arm();
  };

  /**
   * Swaps identities, anchors and limits for new handshakes; open connections stay (the outbound limit holds for
   * them at once, and the time limit for handshakes under way). The options of the constructor, changed, will do.
   * @throws when the TLS library refuses the identity; then nothing has changed
   */
  update(change: TlsChange): void {
    const contexts = this.#makeContexts(change);
    this.#alpn = change.alpn ?? this.#alpn;
    this.#tlsOptions = this.#makeTlsOptions(contexts);
    this.#contexts = contexts;
    this.#limits = change.limits ?? this.#limits;
    this.#handshakeMs = change.handshakeMs ?? this.#handshakeMs;
    this.#armed?.();
    this.#armed = undefined;
    this.#arm();
    this.#host.outboundBytes = this.#limits.outboundBytes;
  }

  /** Accepts no more; open connections stay. */
  drain(): void {
    this.#draining = true;
  }
  /** Accepts again. */
  undrain(): void {
    this.#draining = false;
  }

  /** Closes everything; resolves when the last connection is gone. The servers are their owner's to close. */
  async close(reason: CloseReason = 'shutdown'): Promise<void> {
    this.drain();
    for (const server of this.#servers) server.off('connection', this.handle);
    this.#servers.clear();
    for (const handshake of [...this.#handshakes]) handshake.fail('draining');
    for (const connection of [...this.#connections]) connection.destroy(reason);
    if (this.#connections.size === 0) return;
    await new Promise<void>((resolve) => this.#emptied.push(resolve));
  }

  readonly #handshakeHost = {
    tlsOptions: () => this.#tlsOptions,
    judge: (first: Buffer) => (this.#options.firstBytes ?? tlsOnly)(first),
    openedPlain: (handshake: Handshake, opening: string) => {
      this.#handshakes.delete(handshake);
      this.#establish(handshake, handshake.raw, undefined, opening);
    },
    handshakeDone: (handshake: Handshake, socket: TLSSocket) => this.#handleSecure(handshake, socket),
    handshakeFailed: (handshake: Handshake, reason: RefusalReason, detail?: string) => {
      this.#handshakes.delete(handshake);
      this.#leave(handshake.source);
      this.#count(reason, handshake, detail);
    },
  };

  #makeContexts(identity: TlsIdentity): ServerContexts {
    const asks = this.#options.clientCertificate !== 'none';
    if (asks && identity.trust === undefined) throw new TypeError('client certificates need trust anchors');
    return new ServerContexts(identity, asks);
  }

  #makeTlsOptions(contexts: ServerContexts): TLSSocketOptions {
    const accepted = this.#alpn;
    const options: TLSSocketOptions = {
      isServer: true,
      secureContext: contexts.standard,
      requestCert: this.#options.clientCertificate !== 'none',
      rejectUnauthorized: false, // verified by #handleSecure; the library would only tell its last complaint
      ALPNCallback: ({ protocols }) => accepted.find((id) => protocols.includes(id)),
    };
    if (!contexts.hasNames) return options;
    return {
      ...options,
      SNICallback: (servername: string, done: (problem: Error | null, context?: SecureContext) => void) =>
        done(null, contexts.select(servername)),
    };
  }

  #refusalBeforeHandshake(source: string): RefusalReason | undefined {
    const { connections, handshakes, perSource } = this.#limits;
    if (this.#draining) return 'draining';
    if (this.#options.admits?.(source) === false) return 'source-refused';
    if (this.open >= connections) return 'too-many-connections';
    const elsewhere = this.#options.elsewhere?.countOf(source) ?? 0;
    if ((this.#perSource.get(source) ?? 0) + elsewhere >= perSource) return 'too-many-from-source';
    if (this.#handshakes.size >= handshakes && !this.#makeRoom(source)) return 'too-many-handshakes';
    return undefined;
  }

  /**
   * When every place for a handshake is taken, the source that holds most of them gives its oldest one to a source
   * that holds fewer: nobody can keep others out by opening sockets and saying nothing.
   */
  #makeRoom(source: string): boolean {
    const held = new Map<string, Handshake[]>();
    for (const handshake of this.#handshakes) {
      const others = held.get(handshake.source);
      if (others === undefined) held.set(handshake.source, [handshake]);
      else others.push(handshake);
    }
    let busiest: readonly Handshake[] = [];
    for (const handshakes of held.values()) if (handshakes.length > busiest.length) busiest = handshakes;
    if (busiest.length <= (held.get(source)?.length ?? 0) + 1) return false;
    busiest[0]?.fail('made-room');
    return true;
  }

  #handleSecure(handshake: Handshake, socket: TLSSocket): void {
    this.#handshakes.delete(handshake);
    const peer = this.#verify(socket);
    if (!peer.ok) {
      socket.destroy();
      this.#leave(handshake.source);
      this.#count(peer.reason, handshake, peer.detail);
      return;
    }
    this.#establish(handshake, socket, tlsFacts(socket, peer.value));
  }

  #establish(handshake: Handshake, socket: Socket, tls: TlsFacts | undefined, opening?: string): void {
    if (this.#isOneTooMany(handshake.source)) {
      socket.destroy();
      this.#leave(handshake.source);
      this.#count('too-many-from-source', handshake);
      return;
    }
    const connection = new StreamConnection(this.#host, socket, {
      remote: handshake.remote,
      local: handshake.local,
      tls,
      idleMs: this.#options.idleMs ?? 0,
      raw: handshake.raw,
    });
    this.#connections.add(connection);
    this.#host.metrics.opened.inc('accepted');
    this.#events.established(connection);
    this.#options.accept(connection, opening);
  }

  /**
   * What begins within one moment in several processes, none of them knows of the others'. By the end of the handshake
   * they have told one another, so that nobody has the limit once for each process.
   */
  #isOneTooMany(source: string): boolean {
    const elsewhere = this.#options.elsewhere?.countOf(source) ?? 0;
    return elsewhere > 0 && (this.#perSource.get(source) ?? 0) + elsewhere > this.#limits.perSource;
  }

  #verify(
    socket: TLSSocket,
  ): { ok: true; value: VerifiedPeer | undefined } | { ok: false; reason: RefusalReason; detail?: string } {
    const { clientCertificate, purpose = 'internal-peer', clock } = this.#options;
    const { trust } = this.#contexts;
    if (clientCertificate === 'none' || trust === undefined) return { ok: true, value: undefined };
    const peer = verifyPeer(socket, trust, purpose, clock.wall());
    if (!peer.ok) {
      const detail = `${peer.error.problems.join(', ')} (${peer.error.subject})`;
      return { ok: false, reason: 'bad-certificate', detail };
    }
    if (peer.value === undefined && clientCertificate === 'required')
      return { ok: false, reason: 'no-certificate' };
    return peer;
  }

  #handleFinished(connection: StreamConnection, reason: CloseReason): void {
    this.#connections.delete(connection);
    this.#leave(sourceKey(connection.remote.address));
    if (NOTABLE.has(reason)) this.#refusalLog.write('connection closed', reason, connection.remote);
    if (this.#connections.size > 0) return;
    const waiting = this.#emptied;
    this.#emptied = [];
    for (const resolve of waiting) resolve();
  }

  #arrive(source: string): void {
    const count = (this.#perSource.get(source) ?? 0) + 1;
    this.#perSource.set(source, count);
    this.#options.elsewhere?.tell(source, count);
  }
  #leave(source: string): void {
    const left = (this.#perSource.get(source) ?? 0) - 1;
    if (left > 0) this.#perSource.set(source, left);
    else this.#perSource.delete(source);
    this.#options.elsewhere?.tell(source, Math.max(0, left));
  }

  #count(
    reason: RefusalReason,
    { local, remote }: { readonly local: Endpoint | undefined; readonly remote: Endpoint | undefined },
    detail?: string,
  ): void {
    this.#refused.inc(reason);
    this.#refusedBy.set(reason, (this.#refusedBy.get(reason) ?? 0) + 1);
    if (remote !== undefined) this.#events.refused(reason, local, remote, detail);
    if (reason !== 'gone') this.#refusalLog.write('connection refused', reason, remote, detail);
  }

  /** One timer for all handshakes: they have one duration, so the first in the set is due first. */
  #arm(): void {
    if (this.#armed !== undefined) return;
    const [oldest] = this.#handshakes;
    if (oldest === undefined) return;
    const { clock } = this.#options;
    this.#armed = clock.after(this.#timeLeft(oldest), () => {
      this.#armed = undefined;
      for (const handshake of this.#handshakes) {
        if (this.#timeLeft(handshake) > 0) break;
        handshake.expire();
      }
      this.#arm();
    });
  }
  #timeLeft({ begun }: Handshake): number {
    return begun + this.#handshakeMs - this.#options.clock.now();
  }
}

function tlsFacts(socket: TLSSocket, peer: VerifiedPeer | undefined): TlsFacts {
  const alpn = socket.alpnProtocol;
  const servername = (socket as { servername?: string | false | null }).servername;
  return {
    protocol: socket.getProtocol() ?? 'unknown',
    ...(alpn ? { alpn } : {}),
    ...(servername ? { servername: servername.toLowerCase() } : {}),
    ...(peer === undefined ? {} : { peer }),
  };
}

function ignore(): void {}
