import { type Monotonic, TokenBucket } from '#kernel';

export interface GuestBudget {
  /** Requests in a minute. */
  readonly perMinute: number;
  /** The whole stay, in milliseconds. */
  readonly stayMs: number;
}

/** Dialogs of one guest: the conference, its events, and what the old way of sharing opens beside them. */
const MOST_DIALOGS = 8;

/** A client connection on which somebody without an account is on the way to one conference. */
export class GuestSession {
  readonly since: Monotonic;
  /** The one conference of this connection, in canonical form. */
  conference: string | undefined;
  /** True once the next hop let the guest into it. */
  accepted = false;
  readonly #dialogs = new Set<string>();
  readonly #bucket: TokenBucket;
  /** Apart, for an ACK that is refused loses a call. */
  readonly #acks: TokenBucket;

  constructor(now: Monotonic, { perMinute }: GuestBudget) {
    this.since = now;
    this.#bucket = new TokenBucket(perMinute / 60, perMinute, now);
    this.#acks = new TokenBucket(perMinute / 60, perMinute, now);
  }

  /** False when this minute's requests are used up. */
  spend(method: string, now: Monotonic): boolean {
    return (method === 'ACK' ? this.#acks : this.#bucket).take(now);
  }
  takesPartIn(callId: string): boolean {
    return this.#dialogs.has(callId);
  }
  /** False when the guest has as many dialogs as one may have. */
  begin(callId: string): boolean {
    if (this.#dialogs.has(callId)) return true;
    if (this.#dialogs.size >= MOST_DIALOGS) return false;
    this.#dialogs.add(callId);
    return true;
  }
  end(callId: string): void {
    this.#dialogs.delete(callId);
  }
}
