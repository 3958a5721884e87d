import { isUtf8 } from 'node:buffer';
import type { WebSocket } from 'ws';
import type { CloseReason, Connection } from '#platform/net';
import type { ConnectionStream } from './connection-stream.ts';

/** RFC 6455 §7.4.1: what the peer is told when we close. */
const CODES: Readonly<Record<CloseReason, number>> = {
  local: 1000,
  shutdown: 1001,
  idle: 1001,
  timeout: 1001,
  protocol: 1002,
  limit: 1008,
  policy: 1008,
  'peer-closed': 1000,
  reset: 1011,
  'tls-error': 1011,
  'slow-reader': 1011,
};

/**
 * A WebSocket as a Connection of messages: each chunk received is one message, and each write is sent as one. Text
 * where it is text, since pages read that more easily, unless the subprotocol is binary.
 */
export class WebSocketConnection implements Connection {
  readonly messages = true;
  onData: (chunk: Buffer) => void = ignore;
  onDrain: () => void = ignore;
  readonly #under: Connection;
  readonly #socket: WebSocket;
  readonly #stream: ConnectionStream;
  #onClose: ((reason: CloseReason) => void) | undefined;
  #finished: CloseReason | undefined;
  #leaving: CloseReason | undefined;

  readonly #binary: boolean;

  constructor(under: Connection, socket: WebSocket, stream: ConnectionStream, binary: boolean) {
    this.#binary = binary;
    this.#under = under;
    this.#socket = socket;
    this.#stream = stream;
    socket.binaryType = 'nodebuffer';
    socket.on('message', (data, isBinary) => {
      if (this.#leaving !== undefined) return;
      // One buffer, by the binary type above.
      if (isBinary || !binary) this.onData(data as Buffer);
      else this.#leave('protocol');
    });
    // The library has told the peer the code already (1002, 1007, 1009), and closes.
    socket.on('error', () => {
      this.#leaving ??= 'protocol';
      stream.closing = 'protocol';
    });
  }

  get id() {
    return this.#under.id;
  }
  get remote() {
    return this.#under.remote;
  }
  get local() {
    return this.#under.local;
  }
  get opened() {
    return this.#under.opened;
  }
  get tls() {
    return this.#under.tls;
  }
  get lastReceived() {
    return this.#under.lastReceived;
  }
  get bytesReceived() {
    return this.#under.bytesReceived;
  }
  get bytesSent() {
    return this.#under.bytesSent;
  }
  get queued() {
    return this.#under.queued;
  }
  get closed() {
    return this.#leaving !== undefined || this.#under.closed;
  }
  get idleMs() {
    return this.#under.idleMs;
  }
  set idleMs(milliseconds: number) {
    this.#under.idleMs = milliseconds;
  }
  get onClose(): (reason: CloseReason) => void {
    return this.#onClose ?? ignore;
  }
  set onClose(told: (reason: CloseReason) => void) {
    const first = this.#onClose === undefined;
    this.#onClose = told;
    const finished = this.#finished;
    if (finished !== undefined && first) queueMicrotask(() => told(finished));
  }

  write(bytes: Uint8Array): boolean {
    if (this.closed || bytes.length === 0) return !this.closed;
    this.#socket.send(bytes, { binary: this.#binary || !isUtf8(bytes), fin: true });
    return !this.closed;
  }
  /** Nobody hears of a ping but the peer's own library; its pong counts as a sign of life. */
  ping(): void {
    if (!this.closed) this.#socket.ping();
  }
  pause(): void {
    this.#socket.pause();
  }
  resume(): void {
    this.#socket.resume();
  }
  end(reason: CloseReason = 'local'): void {
    this.#leave(reason);
  }
  /** The peer is told why; what the close handshake may take is bounded by the linger time of the connection. */
  destroy(reason: CloseReason): void {
    this.#leave(reason);
  }

  /** Called by the acceptor when the connection below has closed. */
  handleClosed(reason: CloseReason): void {
    // Who closes a WebSocket in order is answered, and then the connection is ended from this side.
    this.#finished = this.#leaving ?? (reason === 'local' ? 'peer-closed' : reason);
    this.#onClose?.(this.#finished);
    this.onData = ignore;
  }

  #leave(reason: CloseReason): void {
    if (this.closed) return;
    this.#leaving = reason;
    this.#stream.closing = reason;
    this.#socket.close(CODES[reason]);
    this.#under.end();
  }
}

function ignore(): void {}
