import type { IncomingMessage } from 'node:http';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Cancel, Clock } from '#kernel';
import type { CloseReason, Connection } from '#platform/net';
import { ConnectionStream } from './connection-stream.ts';
import {
  checkUpgrade,
  type RequestHead,
  readHead,
  refusalAnswer,
  type UpgradePolicy,
  type UpgradeRefusal,
} from './upgrade.ts';
import { WebSocketConnection } from './web-socket-connection.ts';

export interface WebSocketAcceptorOptions extends UpgradePolicy {
  /** False answers every request with 404. */
  readonly enabled: boolean;
  /** Octets of one message; more closes the WebSocket with 1009. */
  readonly messageBytes: number;
  /** Octets of the HTTP head. */
  readonly headBytes: number;
  /** Milliseconds until the head must be complete. */
  readonly headMs: number;
  /** Only binary messages are sent and taken: what is spoken is no text, though some of it may look like it. */
  readonly binary?: boolean;
  /** How often an open WebSocket is pinged, in milliseconds: pages cannot, and a proxy between forgets what is silent. */
  readonly pingMs: number;
}

export interface WebSocketUser {
  /** A WebSocket is open: assign onData and onClose. */
  readonly accept: (connection: Connection) => void;
  readonly refused: (reason: UpgradeRefusal, connection: Connection, origin?: string) => void;
}

/** Frames that one message may come in; a message in one-octet pieces is an attack on memory. */
const MOST_FRAGMENTS = 64;
const MOST_CHUNKS = 1024;

/** Answers the HTTP request that a connection begins with: a WebSocket, or a small refusal and the end. */
export class WebSocketAcceptor {
  readonly #clock: Clock;
  readonly #user: WebSocketUser;
  readonly #open = new Set<WebSocketConnection>();
  #options: WebSocketAcceptorOptions;
  #server: WebSocketServer;
  #pinging: Cancel | undefined;

  constructor(clock: Clock, user: WebSocketUser, options: WebSocketAcceptorOptions) {
    this.#clock = clock;
    this.#user = user;
    this.#options = options;
    this.#server = serverOf(options);
  }

  /** Open WebSockets keep the limits that they began with. */
  update(options: WebSocketAcceptorOptions): void {
    this.#options = options;
    this.#server = serverOf(options);
  }

  /** Takes a connection over that speaks HTTP; `first` is what was read of it already. */
  handle(connection: Connection, first: Buffer): void {
    let bytes: Buffer = Buffer.alloc(0);
    let over = false;
    const finish = (reason: UpgradeRefusal | undefined, origin?: string) => {
      if (over) return;
      over = true;
      late();
      if (reason !== undefined) this.#refuse(connection, reason, origin);
    };
    const late = this.#clock.after(this.#options.headMs, () => finish('head-late'));
    connection.onClose = () => finish('gone');
    connection.onData = (chunk) => {
      if (over) return;
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
      const head = readHead(bytes, this.#options.headBytes);
      if (!head.ok) return finish(head.error);
      if (head.value === undefined) return undefined;
      const refusal = this.#options.enabled ? checkUpgrade(head.value, this.#options) : 'off';
      finish(refusal, head.value.headers.origin);
      if (refusal === undefined) this.#upgrade(connection, head.value);
      return undefined;
    };
    connection.onData(first);
  }

  close(): void {
    this.#pinging?.();
    this.#pinging = undefined;
    for (const socket of [...this.#open]) socket.destroy('shutdown');
  }

  #refuse(connection: Connection, reason: UpgradeRefusal, origin?: string): void {
    this.#user.refused(reason, connection, origin);
    connection.onData = ignore;
    connection.onClose = ignore;
    if (reason !== 'gone') connection.write(refusalAnswer(reason, this.#options.protocol));
    connection.end();
  }

  #upgrade(connection: Connection, { method, target, headers, rest }: RequestHead): void {
    let webSocket: WebSocketConnection | undefined;
    const stream = new ConnectionStream(connection, (reason: CloseReason) => {
      if (webSocket === undefined) return;
      this.#open.delete(webSocket);
      webSocket.handleClosed(reason);
    });
    // The library looks at these three only.
    const request = { method, url: target, headers } as unknown as IncomingMessage;
    this.#server.handleUpgrade(request, stream, rest, (socket: WebSocket) => {
      webSocket = new WebSocketConnection(connection, socket, stream, this.#options.binary === true);
      this.#open.add(webSocket);
      this.#planPings();
      this.#user.accept(webSocket);
    });
  }

  #planPings(): void {
    this.#pinging ??= this.#clock.after(this.#options.pingMs, () => {
      this.#pinging = undefined;
      for (const socket of this.#open) socket.ping();
      if (this.#open.size > 0) this.#planPings();
    });
  }
}

function serverOf({ protocol, messageBytes }: WebSocketAcceptorOptions): WebSocketServer {
  return new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: messageBytes,
    maxFragments: MOST_FRAGMENTS,
    maxBufferedChunks: MOST_CHUNKS,
    handleProtocols: () => protocol,
  });
}

function ignore(): void {}
