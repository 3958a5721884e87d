import { WebSocket } from 'ws';
import type { Clock } from '#kernel';
import { type Connection, dialTls } from '#platform/net';
import type { TrustAnchors } from '#platform/pki';
import { Metrics } from '#platform/telemetry';
import type { Place } from '#protocols/conference';
import type { Channel, ChannelUser, SessionTransport } from '#protocols/meeting-session';

/** Where signalling is: `name` is what the server's certificate must hold. */
export interface SignallingServer {
  readonly address: string;
  readonly port: number;
  readonly name: string;
}

export interface NodeTransportOptions {
  readonly clock: Clock;
  readonly server: SignallingServer;
  readonly localAddress: string;
  readonly trust: TrustAnchors;
  /** PEM of the same authority, for WebSockets. */
  readonly authority: string;
  /** Addresses of host names, in place of a name service. */
  readonly hosts: ReadonlyMap<string, string>;
  /** How the conferencing data goes: TLS with the ALPN of PSOM, or a WebSocket as a browser's. */
  readonly by: 'tls' | 'webSocket';
}

const HANDSHAKE_MS = 10_000;
const PSOM_ALPN = 'sallyport-psom/1';
const HTTP_ALPN = 'http/1.1';
const PSOM_SUBPROTOCOL = 'sallyport-psom.1';

/** Channels of Node: SIP over TLS, PSOM over TLS or a WebSocket. */
export class NodeTransport implements SessionTransport {
  readonly signalling = 'TLS';
  readonly #options: NodeTransportOptions;

  constructor(options: NodeTransportOptions) {
    this.#options = options;
  }
  openSignalling(user: ChannelUser): Channel {
    return this.#dial(this.#options.server, undefined, user);
  }
  openPlace(place: Place, user: ChannelUser): Channel {
    if (this.#options.by === 'webSocket') return this.#openWebSocket(place, user);
    const { host, port } = place;
    return this.#dial({ address: this.#addressOf(host), port, name: host }, PSOM_ALPN, user);
  }
  /** TLS to a place, for HTTP. */
  async connect({ host, port }: Place): Promise<Connection | undefined> {
    const dialled = await this.#tls({ address: this.#addressOf(host), port, name: host }, HTTP_ALPN);
    return dialled.ok ? dialled.value : undefined;
  }

  #addressOf(host: string): string {
    return this.#options.hosts.get(host) ?? host;
  }
  #tls({ address, port, name }: SignallingServer, alpn: string | undefined, signal?: AbortSignal) {
    const { localAddress, trust, clock } = this.#options;
    return dialTls({
      ...{ remote: { address, port }, localAddress, servername: name, trust, expectNames: [name] },
      ...{ handshakeMs: HANDSHAKE_MS, clock, metrics: new Metrics() },
      ...(alpn === undefined ? {} : { alpn: [alpn] }),
      ...(signal === undefined ? {} : { signal }),
    });
  }
  #dial(server: SignallingServer, alpn: string | undefined, user: ChannelUser): Channel {
    const abort = new AbortController();
    let connection: Connection | undefined;
    void this.#tls(server, alpn, abort.signal).then((dialled) => {
      if (!dialled.ok) return user.onClose();
      connection = dialled.value;
      connection.onData = (chunk) => user.onData(chunk);
      connection.onClose = () => user.onClose();
      user.onOpen();
    });
    return {
      send: (bytes) => connection?.write(bytes),
      close: () => {
        abort.abort();
        connection?.end();
      },
    };
  }
  #openWebSocket({ webSocket }: Place, user: ChannelUser): Channel {
    const { localAddress, authority, hosts } = this.#options;
    const socket = new WebSocket(webSocket, PSOM_SUBPROTOCOL, {
      ...{
        ca: authority,
        ALPNProtocols: [HTTP_ALPN],
        localAddress,
        perMessageDeflate: false,
        handshakeTimeout: HANDSHAKE_MS,
      },
      origin: new URL(webSocket).origin.replace('wss:', 'https:'),
      lookup: (host, { all }, found) => {
        const address = hosts.get(host) ?? host;
        const family = address.includes(':') ? 6 : 4;
        if (all === true) found(null, [{ address, family }]);
        else found(null, address, family);
      },
    });
    socket.binaryType = 'nodebuffer';
    // What went wrong is told by the close that follows.
    socket.on('error', () => undefined);
    socket.on('open', () => user.onOpen());
    socket.on('message', (data) => user.onData(data as Buffer));
    socket.on('close', () => user.onClose());
    return { send: (bytes) => socket.send(bytes), close: () => socket.close() };
  }
}
