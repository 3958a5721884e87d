interface Entry<K> {
  readonly key: K;
  readonly due: number;
}

/** One time a key, the earliest first: a heap in which a key that was moved leaves its old entry behind to be skipped. */
export class Deadlines<K> {
  readonly #due = new Map<K, number>();
  #heap: Entry<K>[] = [];

  get size(): number {
    return this.#due.size;
  }
  /** The earliest time of all. */
  next(): number | undefined {
    this.#skip();
    return this.#heap[0]?.due;
  }
  of(key: K): number | undefined {
    return this.#due.get(key);
  }
  set(key: K, due: number): void {
    if (this.#due.get(key) === due) return;
    this.#due.set(key, due);
    this.#push({ key, due });
    if (this.#heap.length > 2 * this.#due.size + 64) this.#rebuild();
  }
  delete(key: K): void {
    this.#due.delete(key);
  }
  /** Takes a key whose time has come; undefined when there is none. */
  take(now: number): K | undefined {
    this.#skip();
    const [first] = this.#heap;
    if (first === undefined || first.due > now) return undefined;
    this.#pop();
    this.#due.delete(first.key);
    return first.key;
  }

  #skip(): void {
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (this.#due.get(first.key) === first.due) return;
      this.#pop();
    }
  }
  #rebuild(): void {
    this.#heap = [...this.#due].map(([key, due]) => ({ key, due })).sort((a, b) => a.due - b.due);
  }
  #push(entry: Entry<K>): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent]!;
      if (above.due <= entry.due) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = entry;
  }
  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      const right = heap[below + 1];
      if (right !== undefined && right.due < heap[below]!.due) below += 1;
      const smaller = heap[below]!;
      if (smaller.due >= last.due) break;
      heap[at] = smaller;
      at = below;
    }
    heap[at] = last;
  }
}
