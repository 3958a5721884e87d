/** What the table needs of an entry. */
export interface TableEntry<Self> {
  /** By {@link TextHash}; the same for all entries that may be equal. */
  readonly hash: number;
  /** The table's. */
  nextInTable: Self | undefined;
}

const FEWEST_BUCKETS = 256;

/**
 * Entries by hash, linked through themselves; whoever looks for one walks a short chain and compares.
 *
 * A `Map` would do, but for what happens when its entries come and go by the thousand: V8 then moves to a new
 * table again and again, and each old one points to the next. As soon as one of them has grown old, all later ones live
 * until the next full collection, with every transaction and message that stood in them: that took a fifth of the
 * processor time of a busy proxy.
 */
export class TransactionTable<Entry extends TableEntry<Entry>> {
  #buckets: (Entry | undefined)[] = emptyBuckets(FEWEST_BUCKETS);
  #size = 0;

  get size(): number {
    return this.#size;
  }
  /** The begin of the chain in which an entry with this hash stands, if there is one; go on with `nextInTable`. */
  chain(hash: number): Entry | undefined {
    return this.#buckets[hash & (this.#buckets.length - 1)];
  }
  add(entry: Entry): void {
    if (this.#size >= this.#buckets.length) this.#grow();
    this.#link(entry);
    this.#size += 1;
  }
  /** An entry that is not in the table is ignored. */
  remove(entry: Entry): void {
    const at = entry.hash & (this.#buckets.length - 1);
    let before: Entry | undefined;
    let here = this.#buckets[at];
    while (here !== undefined && here !== entry) {
      before = here;
      here = here.nextInTable;
    }
    if (here === undefined) return;
    if (before === undefined) this.#buckets[at] = entry.nextInTable;
    else before.nextInTable = entry.nextInTable;
    entry.nextInTable = undefined;
    this.#size -= 1;
  }

  #link(entry: Entry): void {
    const at = entry.hash & (this.#buckets.length - 1);
    entry.nextInTable = this.#buckets[at];
    this.#buckets[at] = entry;
  }
  #grow(): void {
    const before = this.#buckets;
    this.#buckets = emptyBuckets(before.length * 2);
    for (const first of before) {
      for (let entry = first, next: Entry | undefined; entry !== undefined; entry = next) {
        next = entry.nextInTable;
        this.#link(entry);
      }
    }
  }
}

function emptyBuckets<Entry>(count: number): (Entry | undefined)[] {
  return new Array<Entry | undefined>(count).fill(undefined);
}

/**
 * A hash over texts that peers choose. Seed and factor are drawn once a process, and the shifts keep what a factor does from
 * being undone, so that nobody outside can choose texts that meet in one chain.
 */
export class TextHash {
  readonly #seed: number;
  readonly #factor: number;

  constructor() {
    const [seed = 0, factor = 0] = crypto.getRandomValues(new Uint32Array(2));
    this.#seed = seed | 0;
    this.#factor = factor | 1;
  }
  /** A 32-bit integer. @param number at most 32 bits of it count */
  of(first: string, second: string, third: string, fourth: string, number = 0): number {
    const texts = this.#add(this.#add(this.#add(this.#add(this.#seed, first), second), third), fourth);
    const hash = Math.imul(texts ^ number, this.#factor);
    return hash ^ (hash >>> 15);
  }
  #add(before: number, text: string): number {
    const factor = this.#factor;
    // No character is this: it keeps texts apart that are cut in other places.
    let hash = Math.imul(before ^ 0x10000, factor);
    hash ^= hash >>> 15;
    for (let at = 0; at < text.length; at++) {
      hash = Math.imul(hash ^ text.charCodeAt(at), factor);
      hash ^= hash >>> 15;
    }
    return hash;
  }
}
