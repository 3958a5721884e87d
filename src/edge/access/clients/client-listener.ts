import { type Connection, TlsAcceptor, type TlsAcceptorOptions } from '#platform/net';
import type { ServiceContext } from '#platform/service';
import { OncePerKey } from '#platform/telemetry';
import { type UpgradeRefusal, WebSocketAcceptor, type WebSocketAcceptorOptions } from '#platform/web-socket';
import type { GuardDesk } from '../guard/guard-desk.ts';
import type { AccessMetrics } from '../metrics.ts';
import type { Prepared } from '../prepared.ts';
import { FrontDoor, HTTP, SIP } from './front-door.ts';

/** A WebSocket is pinged so many times before silence would end it. */
const PINGS_IN_KEEP_ALIVE = 3;
const LONGEST_ORIGIN = 200;
const REFUSED_LOGGED = 256;

/** Port row ext-05: TLS, and behind it SIP as a stream or over WebSocket. */
export class ClientListener {
  readonly #context: ServiceContext;
  readonly #metrics: AccessMetrics;
  readonly #acceptor: TlsAcceptor;
  readonly #webSockets: WebSocketAcceptor;
  readonly #door: FrontDoor;
  readonly #refused = new OncePerKey(REFUSED_LOGGED);
  readonly #guard: GuardDesk;
  #prepared: Prepared;

  /** @param accept called with each connection that speaks SIP */
  constructor(
    context: ServiceContext,
    metrics: AccessMetrics,
    prepared: Prepared,
    guard: GuardDesk,
    accept: (connection: Connection) => void,
  ) {
    this.#context = context;
    this.#metrics = metrics;
    this.#prepared = prepared;
    this.#guard = guard;
    const refused = this.#refuseHttp.bind(this);
    this.#webSockets = new WebSocketAcceptor(context.clock, { accept, refused }, this.#webSocketOptions());
    this.#door = new FrontDoor(context.clock, this.#webSockets, {
      sip: accept,
      silent: () => metrics.refusals.inc('pre-sign-in-seconds'),
    });
    this.#acceptor = new TlsAcceptor(this.#options());
  }

  get handle(): TlsAcceptor['handle'] {
    return this.#acceptor.handle;
  }
  update(prepared: Prepared): void {
    this.#prepared = prepared;
    this.#webSockets.update(this.#webSocketOptions());
    this.#acceptor.update(this.#options());
  }
  drain(): void {
    this.#acceptor.drain();
  }
  undrain(): void {
    this.#acceptor.undrain();
  }
  async close(): Promise<void> {
    this.#door.close();
    await this.#acceptor.close();
  }

  #options(): TlsAcceptorOptions {
    const { external, named, settings } = this.#prepared;
    const { limits, remoteAccess } = settings;
    return {
      credentials: external,
      named,
      clientCertificate: 'none',
      alpn: remoteAccess.webSocket.enabled ? [SIP, HTTP] : [SIP],
      handshakeMs: limits.handshakeSeconds * 1000,
      limits: {
        connections: limits.connections,
        handshakes: limits.handshakes,
        perSource: limits.connectionsPerSource,
        outboundBytes: limits.outboundBytes,
      },
      clock: this.#context.clock,
      log: this.#context.log,
      metrics: this.#context.metrics,
      events: this.#context.events,
      admits: this.#guard.admits,
      accept: (connection) => this.#door.accept(connection, this.#prepared.settings.limits.preSignIn.seconds),
    };
  }

  #webSocketOptions(): WebSocketAcceptorOptions {
    const { limits, remoteAccess } = this.#prepared.settings;
    const { enabled, origins } = remoteAccess.webSocket;
    const allowed = new Set(origins);
    return {
      enabled,
      protocol: 'sip',
      allowsOrigin: (origin) => allowed.has(origin),
      messageBytes: limits.messageBytes,
      headBytes: limits.headerLineBytes,
      headMs: limits.handshakeSeconds * 1000,
      pingMs: (limits.keepAliveSeconds * 1000) / PINGS_IN_KEEP_ALIVE,
    };
  }

  #refuseHttp(reason: UpgradeRefusal, { remote }: Connection, origin: string | undefined): void {
    this.#metrics.refusals.inc(reason === 'origin' ? 'http-origin' : 'http');
    if (!this.#refused.first(`${remote.address} ${reason}`)) return;
    const from = origin === undefined ? {} : { origin: origin.slice(0, LONGEST_ORIGIN) };
    this.#context.log.info('no WebSocket', { reason, remote: remote.address, ...from });
    this.#context.events.emit({
      provider: 'Access',
      component: 'client-listener',
      level: 'info',
      kind: 'decision',
      name: 'web-socket-refused',
      fields: { rule: reason === 'origin' ? 'http-origin' : 'http', detail: reason, ...from },
      keys: { address: [remote.address] },
    });
  }
}
