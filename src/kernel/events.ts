/** A map from event name to its argument tuple. */
export type EventMap = { readonly [name: string]: readonly unknown[] };

export type Unsubscribe = () => void;

type Listener<Args extends readonly unknown[]> = (...args: Args) => void;

/** Typed events inside one process. A listener that throws is a bug and is not hidden. */
export class Emitter<Events extends EventMap> {
  readonly #listeners: { [Name in keyof Events]?: Set<Listener<Events[Name]>> } = {};

  on<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): Unsubscribe {
    const listeners: Set<Listener<Events[Name]>> = this.#listeners[name] ?? new Set();
    this.#listeners[name] = listeners;
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }
  emit<Name extends keyof Events>(name: Name, ...args: Events[Name]): void {
    const listeners = this.#listeners[name];
    if (listeners === undefined) return;
    for (const listener of [...listeners]) listener(...args);
  }
}
