import { type Connection, sourceKey } from '#platform/net';
import type { ServiceContext } from '#platform/service';
import { FrontDoor } from '#platform/sip-door';
import type { SipEndpoint } from '#platform/sip-endpoint';
import { OncePerKey } from '#platform/telemetry';
import type { InternalDocument } from '#platform/topology';
import { type UpgradeRefusal, WebSocketAcceptor, type WebSocketAcceptorOptions } from '#platform/web-socket';
import type { FrontEndMetrics } from './front-end-metrics.ts';
import { newClientParty } from './parties.ts';

type Settings = InternalDocument['frontEnd'];

/** Unanswered requests of one client; far above what a person has, far below what the table of all holds. */
const OPEN_REQUESTS = 1000;
/** Pages cannot ping, and a proxy between forgets what is silent. */
const PING_MS = 30_000;
const LONGEST_ORIGIN = 200;
const REFUSED_LOGGED = 64;

/** Connections of the internal network without a certificate: clients, which speak SIP as a stream or over WebSocket. */
export class ClientDoor {
  readonly #context: ServiceContext;
  readonly #metrics: FrontEndMetrics;
  readonly #endpoint: SipEndpoint;
  readonly #webSockets: WebSocketAcceptor;
  readonly #door: FrontDoor;
  readonly #refused = new OncePerKey(REFUSED_LOGGED);
  #settings: Settings;

  constructor(context: ServiceContext, metrics: FrontEndMetrics, endpoint: SipEndpoint, settings: Settings) {
    this.#context = context;
    this.#metrics = metrics;
    this.#endpoint = endpoint;
    this.#settings = settings;
    const sip = (connection: Connection) => this.#add(connection);
    const user = { accept: sip, refused: this.#refuseHttp.bind(this) };
    this.#webSockets = new WebSocketAcceptor(context.clock, user, webSocketOptions(settings));
    this.#door = new FrontDoor(context.clock, this.#webSockets, {
      sip,
      silent: () => metrics.webSocketRefusals.inc('silent'),
    });
  }

  configure(settings: Settings): void {
    this.#settings = settings;
    this.#webSockets.update(webSocketOptions(settings));
  }

  /** On the port of SIP. */
  accept(connection: Connection): void {
    this.#add(connection);
  }
  /** On the port of pages. */
  acceptPage(connection: Connection): void {
    this.#door.accept(connection, this.#settings.limits.messageSeconds);
  }
  close(): void {
    this.#door.close();
  }

  #add(connection: Connection): void {
    const data = newClientParty(this.#context.random);
    const party = sourceKey(connection.remote.address);
    this.#endpoint.addFlow(connection, { data, party, openRequests: OPEN_REQUESTS });
  }

  #refuseHttp(reason: UpgradeRefusal, { remote }: Connection, origin: string | undefined): void {
    this.#metrics.webSocketRefusals.inc(reason === 'origin' ? 'origin' : 'http');
    if (!this.#refused.first(`${remote.address} ${reason}`)) return;
    const from = origin === undefined ? {} : { origin: origin.slice(0, LONGEST_ORIGIN) };
    this.#context.log.info('no WebSocket', { reason, remote: remote.address, ...from });
  }
}

function webSocketOptions({ webSocket, limits }: Settings): WebSocketAcceptorOptions {
  const allowed = new Set(webSocket.origins);
  return {
    enabled: webSocket.enabled,
    protocol: 'sip',
    allowsOrigin: (origin) => allowed.has(origin),
    messageBytes: limits.messageBytes,
    headBytes: limits.headerLineBytes,
    headMs: limits.handshakeSeconds * 1000,
    pingMs: PING_MS,
  };
}
