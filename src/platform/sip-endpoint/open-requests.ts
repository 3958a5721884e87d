import type { ServerTransaction, SipRequest } from '#protocols/sip';
import { hasRoom, type Room } from './fair-room.ts';
import type { Parties, Party } from './parties.ts';
import type { RefusalCause } from './refusal.ts';

/** What one flow has in the table of server transactions that belongs to all. */
export class OpenRequests {
  readonly #parties: Parties;
  readonly #most: number;
  /** Still to be answered. */
  #open = 0;
  /** With those that are answered and have not ended: an INVITE does with the ACK, or after 64 * T1 (RFC 6026 §7.1). */
  #held = 0;
  #party: Party | undefined;

  /** @param most that may be unanswered at once */
  constructor(parties: Parties, most = Number.POSITIVE_INFINITY) {
    this.#parties = parties;
    this.#most = most;
  }
  get open(): number {
    return this.#open;
  }
  get party(): string | undefined {
    return this.#party?.name;
  }
  /** From now on this is another party's, with all that is there; or nobody's. */
  attribute(name: string | undefined): void {
    const before = this.#party;
    this.#party = name === undefined ? undefined : this.#parties.join(name);
    if (this.#party !== undefined) this.#party.held += this.#held;
    if (before === undefined) return;
    before.held -= this.#held;
    this.#parties.leave(before);
  }
  /** Why one more would let one take what belongs to all. What ends work is never too much. */
  excess({ method, to }: SipRequest, table: Room): RefusalCause | undefined {
    if (method === 'ACK' || method === 'CANCEL') return undefined;
    if (this.#open >= this.#most) return 'flow-requests-full';
    if (this.#party === undefined || hasRoom(table, this.#party.held, to.tag !== undefined)) return undefined;
    return 'share-full';
  }
  begin(): void {
    this.#open += 1;
    this.#count(1);
  }
  /** After each response: one that has its final response is open no longer, however long its transaction stays. */
  respond(transaction: ServerTransaction): void {
    if (transaction.pending || transaction.answered) return;
    transaction.answered = true;
    this.#open -= 1;
  }
  end({ answered }: ServerTransaction): void {
    if (!answered) this.#open -= 1;
    this.#count(-1);
  }

  #count(more: 1 | -1): void {
    this.#held += more;
    if (this.#party !== undefined) this.#party.held += more;
  }
}
