import { Deadlines, type WallTime } from '#kernel';
import {
  type DialogRequest,
  type DialogRequestOptions,
  formatEvent,
  formatSubscriptionState,
  type TerminationReason,
} from '#protocols/sip';
import type { PresenceStore } from './presence-store.ts';
import { type Reach, recordOf, type Subscription } from './subscription.ts';

/** What a notification says. */
export interface Content {
  readonly state: 'active' | 'pending' | { readonly terminated: TerminationReason };
  readonly body?: { readonly type: string; readonly bytes: Buffer };
}

/** One NOTIFY that is to leave now. */
export interface Notification {
  readonly id: string;
  readonly reach: Reach;
  /** The Route values that it goes along. */
  readonly routes: readonly string[];
  readonly presentity: string;
  readonly watcher: string;
  /** The watcher's Contact. */
  readonly target: string;
  readonly outsider: boolean;
  write(options: DialogRequestOptions): DialogRequest;
}

/** What became of a NOTIFY. */
export type Outcome =
  | { readonly kind: 'accepted' }
  /** There is no connection to the watcher now; it may come back. */
  | { readonly kind: 'unreachable' }
  /** Refused with Retry-After. */
  | { readonly kind: 'later'; readonly seconds: number }
  /** Refused, or not answered: the subscription ends (RFC 6665 §4.2.2). */
  | { readonly kind: 'failed' };

interface Live {
  readonly subscription: Subscription;
  readonly stored: boolean;
  /** The number of the dialog's requests from which on it has to be stored again. */
  reserved: number;
  /** What the next NOTIFY ends it with. */
  ending?: TerminationReason;
  dirty: boolean;
  /** What is owed is no mere change, and counts for no interval. */
  urgent: boolean;
  /** A NOTIFY is on its way; one at a time, so that none can overtake another. */
  outstanding: boolean;
  /** No way to the watcher was found. */
  held: boolean;
  /** Before this no NOTIFY for a mere change leaves. */
  notBefore: WallTime;
}

export interface NotifierOptions {
  readonly store: PresenceStore;
  /** What the subscription is told now. */
  readonly content: (
    subscription: Subscription,
    ending: TerminationReason | undefined,
    wall: WallTime,
  ) => Content;
  readonly spacingMs: () => number;
  readonly onEnded: (subscription: Subscription, wall: WallTime) => void;
}

/** The live subscriptions and what each is due to hear: at once, after a while, or at its end. */
export class Notifier {
  readonly #options: NotifierOptions;
  readonly #live = new Map<string, Live>();
  readonly #byPresentity = new Map<string, Set<Live>>();
  readonly #byWatcher = new Map<string, Set<Live>>();
  readonly #due = new Deadlines<Live>();

  constructor(options: NotifierOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#live.size;
  }
  get(id: string): Subscription | undefined {
    const live = this.#live.get(id);
    return live === undefined || live.ending !== undefined ? undefined : live.subscription;
  }
  /** Those that go on. */
  of(presentity: string): Subscription[] {
    const live = [...(this.#byPresentity.get(presentity) ?? [])];
    return live.filter(({ ending }) => ending === undefined).map(({ subscription }) => subscription);
  }
  all(): Subscription[] {
    return [...this.#live.values()].map(({ subscription }) => subscription);
  }
  by(watcher: string): number {
    return this.#byWatcher.get(watcher)?.size ?? 0;
  }
  watches(presentity: string): boolean {
    return this.#byPresentity.has(presentity);
  }
  next(): WallTime | undefined {
    return this.#due.next();
  }

  /** @param stored false for one that is over with its first notification (RFC 6665 §4.4.3) */
  add(subscription: Subscription, stored: boolean): void {
    const fresh = { dirty: false, urgent: false, outstanding: false, held: false, notBefore: 0 };
    const live: Live = { subscription, stored, reserved: subscription.dialog.localCSeq ?? 0, ...fresh };
    this.#live.set(subscription.id, live);
    index(this.#byPresentity, subscription.presentity, live);
    index(this.#byWatcher, subscription.watcher, live);
    this.#schedule(live);
  }
  store(subscription: Subscription): void {
    const live = this.#live.get(subscription.id);
    if (live?.stored !== true) return;
    const record = recordOf(subscription);
    live.reserved = record.dialog.localCSeq ?? 0;
    this.#options.store.saveSubscription(record);
  }

  /** To be told at once: it has begun, was renewed, or its watcher was decided about. */
  tell(subscription: Subscription): void {
    const live = this.#live.get(subscription.id);
    if (live === undefined) return;
    live.dirty = true;
    live.urgent = true;
    live.held = false;
    live.notBefore = 0;
    this.#schedule(live);
  }
  /** What it is about has changed. */
  touch(presentity: string, eventPackage: string): void {
    for (const live of this.#byPresentity.get(presentity) ?? []) {
      if (live.subscription.event.package !== eventPackage) continue;
      live.dirty = true;
      this.#schedule(live);
    }
  }
  end(subscription: Subscription, reason: TerminationReason): void {
    const live = this.#live.get(subscription.id);
    if (live === undefined || live.ending !== undefined) return;
    live.ending = reason;
    this.tell(subscription);
  }
  /** The watcher may be reached again. */
  retry(watcher: string): void {
    for (const live of this.#byWatcher.get(watcher) ?? []) this.#release(live);
  }
  /** Whoever is reached this way may be reached again. */
  retryBy(is: (reach: Reach) => boolean): void {
    for (const live of this.#live.values()) if (is(live.subscription.reach)) this.#release(live);
  }
  #release(live: Live): void {
    if (!live.held) return;
    live.held = false;
    live.notBefore = 0;
    this.#schedule(live);
  }

  /** Notifications whose time has come. */
  take(wall: WallTime): Notification[] {
    const taken: Notification[] = [];
    for (let live = this.#due.take(wall); live !== undefined; live = this.#due.take(wall)) {
      if (live.ending === undefined && live.subscription.expires <= wall) live.ending = 'timeout';
      if (live.ending !== undefined && live.held) this.#forget(live, wall);
      else taken.push(this.#notification(live, wall));
    }
    return taken;
  }

  handleOutcome(id: string, outcome: Outcome, wall: WallTime): void {
    const live = this.#live.get(id);
    if (live === undefined) return;
    live.outstanding = false;
    if (outcome.kind === 'failed' || (live.ending !== undefined && !this.#isOwed(live, outcome))) {
      return this.#forget(live, wall);
    }
    if (outcome.kind !== 'accepted') live.dirty = true;
    if (outcome.kind === 'unreachable') live.held = true;
    if (outcome.kind === 'later') live.notBefore = wall + outcome.seconds * 1000;
    this.#schedule(live);
  }

  /** It ended while the notification before the last was still on its way. */
  #isOwed(live: Live, outcome: Outcome): boolean {
    return live.dirty && outcome.kind === 'accepted';
  }

  #notification(live: Live, wall: WallTime): Notification {
    const { subscription } = live;
    const { dialog, reach, presentity, watcher, outsider } = subscription;
    live.dirty = false;
    live.outstanding = true;
    if (!live.urgent) live.notBefore = wall + this.#options.spacingMs();
    live.urgent = false;
    if ((dialog.localCSeq ?? 0) >= live.reserved) this.store(subscription);
    return {
      ...{
        id: subscription.id,
        reach,
        presentity,
        watcher,
        outsider,
        routes: dialog.routeSet,
        target: dialog.remoteTarget,
      },
      write: (options) => {
        const { state, body } = this.#options.content(subscription, live.ending, wall);
        const headers: (readonly [string, string])[] = [
          ...(options.headers ?? []),
          ['Event', formatEvent(subscription.event)],
          ['Subscription-State', stateText(state, subscription, wall)],
        ];
        if (body === undefined) return dialog.request('NOTIFY', { ...options, headers });
        headers.push(['Content-Type', body.type]);
        return dialog.request('NOTIFY', { ...options, headers, body: body.bytes });
      },
    };
  }

  #schedule(live: Live): void {
    if (live.outstanding) return this.#due.delete(live);
    const { expires } = live.subscription;
    const due = live.dirty && !live.held ? live.notBefore : expires;
    this.#due.set(live, live.ending === undefined ? Math.min(due, expires) : 0);
  }

  #forget(live: Live, wall: WallTime): void {
    const { subscription } = live;
    this.#live.delete(subscription.id);
    unindex(this.#byPresentity, subscription.presentity, live);
    unindex(this.#byWatcher, subscription.watcher, live);
    this.#due.delete(live);
    if (live.stored) this.#options.store.deleteSubscription(subscription.id);
    this.#options.onEnded(subscription, wall);
  }
}

function stateText(state: Content['state'], { expires }: Subscription, wall: WallTime): string {
  if (typeof state !== 'string')
    return formatSubscriptionState({ state: 'terminated', reason: state.terminated });
  return formatSubscriptionState({ state, expires: Math.max(0, Math.round((expires - wall) / 1000)) });
}

function index(map: Map<string, Set<Live>>, key: string, live: Live): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, new Set([live]));
  else known.add(live);
}
function unindex(map: Map<string, Set<Live>>, key: string, live: Live): void {
  const known = map.get(key);
  known?.delete(live);
  if (known?.size === 0) map.delete(key);
}
