import type { SipResponse } from '../messages/message.ts';
import type { Machinery } from './machinery.ts';
import type { Timers } from './timer-values.ts';
import { NOTHING, TransactionBase } from './transaction.ts';
import type { ClientTransactionUser, FlowId } from './types.ts';

/** RFC 3261 §17.1 and RFC 6026 §7.2. An INVITE begins in calling, every other method in trying. */
export type ClientState = 'calling' | 'trying' | 'proceeding' | 'accepted' | 'completed' | 'terminated';

/** A request that we sent. Its machine is one of the two subclasses. */
export abstract class ClientTransaction extends TransactionBase {
  readonly side = 'client';
  nextInTable: ClientTransaction | undefined;
  readonly branch: string;
  /** Undefined only for a CANCEL that the layer itself sends. */
  readonly user: ClientTransactionUser | undefined;
  state: ClientState;
  /** As sent; empty once it will not be needed again. */
  bytes: Buffer;

  constructor(self: {
    hash: number;
    scope: string;
    method: string;
    branch: string;
    flow: FlowId;
    bytes: Buffer;
    timers: Timers;
    user: ClientTransactionUser | undefined;
  }) {
    super(self);
    this.branch = self.branch;
    this.user = self.user;
    this.bytes = self.bytes;
    this.state = self.method === 'INVITE' ? 'calling' : 'trying';
  }
  /** Whether a final response may still come. */
  get pending(): boolean {
    return this.state === 'calling' || this.state === 'trying' || this.state === 'proceeding';
  }
  release(): void {
    this.bytes = NOTHING;
  }
  abstract begin(machinery: Machinery): void;
  /** True when the response is for the user to see. */
  abstract handleResponse(response: SipResponse, machinery: Machinery): boolean;
  abstract handleRetransmission(machinery: Machinery): void;
  abstract handleLifetime(machinery: Machinery): void;

  handleFlowClosed(machinery: Machinery): void {
    if (this.pending) machinery.transportFailed(this);
    else machinery.end(this);
  }
}
