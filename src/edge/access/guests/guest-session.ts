import { type Monotonic, TokenBucket } from '#kernel';

export interface GuestBudget {
  /** Requests in a minute. */
  readonly perMinute: number;
  /** The whole stay, in milliseconds. */
  readonly stayMs: number;
}

export type GuestUsage = 'call' | 'subscription';

interface GuestDialog {
  /** Remote targets (RFC 3261 §12.1.2), as the other side named them, the latest last. */
  readonly targets: string[];
  readonly usages: Set<GuestUsage>;
  /** It is a call that the conference has accepted. */
  accepted: boolean;
}

/** Dialogs of one guest: the conference, its events, and what the old way of sharing opens beside them. */
const MOST_DIALOGS = 8;
/** Remote targets of one dialog that are remembered: it has one at a time, and forks and refreshes bring others. */
const MOST_TARGETS = 8;

/** A client connection on which somebody without an account is on the way to one conference. */
export class GuestSession {
  readonly since: Monotonic;
  /** The one conference of this connection, in canonical form. */
  conference: string | undefined;
  /** True once the next hop let the guest into it, for the rest of the stay. */
  accepted = false;
  /** By Call-ID. */
  readonly #dialogs = new Map<string, GuestDialog>();
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
  begin(callId: string, usage: GuestUsage): boolean {
    const known = this.#dialogs.get(callId);
    known?.usages.add(usage);
    if (known !== undefined) return true;
    if (this.#dialogs.size >= MOST_DIALOGS) return false;
    this.#dialogs.set(callId, { targets: [], usages: new Set([usage]), accepted: false });
    return true;
  }
  /** The conference lets the guest in. */
  enter(callId: string): void {
    this.accepted = true;
    const dialog = this.#dialogs.get(callId);
    if (dialog !== undefined) dialog.accepted = true;
  }
  /** Whether the guest is in the conference now. */
  get inConference(): boolean {
    for (const { accepted } of this.#dialogs.values()) if (accepted) return true;
    return false;
  }
  /** The other side of a dialog wants to be reached there from now on. */
  target(callId: string, uri: string): void {
    const targets = this.#dialogs.get(callId)?.targets;
    if (targets === undefined || targets.includes(uri)) return;
    targets.push(uri);
    if (targets.length > MOST_TARGETS) targets.shift();
  }
  /**
   * Whether the other side of that dialog named this target, as it is written: what RFC 3261 §19.1.4 takes for the same may
   * lead elsewhere, since a user and that user's conference differ in parameters that it does not compare.
   */
  leadsTo(callId: string, uri: string): boolean {
    return this.#dialogs.get(callId)?.targets.includes(uri) === true;
  }
  end(callId: string, usage: GuestUsage): void {
    const dialog = this.#dialogs.get(callId);
    if (dialog === undefined) return;
    dialog.usages.delete(usage);
    if (usage === 'call') dialog.accepted = false;
    if (dialog.usages.size === 0) this.#dialogs.delete(callId);
  }
}
