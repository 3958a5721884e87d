import type { WallTime } from '#kernel';

/** Where a binding is reached: through an edge's Path, or on a client's own connection to this front end. */
export type BindingReach =
  | { readonly kind: 'path'; readonly path: readonly string[] }
  | { readonly kind: 'flow'; readonly flow: number };

/** One registered contact of an address of record (RFC 3261 §10.3). */
export interface Binding {
  /** `user@domain`, lower case. */
  readonly aor: string;
  /** What identifies the binding: `instance;reg-id` with RFC 5626, the Contact URI otherwise. */
  readonly key: string;
  /** The Contact URI as the client wrote it. */
  readonly contact: string;
  readonly reach: BindingReach;
  readonly callId: string;
  readonly cseq: number;
  /** 0..1; clients that give none get 1. */
  readonly q: number;
  readonly expires: WallTime;
}

/** What the registrar needs to remember; the store and a plain map in tests both do. */
export interface BindingStore {
  /** Live and expired bindings of an address of record, oldest first. */
  of(aor: string): Binding[];
  put(binding: Binding): void;
  remove(aor: string, key: string): void;
  /** Runs a change as a whole: RFC 3261 §10.3 step 7 lets no half of a REGISTER take effect. */
  atomically<T>(change: () => T): T;
}
