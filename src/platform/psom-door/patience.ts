/** How long a client may take nothing at all, milliseconds. */
const MOST_MS = 30_000;
/** What it has to take of an answer beyond that, octets a second: a line of 32 kbit/s is still served. */
const LOWEST_RATE = 4 * 1024;

/**
 * How long a client is waited for that takes an answer slowly. Waiting uses it up, and each octet taken gives a little back: who
 * takes nothing is let go after half a minute, and who takes a little every now and then holds a file's place not much longer.
 */
export class Patience {
  #leftMs = MOST_MS;

  /** Milliseconds until it is over, if nothing more is taken. */
  get leftMs(): number {
    return this.#leftMs;
  }
  /** The client was waited for, and has taken so many octets since the last time. */
  use(waitedMs: number, taken: number): void {
    const regained = (taken * 1000) / LOWEST_RATE;
    this.#leftMs = Math.min(MOST_MS, Math.max(0, this.#leftMs - waitedMs) + regained);
  }
}
