import type { SipRequest } from '../messages/message.ts';
import type { Via } from '../messages/via.ts';
import { headOf, readHead } from './hop-requests.ts';
import type { Machinery } from './machinery.ts';
import type { Timers } from './timer-values.ts';
import { NOTHING, TransactionBase } from './transaction.ts';
import type { FlowId, ServerTransactionUser } from './types.ts';

/** RFC 3261 §17.2 and RFC 6026 §7.1. An INVITE begins in proceeding, every other method in trying. */
export type ServerState = 'trying' | 'proceeding' | 'accepted' | 'completed' | 'confirmed' | 'terminated';

/** A request that we were sent. Its machine is one of the two subclasses. */
export abstract class ServerTransaction extends TransactionBase {
  readonly side = 'server';
  nextInTable: ServerTransaction | undefined;
  #topVia: Via | undefined;
  #request: SipRequest | undefined;
  /** The head of a request that is only remembered. */
  #head = '';
  /** Set by whoever takes the request on; told of a CANCEL and of a failure. */
  user: ServerTransactionUser | undefined;
  state: ServerState;
  /** The To tag of every response that is made here rather than passed on; the adapter's. */
  toTag: string | undefined;
  /** That a final response was sent, as the adapter counts it. */
  answered = false;
  /** The latest response, for retransmitted requests. */
  protected response: Buffer = NOTHING;

  constructor(self: {
    hash: number;
    scope: string;
    method: string;
    flow: FlowId;
    timers: Timers;
    request: SipRequest;
  }) {
    super(self);
    this.#topVia = self.request.topVia;
    this.#request = self.request;
    this.state = self.method === 'INVITE' ? 'proceeding' : 'trying';
  }
  /** The one of the request by which others are told from it; read anew from one that is only remembered. */
  get topVia(): Via {
    return this.#topVia ?? this.request.topVia;
  }
  /** As it was received; without its body once it is only remembered ({@link condense}). */
  get request(): SipRequest {
    return this.#request ?? readHead(this.#head);
  }
  /**
   * From now on the request is seldom asked for, if ever: its head stays as one text. An accepted INVITE stands for 32 s
   * (RFC 6026 §7.1) for a 2xx that nearly never comes, and of a busy proxy those are most of what there is in memory:
   * as messages that are taken apart they took a quarter of its processor time, all of it the collector's.
   */
  condense(): void {
    if (this.#request === undefined) return;
    this.#head = headOf(this.#request);
    this.#request = undefined;
    this.#topVia = undefined;
  }
  /** Whether a final response is still to be sent. */
  get pending(): boolean {
    return this.state === 'trying' || this.state === 'proceeding';
  }
  release(): void {
    this.response = NOTHING;
  }
  abstract begin(machinery: Machinery): void;
  /** False when the state allows no such response any more; then nothing is sent. */
  abstract respond(status: number, bytes: Buffer, machinery: Machinery): boolean;
  abstract handleRepeated(machinery: Machinery): void;
  abstract handleRetransmission(machinery: Machinery): void;
  abstract handleLifetime(machinery: Machinery): void;

  handleFlowClosed(machinery: Machinery): void {
    if (this.pending) machinery.transportFailed(this);
    else machinery.end(this);
  }
}
