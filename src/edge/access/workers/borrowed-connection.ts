import type { Clock, Monotonic } from '#kernel';
import type { CloseReason, Connection, Endpoint, TlsFacts } from '#platform/net';
import type { SiblingLink } from './sibling-link.ts';

export interface BorrowedFacts {
  readonly id: number;
  readonly remote: Endpoint;
  readonly local: Endpoint;
  readonly tls: TlsFacts;
}

/** Another worker's connection, as far as its messages are handled here. */
export class BorrowedConnection implements Connection {
  readonly id: number;
  readonly remote: Endpoint;
  readonly local: Endpoint;
  readonly tls: TlsFacts;
  readonly opened: Monotonic;
  lastReceived: Monotonic;
  bytesReceived = 0;
  bytesSent = 0;
  /** Its own worker sees to that. */
  idleMs = 0;
  readonly queued = 0;
  onData: (chunk: Buffer) => void = () => {};
  onClose: (reason: CloseReason) => void = () => {};
  onDrain: () => void = () => {};
  readonly #clock: Clock;
  readonly #link: SiblingLink;
  #closed = false;

  constructor(facts: BorrowedFacts, link: SiblingLink, clock: Clock) {
    this.id = facts.id;
    this.remote = facts.remote;
    this.local = facts.local;
    this.tls = facts.tls;
    this.opened = clock.now();
    this.lastReceived = this.opened;
    this.#clock = clock;
    this.#link = link;
  }

  get closed(): boolean {
    return this.#closed;
  }
  write(bytes: Uint8Array): boolean {
    if (this.#closed) return false;
    this.bytesSent += bytes.length;
    this.#link.send({ type: 'send', connection: this.id, bytes });
    return true;
  }
  /** What comes has been read by its own worker already. */
  pause(): void {}
  resume(): void {}
  end(reason: CloseReason = 'local'): void {
    this.destroy(reason);
  }
  destroy(reason: CloseReason): void {
    if (this.#closed) return;
    this.#link.send({ type: 'end', connection: this.id });
    this.#closed = true;
    queueMicrotask(() => this.onClose(reason));
  }

  /** A message of it came. */
  handleMessage(bytes: Buffer): void {
    if (this.#closed) return;
    this.lastReceived = this.#clock.now();
    this.bytesReceived += bytes.length;
    this.onData(bytes);
  }
  /** It is closed, or its worker is gone. */
  handleEnd(reason: CloseReason): void {
    if (this.#closed) return;
    this.#closed = true;
    this.onClose(reason);
  }
}
