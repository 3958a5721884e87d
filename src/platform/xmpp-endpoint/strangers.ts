/** What is kept of a stream whose peer has proven nothing yet. */
export interface Stranger {
  /** Where it comes from: an IPv4 address or an IPv6 /64. */
  readonly source: string;
  readonly dismiss: () => void;
}

/**
 * Places for streams that have proven nothing. When all are taken, the source that holds most of them gives its oldest to a
 * source that holds fewer, so that nobody keeps partners out by opening connections.
 */
export class Strangers {
  readonly #held = new Set<Stranger>();

  get size(): number {
    return this.#held.size;
  }
  /** False: there is no place for it. */
  admit(stranger: Stranger, capacity: number): boolean {
    if (this.#held.size >= capacity && !this.#makeRoom(stranger.source)) return false;
    this.#held.add(stranger);
    return true;
  }
  leave(stranger: Stranger): void {
    this.#held.delete(stranger);
  }

  #makeRoom(source: string): boolean {
    const bySource = new Map<string, Stranger[]>();
    for (const held of this.#held) {
      const others = bySource.get(held.source);
      if (others === undefined) bySource.set(held.source, [held]);
      else others.push(held);
    }
    let busiest: readonly Stranger[] = [];
    for (const held of bySource.values()) if (held.length > busiest.length) busiest = held;
    const [oldest] = busiest;
    if (oldest === undefined || busiest.length <= (bySource.get(source)?.length ?? 0) + 1) return false;
    this.#held.delete(oldest);
    oldest.dismiss();
    return true;
  }
}
