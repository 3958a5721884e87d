/** Whoever sends by one flow or by several: what it has of what belongs to all is counted together. */
export interface Party {
  readonly name: string;
  /** What its flows have in the table of server transactions. */
  held: number;
  flows: number;
}

/** The parties that have open flows, by their names. */
export class Parties {
  readonly #parties = new Map<string, Party>();

  get size(): number {
    return this.#parties.size;
  }
  /** One more flow of a party. */
  join(name: string): Party {
    let party = this.#parties.get(name);
    if (party === undefined) {
      party = { name, held: 0, flows: 0 };
      this.#parties.set(name, party);
    }
    party.flows += 1;
    return party;
  }
  leave(party: Party): void {
    party.flows -= 1;
    if (party.flows === 0) this.#parties.delete(party.name);
  }
}
