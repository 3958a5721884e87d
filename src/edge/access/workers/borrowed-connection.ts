import { z } from 'zod';
import type { Clock, Monotonic } from '#kernel';
import type { CloseReason, Connection, Endpoint, TlsFacts } from '#platform/net';
import type { FlowOptions } from '#platform/sip-endpoint';
import { responseToTag, type SipRequest } from '#protocols/sip';
import type { SiblingLink } from './sibling-link.ts';

export interface BorrowedFacts {
  readonly id: number;
  readonly remote: Endpoint;
  readonly local: Endpoint;
  readonly tls: TlsFacts;
}

/** What its own worker is told of a provisional response. */
export const ringing = z.object({ request: z.int().positive(), toTag: z.string().optional() });

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
  /** By what its own worker knows the requests that it waits for the answers of. */
  readonly #numbers = new WeakMap<SipRequest, number>();
  /** The number of the message that is being handled. */
  #arriving = 0;
  /** Requests whose final responses are with the bytes that will be written next. */
  #answered: number[] = [];
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
    // In one frame, so that no worker's end comes between the two.
    this.#link.send({ type: 'send', connection: this.id, answered: this.#answered, bytes });
    if (this.#answered.length > 0) this.#answered = [];
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

  /** Goes with its flow: how its own worker learns which of its requests have been answered. */
  readonly accounting: Pick<FlowOptions, 'divert' | 'onResponse'> = {
    // Nothing goes elsewhere; but here each message is seen for the first time as what it will be to the end.
    divert: (message) => {
      if (this.#arriving > 0 && message.kind === 'request') this.#numbers.set(message, this.#arriving);
      return false;
    },
    onResponse: (request, status, bytes) => {
      const number = this.#numbers.get(request);
      if (number === undefined) return;
      if (status >= 200) {
        this.#numbers.delete(request);
        this.#answered.push(number);
      } else if (status > 100) {
        const body: z.infer<typeof ringing> = { request: number, toTag: responseToTag(bytes) };
        this.#link.send({ type: 'ringing', connection: this.id, body });
      }
    },
  };

  /**
   * A message of it came.
   * @param number by which its worker knows the request; 0: it does not wait for an answer
   */
  handleMessage(bytes: Buffer, number: number): void {
    if (this.#closed) return;
    this.lastReceived = this.#clock.now();
    this.bytesReceived += bytes.length;
    this.#arriving = number;
    this.onData(bytes);
  }
  /** It is closed, or its worker is gone. */
  handleEnd(reason: CloseReason): void {
    if (this.#closed) return;
    this.#closed = true;
    this.onClose(reason);
  }
}
