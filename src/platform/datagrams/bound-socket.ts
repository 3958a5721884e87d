import type { Socket } from 'node:dgram';
import type { DatagramCounters, DatagramEndpoint, DatagramSocket, SendRefusal } from './datagrams.ts';
import { datagramError } from './system-errors.ts';

/** What the sockets of one network share. */
export interface SharedByNetwork {
  readonly counters: DatagramCounters;
  /** Bytes that may wait in one socket's send queue. */
  readonly queuedBytes: number;
}

/** Life and errors of a socket that is bound; how its datagrams come and go is said by what extends it. */
export abstract class BoundSocket implements DatagramSocket {
  readonly local: DatagramEndpoint;
  protected readonly socket: Socket;
  protected readonly shared: SharedByNetwork;
  readonly #ended: () => void;
  #ending: Promise<void> | undefined;

  constructor(socket: Socket, local: DatagramEndpoint, shared: SharedByNetwork, ended: () => void) {
    this.socket = socket;
    this.local = local;
    this.shared = shared;
    this.#ended = ended;
    socket.on('error', (error: NodeJS.ErrnoException) => this.count(error.code));
    // Whoever bound an adopted socket may also close it.
    socket.once('close', () => this.#handleClosed());
  }

  abstract send(
    bytes: Uint8Array,
    start: number,
    end: number,
    address: string,
    port: number,
  ): SendRefusal | undefined;

  close(): void {
    void this.end();
  }
  end(): Promise<void> {
    if (this.#ending === undefined) {
      this.#ending = closed(this.socket);
      this.#ended();
    }
    return this.#ending;
  }

  protected get isClosed(): boolean {
    return this.#ending !== undefined;
  }
  /** Counts a datagram that found the queue at its bound. */
  protected refuseFull(): SendRefusal {
    this.shared.counters.queueFull += 1;
    return 'queue-full';
  }
  /** False, and counted, for a port that nobody can be answered at: a datagram can come from port 0. */
  protected isAnswerable(port: number): boolean {
    if (port >= 1 && port <= 0xffff) return true;
    this.shared.counters.errors.unreachable += 1;
    return false;
  }
  protected count(code: string | undefined): void {
    // Closing cancels what still waits; that is not an error of the network.
    if (code === 'ECANCELED') return;
    this.shared.counters.errors[datagramError(code)] += 1;
  }

  #handleClosed(): void {
    if (this.#ending !== undefined) return;
    this.#ending = Promise.resolve();
    this.#ended();
  }
}

/** Closes a socket; resolves when its descriptor is gone. */
export function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.removeAllListeners('message');
    socket.close(() => resolve());
  });
}
