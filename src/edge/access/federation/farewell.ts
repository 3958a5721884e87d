import type { Cancel, Clock } from '#kernel';
import type { PartnerConnection } from './connections/partner-connection.ts';

/** Between two looks at who can go. */
const LOOK_MS = 250;
/** As long as a transaction lasts (RFC 3261 §17, 64 * T1); by then nobody waits any more. */
const GRACE_MS = 32_000;

export interface FarewellOptions {
  readonly clock: Clock;
  /** Whether the connection could be opened under the running document. */
  readonly mayStay: (connection: PartnerConnection) => boolean;
  /** Another worker handles messages of the connection; that one ends it when all is answered. */
  readonly lent: (connection: PartnerConnection) => boolean;
  readonly close: (connection: PartnerConnection) => void;
}

/**
 * Connections of partners that are none any more. Whatever they ask is refused from then on; what they asked before gets
 * its answer, and the connection ends with the last one: a change of the list loses no answer.
 */
export class Farewell {
  readonly #options: FarewellOptions;
  readonly #leaving = new Map<PartnerConnection, number>();
  #cancel: Cancel | undefined;

  constructor(options: FarewellOptions) {
    this.#options = options;
  }

  /** At once, when nothing is under way. */
  begin(connections: Iterable<PartnerConnection>): void {
    const now = this.#options.clock.now();
    for (const connection of connections) {
      if (!this.#leaving.has(connection)) this.#leaving.set(connection, now + GRACE_MS);
    }
    this.#look();
  }
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#leaving.clear();
  }

  #look(): void {
    const { clock, mayStay, lent, close } = this.#options;
    for (const [connection, until] of this.#leaving) {
      if (!connection.flow.open || mayStay(connection)) {
        this.#leaving.delete(connection);
        continue;
      }
      const underWay = connection.flow.unanswered > 0 || lent(connection);
      if (underWay && clock.now() < until) continue;
      this.#leaving.delete(connection);
      close(connection);
    }
    if (this.#leaving.size === 0 || this.#cancel !== undefined) return;
    this.#cancel = clock.after(LOOK_MS, () => {
      this.#cancel = undefined;
      this.#look();
    });
  }
}
