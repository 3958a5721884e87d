import type { Cancel, Clock, Monotonic } from '#kernel';
import type { ClientConnection } from './client-connection.ts';

/** Between two looks at who can go. */
const LOOK_MS = 250;

export interface DepartureOptions {
  readonly clock: Clock;
  readonly clients: () => Iterable<ClientConnection>;
  /** Ends the connection; its client signs in at another edge. */
  readonly close: (client: ClientConnection) => void;
}

/**
 * Sends the clients of an edge that is drained elsewhere: connections at rest are closed one after the other, spread evenly
 * over a time, so that those who sign in again at the other edges do not come all at once. Who is in a call, or waits for
 * an answer, is let finish first, however long that takes.
 */
export class Departure {
  readonly #options: DepartureOptions;
  #until: Monotonic = 0;
  #cancel: Cancel | undefined;

  constructor(options: DepartureOptions) {
    this.#options = options;
  }

  /** @param ms within which those at rest are gone */
  begin(ms: number): void {
    if (this.#cancel !== undefined) return;
    this.#until = this.#options.clock.now() + ms;
    this.#plan();
  }
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #plan(): void {
    this.#cancel = this.#options.clock.after(LOOK_MS, () => {
      this.#look();
      this.#plan();
    });
  }
  #look(): void {
    const { clients, clock, close } = this.#options;
    const looksLeft = Math.max(1, Math.ceil((this.#until - clock.now()) / LOOK_MS));
    const atRest = [...clients()].filter((client) => client.atRest);
    for (const client of atRest.slice(0, Math.ceil(atRest.length / looksLeft))) close(client);
  }
}
