import { useSyncExternalStore } from 'react';

/** Something that can be looked at and says when it looks different. */
export interface Store<T> {
  readonly subscribe: (listener: () => void) => () => void;
  readonly snapshot: () => T;
}

export function useStore<T>(store: Store<T>): T {
  return useSyncExternalStore(store.subscribe, store.snapshot);
}
