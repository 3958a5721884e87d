/** A question about a dialback key: who made us ask, and which partner is asked. */
export interface Question {
  /** Where the stream that asserts the domain comes from: an IPv4 address or an IPv6 /64. */
  readonly source: string;
  /** The partner whose domain is asserted. */
  readonly partner: string;
}

/**
 * Places for questions about dialback keys, which anybody can make us ask. Nobody gets more of them than are left over, so
 * that one source takes half at most, of all and of those about one partner, and so do questions about one partner.
 */
export class Questions {
  readonly #capacity: number;
  readonly #asked = new Set<Question>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }
  get size(): number {
    return this.#asked.size;
  }

  /**
   * @param ofPartner places for questions about that partner
   * @returns false: there is no place for it
   */
  admit(question: Question, ofPartner: number): boolean {
    let [source, partner, both] = [0, 0, 0];
    for (const asked of this.#asked) {
      const sameSource = asked.source === question.source;
      const samePartner = asked.partner === question.partner;
      if (sameSource) source += 1;
      if (samePartner) partner += 1;
      if (sameSource && samePartner) both += 1;
    }
    const left = this.#capacity - this.#asked.size;
    if (source >= left || partner >= left || both >= ofPartner - partner) return false;
    this.#asked.add(question);
    return true;
  }
  leave(question: Question): void {
    this.#asked.delete(question);
  }
}
