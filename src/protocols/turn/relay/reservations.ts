import type { Monotonic, Random } from '#kernel';
import { RESERVATION_TOKEN_BYTES } from '#protocols/stun';
import type { RelayPlace } from './relay-state.ts';

/** A port that EVEN-PORT set aside (RFC 8656 §7.2). It is taken from the pool and bound when it is claimed. */
export interface Reservation {
  readonly place: RelayPlace;
  readonly port: number;
  /** Only the same user may claim it. */
  readonly user: string;
  readonly expires: Monotonic;
}

/** Ports waiting for their RESERVATION-TOKEN. Bounded by their users' quotas, and each waits only briefly. */
export class Reservations {
  readonly #byToken = new Map<string, Reservation>();
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }
  get size(): number {
    return this.#byToken.size;
  }
  /** Ports that a user has waiting; they count against the user's allocations. */
  ofUser(user: string): number {
    let count = 0;
    for (const reservation of this.#byToken.values()) if (reservation.user === user) count++;
    return count;
  }
  /** The token that the client is to present. */
  add(reservation: Reservation): Uint8Array {
    const token = this.#random.bytes(RESERVATION_TOKEN_BYTES);
    const key = Buffer.from(token).toString('latin1');
    this.#byToken.set(key, reservation);
    return token;
  }
  /** Hands out the reservation, once; undefined for an unknown or expired token, or another user's. */
  claim(token: Uint8Array, user: string, now: Monotonic): Reservation | undefined {
    const key = Buffer.from(token).toString('latin1');
    const reservation = this.#byToken.get(key);
    if (reservation === undefined || reservation.expires <= now || reservation.user !== user)
      return undefined;
    this.#byToken.delete(key);
    return reservation;
  }
  /** Puts ports whose time is over back into their pools, where they need no rest: they were never bound. */
  sweep(now: Monotonic): void {
    for (const [key, reservation] of this.#byToken) {
      if (reservation.expires > now) continue;
      this.#byToken.delete(key);
      reservation.place.pool.release(reservation.port, now);
    }
  }
}
