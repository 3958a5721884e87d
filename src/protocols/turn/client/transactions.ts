import type { Monotonic } from '#kernel';

/** Retransmission of requests over an unreliable transport, RFC 8489 §6.2.1. */
export interface RetransmissionTimes {
  /** Milliseconds before the first retransmission; doubled for each that follows. */
  readonly rto: number;
  /** Times that a request is sent in all (Rc). */
  readonly sends: number;
  /** After the last, this many times `rto` until the transaction has failed (Rm). */
  readonly lastWait: number;
}

export const retransmissionTimes: RetransmissionTimes = { rto: 500, sends: 7, lastWait: 16 };

/** A request that waits for its answer. */
export interface Transaction<Purpose> {
  readonly purpose: Purpose;
  /** The whole request, to be sent again as it is. */
  readonly bytes: Uint8Array;
  /** Key of MESSAGE-INTEGRITY, when the request carried one: the answer must too. */
  readonly key: Uint8Array | undefined;
  /** Challenges that were followed to get here. */
  readonly challenges: number;
  /** An answer came whose integrity was missing or wrong. */
  violated: boolean;
  sends: number;
  due: Monotonic;
}

/** The client's open transactions, by transaction id. The caller bounds how many it starts. */
export class Transactions<Purpose> {
  readonly #times: RetransmissionTimes;
  readonly #open = new Map<string, Transaction<Purpose>>();

  constructor(times: RetransmissionTimes) {
    this.#times = times;
  }
  get size(): number {
    return this.#open.size;
  }
  /** Enters a request that was just sent for the first time. `bytes` are kept. */
  start(
    request: Pick<Transaction<Purpose>, 'purpose' | 'bytes' | 'key' | 'challenges'>,
    now: Monotonic,
  ): void {
    const transaction = { ...request, violated: false, sends: 1, due: now + this.#times.rto };
    this.#open.set(idOf(request.bytes), transaction);
  }
  /** The transaction that a message belongs to. */
  find(message: Uint8Array): Transaction<Purpose> | undefined {
    return this.#open.get(idOf(message));
  }
  end(transaction: Transaction<Purpose>): void {
    this.#open.delete(idOf(transaction.bytes));
  }
  clear(): void {
    this.#open.clear();
  }
  /** What has to happen at `now`: requests to be sent again, and transactions that failed (and are ended). */
  due(now: Monotonic): { again: Transaction<Purpose>[]; failed: Transaction<Purpose>[] } {
    const again: Transaction<Purpose>[] = [];
    const failed: Transaction<Purpose>[] = [];
    for (const transaction of this.#open.values()) {
      if (transaction.due > now) continue;
      if (transaction.sends >= this.#times.sends) {
        failed.push(transaction);
        this.end(transaction);
        continue;
      }
      transaction.sends++;
      transaction.due = now + this.#waitAfter(transaction.sends);
      again.push(transaction);
    }
    return { again, failed };
  }
  /** When `due` has something next. */
  deadline(): Monotonic | undefined {
    let earliest: Monotonic | undefined;
    for (const { due } of this.#open.values()) {
      if (earliest === undefined || due < earliest) earliest = due;
    }
    return earliest;
  }
  #waitAfter(sends: number): number {
    const { rto, lastWait } = this.#times;
    return sends >= this.#times.sends ? rto * lastWait : rto * 2 ** (sends - 1);
  }
}

/** The transaction id of a STUN message as text. */
function idOf(message: Uint8Array): string {
  let text = '';
  for (let at = 8; at < 20; at++) text += String.fromCharCode(message[at] ?? 0);
  return text;
}
