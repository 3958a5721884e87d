import type { Monotonic } from '#kernel';
import type { RelayLimits } from './relay-settings.ts';

/** Octets that may pass in one direction: refilled by time, saved up to a burst, below zero when it was overdrawn. */
export class ByteBudget {
  #octets = Number.POSITIVE_INFINITY;
  #updated: Monotonic = 0;

  /**
   * @param rate octets a millisecond
   * @param burst octets at most saved up
   * @returns octets that may pass now
   */
  refill(now: Monotonic, rate: number, burst: number): number {
    const elapsed = Math.max(0, now - this.#updated);
    this.#updated = now;
    this.#octets = Math.min(burst, this.#octets + elapsed * rate);
    return this.#octets;
  }
  take(octets: number): void {
    this.#octets -= octets;
  }
}

/** What the allocations of one user share. */
export class UserAccount {
  allocations = 0;
  readonly sent = new ByteBudget();
  readonly received = new ByteBudget();
}

/** The two budgets that an octet of an allocation passes in one direction: of its port, and of its user. */
export interface Toll {
  readonly port: ByteBudget;
  readonly user: ByteBudget;
}

/** A kilobit a second in octets a millisecond. */
const KILOBIT = 1 / 8;

/**
 * Takes `octets` from both budgets.
 * @param overdraw take them even when they are not there, since they come in a stream that nothing may be left out of
 * @returns milliseconds until both budgets are out of debt again; 0 when the octets were there, -1 when they were not
 *   and were not taken
 */
export function takeOctets(
  toll: Toll,
  octets: number,
  now: Monotonic,
  limits: RelayLimits,
  overdraw: boolean,
): number {
  const portRate = limits.portKilobits * KILOBIT;
  const userRate = limits.userKilobits * KILOBIT;
  const ofPort = toll.port.refill(now, portRate, portRate * limits.burstMilliseconds);
  const ofUser = toll.user.refill(now, userRate, userRate * limits.burstMilliseconds);
  const fits = octets <= ofPort && octets <= ofUser;
  if (!fits && !overdraw) return -1;
  toll.port.take(octets);
  toll.user.take(octets);
  return fits ? 0 : Math.max((octets - ofPort) / portRate, (octets - ofUser) / userRate);
}
