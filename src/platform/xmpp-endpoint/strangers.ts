/** What is kept of a stream whose peer has proven nothing yet. */
export interface Stranger {
  /** Where it comes from: an IPv4 address or an IPv6 /64. */
  readonly source: string;
  /** The domain that it says to be, once it has said so. */
  readonly claim: () => string | undefined;
  readonly dismiss: () => void;
}

/**
 * Places for streams that have proven nothing. When all are taken, the source that holds most of them gives its oldest to a
 * source that holds fewer, so that nobody keeps partners out by opening connections; where many sources hold one each, the
 * domain that more than half of them claim to be gives its oldest.
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
    const held = [...this.#held];
    const own = held.filter((stranger) => stranger.source === source).length;
    const ofSource = busiest(held, (stranger) => stranger.source);
    const ofClaim = busiest(held, (stranger) => stranger.claim());
    let oldest: Stranger | undefined;
    if (ofSource.length > own + 1) oldest = ofSource[0];
    else if (own === 0 && ofClaim.length > 1 && ofClaim.length > held.length / 2) oldest = ofClaim[0];
    if (oldest === undefined) return false;
    this.#held.delete(oldest);
    oldest.dismiss();
    return true;
  }
}

/** The largest group, oldest first; who has no key is of none. */
function busiest(
  held: readonly Stranger[],
  key: (stranger: Stranger) => string | undefined,
): readonly Stranger[] {
  const groups = Map.groupBy(held, key);
  groups.delete(undefined);
  let largest: readonly Stranger[] = [];
  for (const group of groups.values()) if (group.length > largest.length) largest = group;
  return largest;
}
