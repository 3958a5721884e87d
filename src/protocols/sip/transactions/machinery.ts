import type { Monotonic } from '#kernel';
import { type Timer, TimerQueues } from './timer-queues.ts';
import type { FlowId, Transaction, TransactionAction } from './types.ts';

/**
 * What the four machines work with while the layer hands them one input: the time, timers and the way out.
 */
export class Machinery {
  now: Monotonic = 0;
  actions: TransactionAction[] = [];
  readonly timers = new TimerQueues<Transaction>();
  readonly #forget: (transaction: Transaction) => void;

  /** @param forget takes an ended transaction out of the tables */
  constructor(forget: (transaction: Transaction) => void) {
    this.#forget = forget;
  }
  begin(now: Monotonic): void {
    this.now = now;
    this.actions = [];
  }
  send(flow: FlowId, bytes: Buffer): void {
    this.actions.push({ type: 'send', flow, bytes });
  }
  start(timer: Timer<Transaction>, interval: number): void {
    this.timers.start(timer, interval, this.now);
  }
  stop(timer: Timer<Transaction> | undefined): void {
    if (timer !== undefined) this.timers.stop(timer);
  }
  timeout(transaction: Transaction): void {
    this.actions.push({ type: 'timeout', transaction });
    this.end(transaction);
  }
  transportFailed(transaction: Transaction): void {
    this.actions.push({ type: 'transport-failed', transaction });
    this.end(transaction);
  }
  end(transaction: Transaction): void {
    this.timers.stop(transaction.lifetime);
    this.stop(transaction.retransmission);
    transaction.state = 'terminated';
    transaction.release();
    this.#forget(transaction);
    this.actions.push({ type: 'ended', transaction });
  }
}
