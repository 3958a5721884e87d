import type { DatagramCounters, DatagramEndpoint, DatagramSocket, SendRefusal } from './datagrams.ts';
import { datagramError } from './system-errors.ts';

/** What the sockets of one network share. */
export interface SharedByNetwork {
  readonly counters: DatagramCounters;
  /** Bytes that may wait in one socket's send queue. */
  readonly queuedBytes: number;
  /** A socket is closed, or about to be. */
  ended(socket: BoundSocket): void;
}

/** Life and errors of a socket that is bound; how its datagrams come and go is said by what extends it. */
export abstract class BoundSocket implements DatagramSocket {
  readonly local: DatagramEndpoint;
  protected readonly shared: SharedByNetwork;
  #ending: Promise<void> | undefined;

  constructor(local: DatagramEndpoint, shared: SharedByNetwork) {
    this.local = local;
    this.shared = shared;
  }

  abstract send(
    bytes: Uint8Array,
    start: number,
    end: number,
    address: string,
    port: number,
  ): SendRefusal | undefined;
  /** Closes what it stands on; `done` when the descriptor is gone. */
  protected abstract release(done: () => void): void;

  close(): void {
    void this.end();
  }
  /** Resolves when its descriptor is gone. */
  end(): Promise<void> {
    if (this.#ending === undefined) {
      this.#ending = new Promise((resolve) => this.release(resolve));
      this.shared.ended(this);
    }
    return this.#ending;
  }
  /** Whoever bound an adopted socket has closed it. @returns false when that is what `close` has done */
  handleClosed(): boolean {
    if (this.#ending !== undefined) return false;
    this.#ending = Promise.resolve();
    this.shared.ended(this);
    return true;
  }
  /** The system has reported an error for a datagram. */
  count(code: string | undefined): void {
    // Closing cancels what still waits; that is not an error of the network.
    if (code === 'ECANCELED') return;
    this.shared.counters.errors[datagramError(code)] += 1;
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
}
