import type { DistributedInterface } from './interface.ts';

/** One object of a connection, as this side sees it: a handle, good for a key, never made by the other side's word alone. */
export interface DistributedObject {
  /** Names it in operations, in both directions; free again after it was disconnected. */
  readonly proxy: number;
  readonly name: string;
  /** Undefined for the root. */
  readonly parent: DistributedObject | undefined;
  readonly interface: DistributedInterface;
  /** 0 for the root. */
  readonly depth: number;
  readonly open: boolean;
}

export class ObjectEntry implements DistributedObject {
  readonly proxy: number;
  readonly name: string;
  readonly parent: ObjectEntry | undefined;
  readonly interface: DistributedInterface;
  readonly children = new Set<ObjectEntry>();
  open = true;

  constructor(proxy: number, name: string, parent: ObjectEntry | undefined, declared: DistributedInterface) {
    this.proxy = proxy;
    this.name = name;
    this.parent = parent;
    this.interface = declared;
  }
  get depth(): number {
    return this.parent === undefined ? 0 : this.parent.depth + 1;
  }
}

export const ROOT_PROXY = 0;
const MOST_PROXIES = 2 ** 32;

/**
 * The objects of a connection by proxy identifier: the root is 0, those that the client connects are odd, those that
 * the server connects are even. An identifier stays taken until both sides have disconnected it, so that an operation
 * that was under way cannot meet another object.
 */
export class ObjectTable {
  readonly root: ObjectEntry;
  readonly #entries = new Map<number, ObjectEntry>();
  readonly #most: number;
  #next: number;

  /** @param most objects at a time, the root and those that are about to go included */
  constructor(root: DistributedInterface, side: 'client' | 'server', most: number) {
    this.root = new ObjectEntry(ROOT_PROXY, '', undefined, root);
    this.#entries.set(ROOT_PROXY, this.root);
    this.#most = most;
    this.#next = side === 'client' ? 1 : 2;
  }
  get size(): number {
    return this.#entries.size;
  }
  get full(): boolean {
    return this.#entries.size >= this.#most;
  }
  find(proxy: number): ObjectEntry | undefined {
    return this.#entries.get(proxy);
  }
  /** Is this object of this connection, and still known. */
  owns(object: DistributedObject): object is ObjectEntry {
    return this.#entries.get(object.proxy) === object;
  }

  /** An identifier for an object that this side connects. */
  allocate(): number {
    for (;;) {
      const proxy = this.#next;
      this.#next = proxy + 2 < MOST_PROXIES ? proxy + 2 : proxy % 2 === 1 ? 1 : 2;
      if (!this.#entries.has(proxy)) return proxy;
    }
  }
  add(proxy: number, name: string, parent: ObjectEntry, declared: DistributedInterface): ObjectEntry {
    const entry = new ObjectEntry(proxy, name, parent, declared);
    this.#entries.set(proxy, entry);
    parent.children.add(entry);
    return entry;
  }

  /** The object and all below it are open no more; gives those that were, the lowest first. */
  close(entry: ObjectEntry): ObjectEntry[] {
    const closed = [...entry.children].flatMap((child) => this.close(child));
    if (entry.open) {
      entry.open = false;
      closed.push(entry);
    }
    return closed;
  }
  /** Forgets the object and all below it. */
  free(entry: ObjectEntry): void {
    for (const child of entry.children) this.free(child);
    entry.parent?.children.delete(entry);
    this.#entries.delete(entry.proxy);
  }
}
