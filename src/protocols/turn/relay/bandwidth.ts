import type { Monotonic } from '#kernel';
import type { RelayLimits } from './relay-settings.ts';

/** Octets that may pass in one direction: refilled by time, saved up to a burst, below zero when it was overdrawn. */
export interface Budget {
  /**
   * @param rate octets a millisecond
   * @param burst octets at most saved up
   * @returns octets that may pass now
   */
  refill(now: Monotonic, rate: number, burst: number): number;
  take(octets: number): void;
  /** Nobody takes from it any more. */
  release(): void;
}

/** Makes a full budget. An adapter that relays data itself gives some that it can take from, too. */
export type NewBudget = (rate: BudgetRate) => Budget;

/** As the parameters of `Budget.refill`. */
export interface BudgetRate {
  readonly rate: number;
  readonly burst: number;
}

export function newByteBudget(): Budget {
  return new ByteBudget();
}

class ByteBudget implements Budget {
  #octets = Number.POSITIVE_INFINITY;
  #updated: Monotonic = 0;

  refill(now: Monotonic, rate: number, burst: number): number {
    const elapsed = Math.max(0, now - this.#updated);
    this.#updated = now;
    this.#octets = Math.min(burst, this.#octets + elapsed * rate);
    return this.#octets;
  }
  take(octets: number): void {
    this.#octets -= octets;
  }
  release(): void {}
}

/** What the allocations of one user share. */
export class UserAccount {
  allocations = 0;
  readonly sent: Budget;
  readonly received: Budget;

  constructor(newBudget: NewBudget, limits: RelayLimits) {
    const rate = rateOf(limits.userKilobits, limits);
    this.sent = newBudget(rate);
    this.received = newBudget(rate);
  }
}

/** The two budgets that an octet of an allocation passes in one direction: of its port, and of its user. */
export interface Toll {
  readonly port: Budget;
  readonly user: Budget;
}

/** A kilobit a second in octets a millisecond. */
const KILOBIT = 1 / 8;

export function rateOf(kilobits: number, { burstMilliseconds }: RelayLimits): BudgetRate {
  const rate = kilobits * KILOBIT;
  return { rate, burst: rate * burstMilliseconds };
}
/** For whoever else takes from the budgets: by which rates they refill from now on. */
export function refillToll({ port, user }: Toll, now: Monotonic, limits: RelayLimits): void {
  const [ofPort, ofUser] = [rateOf(limits.portKilobits, limits), rateOf(limits.userKilobits, limits)];
  port.refill(now, ofPort.rate, ofPort.burst);
  user.refill(now, ofUser.rate, ofUser.burst);
}

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
