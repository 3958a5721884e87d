import type { FlowId, Transaction } from './types.ts';

/** The transactions of each flow, linked through themselves: a closed flow costs no walk over the tables. */
export class FlowLists {
  /** A flow keeps its place between two transactions: see `TransactionTable` for what coming and going would cost. */
  readonly #heads = new Map<FlowId, Transaction | undefined>();

  add(transaction: Transaction): void {
    const head = this.#heads.get(transaction.flow);
    if (head !== undefined) {
      transaction.nextOnFlow = head;
      head.previousOnFlow = transaction;
    }
    this.#heads.set(transaction.flow, transaction);
  }
  remove(transaction: Transaction): void {
    const { flow, previousOnFlow: previous, nextOnFlow: next } = transaction;
    if (next !== undefined) next.previousOnFlow = previous;
    if (previous !== undefined) previous.nextOnFlow = next;
    else this.#heads.set(flow, next);
    transaction.previousOnFlow = undefined;
    transaction.nextOnFlow = undefined;
  }
  /** The flow is gone. */
  forget(flow: FlowId): void {
    this.#heads.delete(flow);
  }
  first(flow: FlowId): Transaction | undefined {
    return this.#heads.get(flow);
  }
}
