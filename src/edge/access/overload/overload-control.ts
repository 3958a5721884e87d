import type { Monotonic } from '#kernel';
import { fairShare } from './fair-share.ts';

/** Who sends: clients share what there is among themselves, and so do partners. */
export type SourceClass = 'client' | 'partner';
/** New work is shed first; what belongs to a dialog only when nothing else helps. */
export type WorkKind = 'new' | 'within-dialog';

export interface OverloadOptions {
  /** Messages that waited longer are the sign of overload. Milliseconds, above 0. */
  readonly waitMs: number;
}

/** What is told when it begins and when it is over. */
export interface OverloadChange {
  readonly overloaded: boolean;
  /** The longest wait of the last second, in milliseconds. */
  readonly waitedMs: number;
  /** Requests refused since it began. */
  readonly shed: number;
}

/** The length of a window in which requests are counted. Milliseconds. */
const WINDOW_MS = 1000;
/** Sources that are told apart in one window; all others share one count. */
const MOST_SOURCES = 20_000;
/** So many new requests a window are always let in: few of them never are what keeps a process busy. */
const LEAST = 200;
/** After a window with overload, and after one without. */
const DECREASE = 0.7;
const INCREASE = 1.2;
/** How much of its share a source may use ahead of time. */
const AHEAD = 0.1;
/** Sources that come anew in a window may go beyond the limit together by so much. */
const SURPRISE = 1.5;
/** Above so many times the wait, requests within dialogs are shed too. */
const SEVERE = 5;
/** Windows without overload in which nothing had to be refused, after which it is over. */
const CALM_WINDOWS = 5;

type Counts = Map<string, number>;

/**
 * Decides which requests are refused while this process cannot keep up (RFC 6357 §4: load is shed where it enters, before
 * work was spent on it). Waiting time is the sign, for it is what people feel. While it is too long, fewer new requests
 * are let in with each window, then again more; what is let in is shared fairly, first by clients and partners, then by
 * every source among its kind, so that who floods pays for it alone.
 */
export class OverloadControl {
  #waitMs: number;
  readonly #onChange: (change: OverloadChange) => void;
  #windowEnd: Monotonic = 0;
  #asked = counts();
  /** New requests let in, in this window and in the last one. */
  #admitted = 0;
  #lastAdmitted = 0;
  #taken = counts();
  #worst = 0;
  #late = false;
  /** New requests a window; undefined: nothing is shed. */
  #limit: number | undefined;
  #shares: Record<SourceClass, number> = {
    client: Number.POSITIVE_INFINITY,
    partner: Number.POSITIVE_INFINITY,
  };
  #calm = 0;
  /** Since it began, now and at the end of the last window. */
  #shed = 0;
  #shedBefore = 0;

  constructor(options: OverloadOptions, onChange: (change: OverloadChange) => void) {
    this.#waitMs = options.waitMs;
    this.#onChange = onChange;
  }

  get overloaded(): boolean {
    return this.#limit !== undefined;
  }
  /** Another measure: what was found by the old one is forgotten. */
  configure({ waitMs }: OverloadOptions): void {
    if (waitMs === this.#waitMs) return;
    this.#waitMs = waitMs;
    this.#late = false;
    this.#limit = undefined;
  }

  /** How long what was just read had waited. */
  handleWait(waitedMs: number, now: Monotonic): void {
    this.#roll(now);
    this.#worst = Math.max(this.#worst, waitedMs);
    // Once may be the host's doing; twice in a row there is too much to do.
    const again = this.#late;
    this.#late = waitedMs > this.#waitMs;
    if (!again || !this.#late || this.#limit !== undefined) return;
    const rate = (this.#admitted * WINDOW_MS) / Math.max(WINDOW_MS / 10, WINDOW_MS - (this.#windowEnd - now));
    this.#limit = Math.max(LEAST, DECREASE * Math.max(rate, this.#lastAdmitted));
    this.#calm = 0;
    this.#shed = 0;
    this.#shedBefore = 0;
    this.#shareOut();
    this.#onChange({ overloaded: true, waitedMs, shed: 0 });
  }

  /** Whether a request is let in. ACK, CANCEL and responses are never asked about: they end work. */
  admits(kind: WorkKind, sourceClass: SourceClass, source: string, now: Monotonic): boolean {
    this.#roll(now);
    if (kind === 'within-dialog') {
      if (this.#limit === undefined || this.#worst <= SEVERE * this.#waitMs) return true;
      this.#shed += 1;
      return false;
    }
    add(this.#asked[sourceClass], source);
    const taken = this.#taken[sourceClass];
    const over =
      this.#limit !== undefined &&
      (this.#admitted >= this.#limit * SURPRISE ||
        (taken.get(source) ?? 0) + 1 > Math.max(1, this.#shares[sourceClass] * this.#sofar(now)));
    if (over) {
      this.#shed += 1;
      return false;
    }
    this.#admitted += 1;
    if (this.#limit !== undefined) add(taken, source);
    return true;
  }

  /** The part of a window's share that may be used by now: a share spent at once would make others wait. */
  #sofar(now: Monotonic): number {
    return Math.min(1, 1 - (this.#windowEnd - now) / WINDOW_MS + AHEAD);
  }

  #roll(now: Monotonic): void {
    if (now < this.#windowEnd) return;
    this.#windowEnd = now + WINDOW_MS;
    if (this.#limit !== undefined) this.#adapt(this.#limit);
    this.#shedBefore = this.#shed;
    if (this.#limit !== undefined) this.#shareOut();
    this.#lastAdmitted = this.#admitted;
    this.#admitted = 0;
    this.#worst = 0;
    this.#asked = counts();
    this.#taken = counts();
  }

  #adapt(limit: number): void {
    if (this.#worst > this.#waitMs) {
      this.#calm = 0;
      this.#limit = Math.max(LEAST, limit * DECREASE);
      return;
    }
    this.#calm = this.#shed > this.#shedBefore ? 0 : this.#calm + 1;
    this.#limit = limit * INCREASE;
    if (this.#calm < CALM_WINDOWS) return;
    this.#limit = undefined;
    this.#onChange({ overloaded: false, waitedMs: this.#worst, shed: this.#shed });
  }

  /** From what was asked for in the window that is over, or in the one that is too much. */
  #shareOut(): void {
    if (this.#limit === undefined) return;
    const asked = { client: sum(this.#asked.client), partner: sum(this.#asked.partner) };
    const share = fairShare(this.#limit, Object.values(asked));
    this.#shares = {
      client: fairShare(Math.min(share, asked.client), this.#asked.client.values()),
      partner: fairShare(Math.min(share, asked.partner), this.#asked.partner.values()),
    };
  }
}

function counts(): Record<SourceClass, Counts> {
  return { client: new Map(), partner: new Map() };
}

const OTHERS = '';
function add(counted: Counts, source: string): void {
  const key = counted.has(source) || counted.size < MOST_SOURCES ? source : OTHERS;
  counted.set(key, (counted.get(key) ?? 0) + 1);
}

function sum(counted: Counts): number {
  let total = 0;
  for (const count of counted.values()) total += count;
  return total;
}
