import type { ServerTransaction } from '#protocols/sip';

/** An accepted INVITE stands for 32 s: with 2,000 open ones allowed, this allows 625 calls a second for as long as one likes. */
const ANSWERED_FOR_EACH_OPEN = 10;

/** What one flow has in the table of server transactions that belongs to all. */
export class OpenRequests {
  readonly #most: number;
  /** Still to be answered. */
  #open = 0;
  /** Answered, and not ended: of an INVITE until the ACK, or for 64 * T1 (RFC 6026 §7.1). */
  #answered = 0;

  /** @param most that may be unanswered at once */
  constructor(most = Number.POSITIVE_INFINITY) {
    this.#most = most;
  }
  /** Whether another one would let one peer take what belongs to all. */
  get full(): boolean {
    return this.#open >= this.#most || this.#answered >= this.#most * ANSWERED_FOR_EACH_OPEN;
  }
  get open(): number {
    return this.#open;
  }
  begin(): void {
    this.#open += 1;
  }
  /** After each response: one that has its final response is open no longer, however long its transaction stays. */
  respond(transaction: ServerTransaction): void {
    if (transaction.pending || transaction.answered) return;
    transaction.answered = true;
    this.#open -= 1;
    this.#answered += 1;
  }
  end({ answered }: ServerTransaction): void {
    if (answered) this.#answered -= 1;
    else this.#open -= 1;
  }
}
