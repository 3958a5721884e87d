import { type Cancel, Deadlines, type Monotonic } from '#kernel';
import type { SipOutcome } from '#platform/sip-agent';
import {
  CONFERENCE_EVENT,
  CONFERENCE_INFO_TYPE,
  type ConferenceInfo,
  writeConferenceInfo,
} from '#protocols/conference';
import { type Dialog, formatSubscriptionState, type SubscriptionState } from '#protocols/sip';
import { contactOf } from './answers.ts';
import type { FocusContext } from './focus-context.ts';
import type { Audience } from './roster-document.ts';
import { SharedRoster } from './shared-roster.ts';

/** One subscription to who takes part in a conference (RFC 6665 §4.2, RFC 4575). */
export interface Subscription {
  readonly dialog: Dialog;
  readonly conference: string;
  readonly participant: number;
  readonly audience: Audience;
  /** `id` of its Event. */
  readonly eventId: string | undefined;
  expires: Monotonic;
  /** What the subscriber knows; undefined when the next document has to be a full one. */
  known: ConferenceInfo | undefined;
  version: number;
  /** Nothing leaves before. */
  notBefore: Monotonic;
  /** A NOTIFY is under way. */
  busy: boolean;
  /** Something may have changed since the last one. */
  stale: boolean;
}

interface Watched {
  readonly ids: Set<string>;
  readonly roster: SharedRoster;
  readonly stop: () => void;
}

/** Subscriptions of one participant: one for each device that it shows the roster on. */
const PER_PARTICIPANT = 4;
const MS = 1000;
/** Documents made in one turn of the event loop, which the meetings share. */
const MOST_AT_ONCE = 16;

/** Tells subscribers who takes part, not more often than they can bear. */
export class Subscriptions {
  readonly #context: FocusContext;
  readonly #all = new Map<string, Subscription>();
  /** Conferences that are watched for somebody. */
  readonly #watched = new Map<string, Watched>();
  readonly #due = new Deadlines<string>();
  #alarm: { readonly at: Monotonic; readonly cancel: Cancel } | undefined;
  #stopped = false;

  constructor(context: FocusContext) {
    this.#context = context;
  }

  get size(): number {
    return this.#all.size;
  }
  find(dialogId: string): Subscription | undefined {
    return this.#all.get(dialogId);
  }
  mayBegin(conference: string, participant: number): boolean {
    if (this.#all.size >= this.#context.settings().subscriptions) return false;
    let own = 0;
    for (const id of this.#watched.get(conference)?.ids ?? []) {
      if (this.#all.get(id)?.participant === participant) own += 1;
    }
    return own < PER_PARTICIPANT;
  }

  /** @param seconds 0: one document, and no more (RFC 6665 §4.4.3) */
  begin(
    sketch: Pick<Subscription, 'dialog' | 'conference' | 'participant' | 'audience' | 'eventId'>,
    seconds: number,
  ): void {
    const now = this.#context.clock.now();
    const subscription: Subscription = {
      ...sketch,
      ...{ expires: now + seconds * MS, known: undefined, version: 0, notBefore: now },
      ...{ busy: false, stale: true },
    };
    const { id } = subscription.dialog;
    this.#all.set(id, subscription);
    this.#watch(subscription.conference).ids.add(id);
    if (seconds === 0) this.end(subscription, 'timeout');
    else this.#plan(subscription);
  }
  /** RFC 6665 §4.2.1.4: a refresh brings the whole state. */
  refresh(subscription: Subscription, seconds: number): void {
    const now = this.#context.clock.now();
    subscription.expires = now + seconds * MS;
    subscription.known = undefined;
    subscription.stale = true;
    if (seconds === 0) return this.end(subscription, 'timeout');
    subscription.notBefore = Math.min(subscription.notBefore, now + MS);
    this.#plan(subscription);
  }

  /** The last NOTIFY; with the state where that is the subscriber's to know. */
  end(subscription: Subscription, reason: 'timeout' | 'noresource' | 'rejected'): void {
    if (!this.#all.has(subscription.dialog.id)) return;
    const told = reason === 'timeout' ? this.#document(subscription) : undefined;
    this.#forget(subscription);
    this.#send(subscription, { state: 'terminated', reason }, told, () => {});
  }
  /** A participant is no longer in, or the conference is over. */
  endOf(conference: string, participant: number, reason: 'noresource' | 'rejected'): void {
    for (const id of [...(this.#watched.get(conference)?.ids ?? [])]) {
      const subscription = this.#all.get(id);
      if (subscription?.participant === participant) this.end(subscription, reason);
    }
  }
  stop(): void {
    this.#stopped = true;
    this.#alarm?.cancel();
    for (const { stop } of this.#watched.values()) stop();
    this.#watched.clear();
    this.#all.clear();
  }

  #watch(conference: string): Watched {
    const known = this.#watched.get(conference);
    if (known !== undefined) return known;
    const { conferences } = this.#context;
    const ids = new Set<string>();
    const roster = new SharedRoster({ id: conference, domain: conferences.domain });
    const stop = conferences.watch(conference, () => {
      roster.handleChange();
      this.#handleChange(ids);
    });
    const watched = { ids, roster, stop };
    this.#watched.set(conference, watched);
    return watched;
  }
  #handleChange(ids: ReadonlySet<string>): void {
    for (const id of ids) {
      const subscription = this.#all.get(id);
      if (subscription === undefined) continue;
      subscription.stale = true;
      this.#plan(subscription);
    }
  }
  #forget({ dialog: { id }, conference }: Subscription): void {
    this.#all.delete(id);
    this.#due.delete(id);
    const watched = this.#watched.get(conference);
    watched?.ids.delete(id);
    if (watched?.ids.size !== 0) return;
    watched.stop();
    this.#watched.delete(conference);
  }

  #plan(subscription: Subscription): void {
    const { stale, busy, notBefore, expires, dialog } = subscription;
    this.#due.set(dialog.id, stale && !busy ? Math.min(notBefore, expires) : expires);
    this.#arm();
  }
  #arm(): void {
    const next = this.#due.next();
    if (this.#stopped || next === this.#alarm?.at) return;
    this.#alarm?.cancel();
    this.#alarm = undefined;
    if (next === undefined) return;
    const { clock } = this.#context;
    // Never at once: whoever subscribed has its answer first.
    this.#alarm = { at: next, cancel: clock.after(Math.max(0, next - clock.now()), () => this.#wake()) };
  }
  #wake(): void {
    this.#alarm = undefined;
    const now = this.#context.clock.now();
    for (let told = 0; told < MOST_AT_ONCE; told++) {
      const id = this.#due.take(now);
      if (id === undefined) break;
      const subscription = this.#all.get(id);
      if (subscription !== undefined) this.#handleDue(subscription, now);
    }
    this.#arm();
  }
  #handleDue(subscription: Subscription, now: Monotonic): void {
    if (subscription.expires <= now) return this.end(subscription, 'timeout');
    subscription.stale = false;
    const told = this.#document(subscription);
    if (told === undefined) return this.#plan(subscription);
    subscription.busy = true;
    subscription.notBefore = now + this.#context.settings().notifyMs;
    const seconds = Math.ceil((subscription.expires - now) / MS);
    this.#send(subscription, { state: 'active', expires: seconds }, told, (outcome) =>
      this.#handleOutcome(subscription, outcome),
    );
    this.#plan(subscription);
  }

  /** The next document for a subscriber; undefined when there is nothing new. */
  #document(subscription: Subscription): ConferenceInfo | undefined {
    const { conference, audience, known } = subscription;
    const { roster } = this.#watch(conference);
    const now = roster.document(audience, () => this.#context.conferences.roster(conference));
    const told = known === undefined ? now : roster.changes(known, now);
    if (told === undefined) return undefined;
    subscription.version += 1;
    subscription.known = now;
    return { ...told, version: subscription.version };
  }

  #send(
    { dialog, conference, eventId }: Subscription,
    state: SubscriptionState,
    told: ConferenceInfo | undefined,
    done: (outcome: SipOutcome) => void,
  ): void {
    const { sip, metrics, conferences } = this.#context;
    const body = told === undefined ? undefined : writeConferenceInfo(told);
    const headers: (readonly [string, string])[] = [
      contactOf({ id: conference, domain: conferences.domain }),
      ['Event', eventId === undefined ? CONFERENCE_EVENT : `${CONFERENCE_EVENT};id=${eventId}`],
      ['Subscription-State', formatSubscriptionState(state)],
    ];
    if (body !== undefined) headers.push(['Content-Type', CONFERENCE_INFO_TYPE]);
    sip.inDialog(dialog, 'NOTIFY', { headers, ...(body === undefined ? {} : { body }) }, (outcome) => {
      const accepted = outcome.kind === 'response' && outcome.response.status < 300;
      const away = outcome.kind === 'failed' && outcome.cause === 'unreachable';
      metrics.notices.inc(accepted ? 'accepted' : away ? 'unreachable' : 'failed');
      done(outcome);
    });
  }

  /** RFC 6665 §4.2.2: who does not take a NOTIFY is not told any more; who cannot be reached hears everything later. */
  #handleOutcome(subscription: Subscription, outcome: SipOutcome): void {
    if (this.#stopped || this.#all.get(subscription.dialog.id) !== subscription) return;
    subscription.busy = false;
    const accepted = outcome.kind === 'response' && outcome.response.status < 300;
    if (!accepted && !(outcome.kind === 'failed' && outcome.cause === 'unreachable')) {
      this.#forget(subscription);
      return;
    }
    if (!accepted) {
      subscription.known = undefined;
      subscription.stale = true;
    }
    this.#plan(subscription);
  }
}
