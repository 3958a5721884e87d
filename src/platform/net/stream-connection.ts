import type { Socket } from 'node:net';
import type { Cancel, Clock, Monotonic } from '#kernel';
import type { Metrics } from '#platform/telemetry';
import { borrowReads } from './borrowed-reads.ts';
import {
  type CloseReason,
  type Connection,
  closeReasons,
  type HalfOpenConnection,
  type TlsFacts,
} from './connection.ts';
import { ConnectionSweep } from './connection-sweep.ts';
import type { Endpoint } from './endpoint.ts';

export function connectionMetrics(metrics: Metrics) {
  return {
    opened: metrics.counter('sallyport_connections_opened_total', 'Connections established.', {
      name: 'direction',
      values: ['accepted', 'dialled'],
    }),
    closed: metrics.counter('sallyport_connections_closed_total', 'Established connections that ended.', {
      name: 'reason',
      values: closeReasons,
    }),
    received: metrics.counter(
      'sallyport_connection_received_bytes_total',
      'Bytes received, after decryption.',
    ),
    sent: metrics.counter('sallyport_connection_sent_bytes_total', 'Bytes sent, before encryption.'),
  };
}

/** What all connections of one owner share. */
export interface ConnectionHost {
  readonly clock: Clock;
  readonly outboundBytes: number;
  readonly metrics: ReturnType<typeof connectionMetrics>;
  /** The connection is gone; called before its onClose. */
  readonly finished: (connection: StreamConnection, reason: CloseReason) => void;
}

export interface ConnectionFacts {
  readonly remote: Endpoint;
  readonly local: Endpoint;
  readonly tls: TlsFacts | undefined;
  readonly idleMs: number;
  /** The TCP socket below an accepted TLS socket. */
  readonly raw?: Socket;
}

/** How long end() waits for the peer to take what is queued. */
const LINGER_MS = 5000;

const owner = Symbol('connection');
type OwnedSocket = Socket & { [owner]: StreamConnection };

let lastId = 0;

/** How many connections one process may number before the numbers of the next one begin. */
const NUMBERS = 2 ** 40;

/**
 * From now on connections have numbers that no other process of the service gives.
 * @param index of this process among them, 0..255
 */
export function numberConnections(index: number): void {
  lastId = Math.max(lastId, index * NUMBERS);
}

/** The index of the process that numbered a connection. */
export function processOfConnection(id: number): number {
  return Math.floor(id / NUMBERS);
}

/** Connection over a net.Socket or tls.TLSSocket that is established. No closure and no timer of its own. */
export class StreamConnection implements HalfOpenConnection {
  readonly id = ++lastId;
  readonly remote: Endpoint;
  readonly local: Endpoint;
  readonly tls: TlsFacts | undefined;
  readonly opened: Monotonic;
  lastReceived: Monotonic;
  bytesReceived = 0;
  bytesSent = 0;
  idleMs: number;
  onDrain: () => void = ignore;
  onEnd: (() => void) | undefined = undefined;
  readonly #socket: OwnedSocket;
  readonly #raw: Socket | undefined;
  readonly #host: ConnectionHost;
  #onData: (chunk: Buffer) => void = ignore;
  #onClose: ((reason: CloseReason) => void) | undefined;
  #reason: CloseReason | undefined;
  #reading = false;
  #ended = false;
  #peerEnded = false;
  #finished = false;
  #linger: Cancel | undefined;

  constructor(host: ConnectionHost, socket: Socket, facts: ConnectionFacts) {
    this.remote = facts.remote;
    this.local = facts.local;
    this.tls = facts.tls;
    this.idleMs = facts.idleMs;
    this.opened = host.clock.now();
    this.lastReceived = this.opened;
    this.#host = host;
    this.#raw = facts.raw;
    this.#socket = socket as OwnedSocket;
    this.#socket[owner] = this;
    socket.on('error', handleError);
    socket.on('_tlsError', handleError);
    socket.on('end', handleEnd);
    socket.on('close', handleClose);
    socket.on('drain', handleDrain);
    ConnectionSweep.of(host.clock).add(this);
  }

  get onData(): (chunk: Buffer) => void {
    return this.#onData;
  }
  /** Reading starts with the first assignment. */
  set onData(receive: (chunk: Buffer) => void) {
    this.#onData = receive;
    if (this.#reading) return;
    this.#reading = true;
    this.#socket.on('data', handleData);
  }
  get onClose(): (reason: CloseReason) => void {
    return this.#onClose ?? ignore;
  }
  /** Whoever assigns it after the end is told at once, though not from inside the assignment. */
  set onClose(told: (reason: CloseReason) => void) {
    const first = this.#onClose === undefined;
    this.#onClose = told;
    if (this.#finished && first) queueMicrotask(() => told(this.#reason ?? 'reset'));
  }
  get queued(): number {
    return this.#socket.writableLength;
  }
  get closed(): boolean {
    return this.#reason !== undefined || this.#finished;
  }

  write(bytes: Uint8Array, sent?: () => void): boolean {
    if (this.#ended || this.closed || bytes.length === 0) return !this.closed && !this.#ended;
    this.bytesSent += bytes.length;
    this.#host.metrics.sent.inc(bytes.length);
    const below = this.#socket.write(bytes, sent && whenGood(sent));
    if (this.#socket.writableLength <= this.#host.outboundBytes) return below;
    this.destroy('slow-reader');
    return false;
  }
  borrowChunks(): void {
    if (!this.closed) borrowReads(this.#socket, (chunk) => this.handleData(chunk));
  }
  pause(): void {
    this.#socket.pause();
  }
  resume(): void {
    if (this.#reading) this.#socket.resume();
  }
  finish(): void {
    if (this.#ended || this.closed) return;
    this.#ended = true;
    this.#socket.end();
  }
  end(): void {
    if (this.closed || this.#linger !== undefined) return;
    if (!this.#ended) this.#socket.end();
    this.#ended = true;
    this.#linger = this.#host.clock.after(LINGER_MS, () => this.destroy('timeout'));
  }
  destroy(reason: CloseReason): void {
    if (this.closed) return;
    this.#reason = reason;
    // After a reset the system forgets what the peer never read, too; a close would keep it for minutes. The TLS
    // socket follows the raw one; destroying both would lose the close event.
    if (reason === 'slow-reader' && this.#raw !== undefined) this.#raw.resetAndDestroy();
    else this.#socket.destroy();
  }

  /** For `takeSocket`. */
  give(): Socket {
    if (this.#reading) throw new TypeError('the connection is read already');
    this.#reading = true;
    this.idleMs = 0;
    // The runtime's tls.Server notes the end of a handshake here; on a socket that TlsAcceptor made nobody has.
    (this.#socket as { secureConnecting?: boolean }).secureConnecting = false;
    return this.#socket;
  }

  /** Called by the sweep. */
  checkIdle(now: Monotonic): void {
    if (this.idleMs <= 0 || this.#socket.isPaused()) return;
    if (now - this.lastReceived >= this.idleMs) this.destroy('idle');
  }
  handleData(chunk: Buffer): void {
    if (this.closed) return;
    this.lastReceived = this.#host.clock.now();
    this.bytesReceived += chunk.length;
    this.#host.metrics.received.inc(chunk.length);
    this.#onData(chunk);
  }
  handleEnd(): void {
    if (this.onEnd !== undefined && !this.closed && !this.#peerEnded) {
      this.#peerEnded = true;
      this.onEnd();
      return;
    }
    if (this.#reason === undefined && !this.#ended) {
      this.#ended = true;
      this.#reason = 'peer-closed';
      this.#linger = this.#host.clock.after(LINGER_MS, () => this.#socket.destroy());
    }
    this.#socket.end();
  }
  handleError(problem: NodeJS.ErrnoException): void {
    this.destroy(isTlsProblem(problem) ? 'tls-error' : 'reset');
  }
  handleClose(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#reason ??= this.#peerEnded ? 'peer-closed' : this.#ended ? 'local' : 'reset';
    this.#linger?.();
    ConnectionSweep.of(this.#host.clock).delete(this);
    this.#host.metrics.closed.inc(this.#reason);
    this.#host.finished(this, this.#reason);
    this.#onClose?.(this.#reason);
    this.#onData = ignore;
    this.onDrain = ignore;
    this.onEnd = undefined;
  }
}

/**
 * The socket below a connection of TlsAcceptor or dialTls, for a library that reads and writes it itself and for which
 * ConnectionStream costs too much (HTTP/2 that carries the data of many). From then on the connection only ends it: `destroy`
 * and `onClose` work, the rest is the library's.
 * @throws TypeError when `onData` was assigned before, or the connection is of another kind
 */
export function takeSocket(connection: Connection): Socket {
  if (connection instanceof StreamConnection) return connection.give();
  throw new TypeError('the connection has no socket of its own');
}

/** OpenSSL's complaints have codes of their own; everything else comes from the transport. */
function isTlsProblem(problem: NodeJS.ErrnoException): boolean {
  return problem.code?.startsWith('ERR_SSL') === true || problem.code?.startsWith('ERR_TLS') === true;
}

/** A write that failed may still be under way somewhere. */
export function whenGood(sent: () => void): (problem?: Error | null) => void {
  return (problem) => {
    if (problem === undefined || problem === null) sent();
  };
}

function ignore(): void {}

// One set of listeners for all connections; `this` is the socket.
function handleData(this: OwnedSocket, chunk: Buffer): void {
  this[owner].handleData(chunk);
}
function handleEnd(this: OwnedSocket): void {
  this[owner].handleEnd();
}
function handleError(this: OwnedSocket, problem: NodeJS.ErrnoException): void {
  this[owner].handleError(problem);
}
function handleClose(this: OwnedSocket): void {
  this[owner].handleClose();
}
function handleDrain(this: OwnedSocket): void {
  this[owner].onDrain();
}
