import {
  type Connection,
  type SourcesElsewhere,
  type TicketKeys,
  TlsAcceptor,
  type TlsAcceptorOptions,
} from '#platform/net';
import type { ServiceContext } from '#platform/service';
import { FrontDoor, HTTP, SIP } from '#platform/sip-door';
import { OncePerKey } from '#platform/telemetry';
import { type UpgradeRefusal, WebSocketAcceptor, type WebSocketAcceptorOptions } from '#platform/web-socket';
import type { GuardDesk } from '../guard/guard-desk.ts';
import type { AccessMetrics } from '../metrics.ts';
import type { Prepared } from '../prepared.ts';

/** A WebSocket is pinged so many times before silence would end it. */
const PINGS_IN_KEEP_ALIVE = 3;
const LONGEST_ORIGIN = 200;
const REFUSED_LOGGED = 256;

/** Who is told of the connections that came. */
export interface ClientListenerUser {
  /** One of a client, which speaks SIP. */
  readonly client: (connection: Connection) => void;
  /** One of a client that said nothing for as long as it may; it is closed. */
  readonly silent: (connection: Connection) => void;
  /** One whose peer showed a certificate that verified, on a port that clients and partners share. */
  readonly partner: (connection: Connection) => void;
  /** What sources have with other workers, at the port of clients alone or at one that is shared with partners. */
  readonly elsewhere: (listener: 'clients' | 'one-address') => SourcesElsewhere | undefined;
}

/**
 * Port row ext-05: TLS, and behind it SIP as a stream or over WebSocket. Where all services have one address, partners come
 * to the same port (port row ext-06): who shows a certificate that verifies is one, who shows none is a client, and who
 * shows another one is nobody.
 */
export class ClientListener {
  readonly #context: ServiceContext;
  readonly #metrics: AccessMetrics;
  readonly #acceptor: TlsAcceptor;
  /** The same for a port that is shared with partners. */
  readonly #shared: TlsAcceptor;
  readonly #user: ClientListenerUser;
  readonly #webSockets: WebSocketAcceptor;
  readonly #door: FrontDoor;
  readonly #refused = new OncePerKey(REFUSED_LOGGED);
  readonly #guard: GuardDesk;
  readonly #tickets: TicketKeys;
  #prepared: Prepared;

  constructor(
    context: ServiceContext,
    metrics: AccessMetrics,
    prepared: Prepared,
    guard: GuardDesk,
    tickets: TicketKeys,
    user: ClientListenerUser,
  ) {
    this.#context = context;
    this.#metrics = metrics;
    this.#prepared = prepared;
    this.#guard = guard;
    this.#tickets = tickets;
    tickets.onChange = () => this.update(this.#prepared);
    this.#user = user;
    const refused = this.#refuseHttp.bind(this);
    const accept = user.client;
    this.#webSockets = new WebSocketAcceptor(context.clock, { accept, refused }, this.#webSocketOptions());
    this.#door = new FrontDoor(context.clock, this.#webSockets, {
      sip: accept,
      silent: user.silent,
    });
    this.#acceptor = new TlsAcceptor(this.#options());
    this.#shared = new TlsAcceptor(this.#sharedOptions());
  }

  get handle(): TlsAcceptor['handle'] {
    return this.#acceptor.handle;
  }
  /** For a port that partners come to as well. */
  get handleShared(): TlsAcceptor['handle'] {
    return this.#shared.handle;
  }
  /** Connections refused since the start because a limit was reached. */
  get refusedByLimits(): number {
    return this.#acceptor.refusedByLimits + this.#shared.refusedByLimits;
  }
  update(prepared: Prepared): void {
    this.#prepared = prepared;
    this.#webSockets.update(this.#webSocketOptions());
    this.#acceptor.update(this.#options());
    this.#shared.update(this.#sharedOptions());
  }
  drain(): void {
    this.#acceptor.drain();
    this.#shared.drain();
  }
  undrain(): void {
    this.#acceptor.undrain();
    this.#shared.undrain();
  }
  async close(): Promise<void> {
    this.#door.close();
    await Promise.all([this.#acceptor.close(), this.#shared.close()]);
  }

  #options(): TlsAcceptorOptions {
    const { external, named, settings } = this.#prepared;
    const { limits, remoteAccess } = settings;
    return {
      credentials: external,
      named,
      ticketKey: this.#tickets.key,
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
      elsewhere: this.#user.elsewhere('clients'),
      admits: this.#guard.admits,
      accept: (connection) => this.#door.accept(connection, this.#prepared.settings.limits.preSignIn.seconds),
    };
  }

  #sharedOptions(): TlsAcceptorOptions {
    const options = this.#options();
    return {
      ...options,
      elsewhere: this.#user.elsewhere('one-address'),
      clientCertificate: 'optional',
      purpose: 'server-identity',
      trust: this.#prepared.partnerTrust,
      accept: (connection) => {
        if (connection.tls?.peer === undefined) options.accept(connection);
        else this.#user.partner(connection);
      },
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
