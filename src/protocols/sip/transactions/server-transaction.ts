import type { SipRequest } from '../messages/message.ts';
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
  readonly request: SipRequest;
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
    this.request = self.request;
    this.state = self.method === 'INVITE' ? 'proceeding' : 'trying';
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
