/** How many entries of one table concern people of each domain, so that one partner cannot use up what is for others. */
export class PartnerCounts {
  readonly #counts = new Map<string, number>();

  /** @param remote the bare address of anybody there */
  of(remote: string): number {
    return this.#counts.get(domainOf(remote)) ?? 0;
  }
  add(remote: string): void {
    this.#counts.set(domainOf(remote), this.of(remote) + 1);
  }
  remove(remote: string): void {
    const left = this.of(remote) - 1;
    if (left > 0) this.#counts.set(domainOf(remote), left);
    else this.#counts.delete(domainOf(remote));
  }
}

/** What one partner may hold of a table; never nothing. */
export function shareOf(capacity: number, percent: number): number {
  return Math.max(1, Math.floor((capacity * percent) / 100));
}

function domainOf(bare: string): string {
  return bare.slice(bare.lastIndexOf('@') + 1);
}
