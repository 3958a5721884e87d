import { Timer } from './timer-queues.ts';
import type { Timers } from './timer-values.ts';
import type { FlowId, Transaction } from './types.ts';

export const NOTHING = Buffer.alloc(0);

/** What client and server transactions share. */
export abstract class TransactionBase {
  /** Its place in the layer's table. */
  readonly hash: number;
  /** Messages match only within it. */
  readonly scope: string;
  readonly method: string;
  readonly flow: FlowId;
  /** The timers of RFC 3261 §17 for the kind of transport that the flow is. */
  readonly timers: Timers;
  /** The one timer that ends the present state: B, C, D, F, H, I, J, K, L or M. */
  readonly lifetime: Timer<Transaction>;
  /** A, E or G; made only over unreliable transport. */
  readonly retransmission: Timer<Transaction> | undefined;
  /** Neighbours on the same flow; the layer's. */
  previousOnFlow: Transaction | undefined;
  nextOnFlow: Transaction | undefined;

  constructor(self: { hash: number; scope: string; method: string; flow: FlowId; timers: Timers }) {
    this.hash = self.hash;
    this.scope = self.scope;
    this.method = self.method;
    this.flow = self.flow;
    this.timers = self.timers;
    // The two subclasses below are all there are, so `this` is a Transaction.
    const owner = this as unknown as Transaction;
    this.lifetime = new Timer(owner);
    this.retransmission = self.timers.retransmit === undefined ? undefined : new Timer(owner);
  }
}
