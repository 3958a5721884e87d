import { type Cancel, randomToken, type WallTime } from '#kernel';
import type { SipOutcome } from '#platform/sip-agent';
import { PIDF_TYPE } from '#protocols/presence';
import { Dialog, dialogIdOf, type ServerTransaction, type SipRequest } from '#protocols/sip';
import { type DevicePresence, readPresence, stanzaErrorOf, writePresenceDocument } from '#protocols/sip-xmpp';
import { element } from '#protocols/xml';
import { NS } from '#protocols/xmpp';
import type { Arrival } from './arrival.ts';
import type { GatewayContext } from './gateway-context.ts';
import type { Approval, Pair } from './gateway-store.ts';
import { PartnerCounts, shareOf } from './partner-share.ts';
import { isFrom, noteOf, partiesOfRequest, sipOfBare } from './party.ts';
import type { Owed, Retelling } from './retelling.ts';
import { readEvent, secondsOf, subscriptionProblem } from './subscription-state.ts';

/** One subscription of a device of a user of ours. */
interface Watcher extends Pair {
  readonly dialog: Dialog;
  readonly eventId: string | undefined;
  expires: WallTime;
  /** A NOTIFY is under way; what happens meanwhile is told by the next. */
  busy: boolean;
  /** Something is to be told. */
  stale: boolean;
  /** Set once it is over, with the reason that the last NOTIFY gives. */
  ending: string | undefined;
  /** Its device has left: the last NOTIFY says that there is nothing more to see (RFC 8048 §5.3.3). */
  left: boolean;
  /** Asked for the state of the moment only. */
  once: Cancel | undefined;
}

const DEFAULT_SECONDS = 3600;
const MOST_RESOURCES = 32;
/** Subscriptions of one user to one contact. */
const MOST_DEVICES = 32;
/** How long the state of the moment is waited for. */
const ONCE_MS = 5000;

/** Subscriptions of users of ours to the presence of partners' users: the gateway is the notifier (RFC 8048 §5.3). */
export class Watchers {
  readonly #context: GatewayContext;
  readonly #watchers = new Map<string, Watcher>();
  readonly #byPair = new Map<string, Set<Watcher>>();
  readonly #held = new PartnerCounts();
  readonly #approvals = new Map<string, Approval>();
  readonly #known = new Map<string, Map<string, DevicePresence>>();

  readonly #retelling: Retelling;

  constructor(context: GatewayContext, retelling: Retelling) {
    this.#context = context;
    this.#retelling = retelling;
  }
  get size(): number {
    return this.#watchers.size;
  }
  all(): readonly (Pair & { readonly state: string; readonly expires: WallTime })[] {
    return [...this.#watchers.values()].map(({ local, remote, expires }) => ({
      local,
      remote,
      expires,
      state: this.#approvals.get(keyOf({ local, remote })) ?? 'asked',
    }));
  }

  /** After a restart: everybody whose presence somebody watches is asked for it once more. */
  load(): void {
    const { store, clock } = this.#context;
    for (const approval of store.approvals()) this.#approvals.set(keyOf(approval), approval.state);
    for (const stored of store.watchers()) {
      if (stored.expires <= clock.wall()) store.deleteWatcher(stored.dialog.id);
      else this.#add(newWatcher(stored, stored.dialog, stored.eventId, stored.expires));
    }
  }
  /** What is asked of partners' people, of one domain or of all. */
  *owed(domain?: string): Iterable<Owed> {
    for (const [first] of this.#byPair.values())
      if (first !== undefined && (domain === undefined || first.remote.endsWith(`@${domain}`)))
        yield owedOf(first);
  }
  /**
   * A question came back: the partner is not reached, so that nobody has refused anything. What is pending stays so; who
   * has approved is not seen any more.
   */
  handleUndelivered(pair: Pair): void {
    const key = keyOf(pair);
    if (!this.#byPair.has(key)) return;
    this.#retelling.missed(owedOf(pair));
    if (this.#approvals.get(key) === 'approved') this.#hide(key);
  }
  retell(pair: Pair): boolean {
    const key = keyOf(pair);
    if (!this.#byPair.has(key)) return false;
    this.#say(pair, this.#approvals.get(key) === 'approved' ? 'probe' : 'subscribe');
    return true;
  }

  handleSubscribe(request: SipRequest, transaction: ServerTransaction): void {
    const { sip, settings, store, random, clock } = this.#context;
    const problem = subscriptionProblem(request);
    if (problem !== undefined) {
      this.#context.refuse(noteOf(request, 'not-supported'));
      return sip.respond(transaction, problem.status, { headers: problem.headers });
    }
    const parties = partiesOfRequest(request, settings());
    if (!parties.ok) {
      this.#context.refuse(noteOf(request, parties.error));
      return sip.respond(transaction, parties.error === 'address' ? 404 : 403);
    }
    const { local, remote } = parties.value;
    const { subscriptions, contactsPerUser, partnerPercent } = settings();
    const ofPartner = this.#held.of(remote) >= shareOf(subscriptions, partnerPercent);
    const full = ofPartner || this.#watchers.size >= subscriptions;
    const devices = this.#byPair.get(keyOf({ local, remote }))?.size ?? 0;
    if (full || devices >= MOST_DEVICES || !store.addContact({ local, remote }, contactsPerUser)) {
      this.#context.refuse(noteOf(request, 'limit'));
      return sip.respond(transaction, full ? 503 : 403);
    }
    const tag = randomToken(random, 16);
    const dialog = Dialog.asUas(request, tag, 200);
    if (!dialog.ok) return sip.respond(transaction, 400);
    const seconds = this.#grant(request);
    this.#accept(transaction, { local, remote }, seconds, tag);
    const expires = clock.wall() + seconds * 1000;
    const watcher = newWatcher({ local, remote }, dialog.value, readEvent(request).id, expires);
    this.#add(watcher);
    if (seconds === 0) return this.#answerOnce(watcher);
    store.saveWatcher(watcher);
    this.#ask(watcher);
    this.#tell(watcher);
  }

  /** RFC 8048 §7.2: a poll is answered with what is known, or with what a probe brings. */
  #answerOnce(watcher: Watcher): void {
    const key = keyOf(watcher);
    const asked = this.#approvals.get(key) === 'approved' && !this.#known.has(key);
    if (!asked) return this.#end(watcher, 'timeout');
    watcher.once = this.#context.clock.after(ONCE_MS, () => this.#end(watcher, 'timeout'));
    this.#say(watcher, 'probe');
  }

  /** A SUBSCRIBE in a dialog; false when it is none of these. */
  handleRefresh(request: SipRequest, transaction: ServerTransaction): boolean {
    const watcher = this.#watchers.get(dialogIdOf(request) ?? '');
    if (watcher === undefined) return false;
    const { sip, clock, store, xmpp } = this.#context;
    if (!isFrom(request, watcher.local)) {
      this.#context.refuse(noteOf(request, 'not-of-dialog'));
      sip.respond(transaction, 403);
      return true;
    }
    const taken = watcher.dialog.handleRequest(request);
    if (!taken.ok) {
      sip.respond(transaction, taken.error === 'cseq-out-of-order' ? 500 : 481);
      return true;
    }
    const problem = subscriptionProblem(request);
    if (problem !== undefined) {
      sip.respond(transaction, problem.status, { headers: problem.headers });
      return true;
    }
    const seconds = this.#grant(request);
    this.#accept(transaction, watcher, seconds, undefined);
    watcher.expires = clock.wall() + seconds * 1000;
    if (seconds > 0) {
      store.saveWatcher(watcher);
      this.#tell(watcher);
      return true;
    }
    watcher.left = true;
    this.#end(watcher, 'timeout');
    if (!this.#byPair.has(keyOf(watcher))) {
      xmpp.send(
        element(NS.server, 'presence', { from: watcher.local, to: watcher.remote, type: 'unavailable' }),
      );
    }
    return true;
  }

  #grant(request: SipRequest): number {
    const asked = secondsOf(request.header('Expires')) ?? DEFAULT_SECONDS;
    return Math.min(asked, this.#context.settings().subscriptionSeconds);
  }
  #accept(transaction: ServerTransaction, pair: Pair, seconds: number, toTag: string | undefined): void {
    this.#context.sip.respond(transaction, 200, {
      ...(toTag === undefined ? {} : { toTag }),
      headers: [
        ['Expires', String(seconds)],
        ['Contact', this.#contact(pair)],
      ],
    });
  }

  /** Asks the other side: for its authorisation, or for its state. */
  #ask(pair: Pair): void {
    const key = keyOf(pair);
    if (this.#approvals.get(key) === 'approved') {
      if (!this.#known.has(key)) this.#say(pair, 'probe');
      return;
    }
    this.#approvals.set(key, 'asked');
    this.#context.store.saveApproval(pair, 'asked');
    this.#say(pair, 'subscribe');
  }

  handleSubscribed(arrival: Arrival): void {
    const key = keyOf(arrival);
    if (this.#approvals.has(key)) {
      this.#approvals.set(key, 'approved');
      this.#context.store.saveApproval(arrival, 'approved');
      this.#tellAll(key);
    }
    arrival.done();
  }

  handleUnsubscribed(arrival: Arrival): void {
    this.#drop(arrival, 'rejected');
    arrival.done();
  }

  /** An error for a question of ours; what it says ends the subscriptions, or makes the other side offline. */
  handleError(arrival: Arrival): void {
    const key = keyOf(arrival);
    const state = this.#approvals.get(key);
    const { condition } = stanzaErrorOf(arrival.stanza);
    const nobody = condition === 'item-not-found' || condition === 'gone' || condition === 'jid-malformed';
    if (state === 'asked') this.#drop(arrival, nobody ? 'noresource' : 'probation;retry-after=300');
    else if (state === 'approved') this.#hide(key);
    arrival.done();
  }
  /** Shown as not there until something else is heard. */
  #hide(key: string): void {
    if (this.#known.get(key)?.size === 0) return;
    this.#known.set(key, new Map());
    this.#tellAll(key);
  }

  #drop(pair: Pair, reason: string): void {
    const key = keyOf(pair);
    if (this.#approvals.delete(key)) this.#context.store.deleteApproval(pair);
    this.#known.delete(key);
    for (const watcher of [...(this.#byPair.get(key) ?? [])]) this.#end(watcher, reason);
  }

  /** Presence of somebody who has approved; of others nothing is passed on. */
  handlePresence(arrival: Arrival): void {
    arrival.done();
    const key = keyOf(arrival);
    const device = readPresence(arrival.stanza, arrival.from.resource);
    if (device === undefined || this.#approvals.get(key) !== 'approved') return;
    this.#remember(key, device);
    this.#tellAll(key);
  }

  #remember(key: string, device: DevicePresence): void {
    let devices = this.#known.get(key);
    if (devices === undefined) {
      // Known is only what somebody watches: the bound is that of the subscriptions.
      if (!this.#byPair.has(key)) return;
      devices = new Map();
      this.#known.set(key, devices);
    }
    const name = device.resource ?? '';
    devices.delete(name);
    if (device.available && devices.size < MOST_RESOURCES) devices.set(name, device);
    // The last words of somebody who leaves are shown until somebody says something else.
    if (!device.available && devices.size === 0 && device.status !== undefined) devices.set(name, device);
  }

  #tellAll(key: string): void {
    for (const watcher of [...(this.#byPair.get(key) ?? [])]) {
      if (watcher.once !== undefined) this.#end(watcher, 'timeout');
      else this.#tell(watcher);
    }
  }

  #end(watcher: Watcher, reason: string): void {
    watcher.once?.();
    watcher.once = undefined;
    watcher.ending = reason;
    this.#tell(watcher);
    this.#remove(watcher);
  }

  /** One NOTIFY at a time: a partner that changes its mind a hundred times a second is not followed step by step. */
  #tell(watcher: Watcher): void {
    watcher.stale = true;
    if (watcher.busy) return;
    watcher.stale = false;
    watcher.busy = true;
    this.#context.metrics.notifications.inc('to-sip');
    this.#context.sip.inDialog(watcher.dialog, 'NOTIFY', this.#notification(watcher), (outcome) =>
      this.#told(watcher, outcome),
    );
  }

  #told(watcher: Watcher, outcome: SipOutcome): void {
    watcher.busy = false;
    const { store } = this.#context;
    if (outcome.kind === 'response' && outcome.response.status < 300) {
      if (watcher.ending === undefined) store.saveWatcher(watcher);
      if (watcher.stale) this.#tell(watcher);
      return;
    }
    // The way to the next hop is closed for now: the next sweep tries again.
    if (outcome.kind === 'failed' && outcome.cause !== 'timeout') watcher.stale = true;
    // RFC 6665 §4.2.2: a subscriber who does not answer, or knows nothing of it, has none.
    else this.#remove(watcher);
  }

  #notification(watcher: Watcher): {
    readonly headers: (readonly [string, string])[];
    readonly body?: Buffer;
  } {
    const { clock } = this.#context;
    const { ending, eventId, expires, remote } = watcher;
    const key = keyOf(watcher);
    const approved = this.#approvals.get(key) === 'approved';
    const left = Math.max(0, Math.round((expires - clock.wall()) / 1000));
    const state =
      ending === undefined
        ? `${approved ? 'active' : 'pending'};expires=${left}`
        : `terminated;reason=${ending}`;
    const headers: (readonly [string, string])[] = [
      ['Event', eventId === undefined ? 'presence' : `presence;id=${eventId}`],
      ['Subscription-State', state],
      ['Contact', this.#contact(watcher)],
    ];
    const known = this.#known.get(key);
    if (!watcher.left && (!approved || known === undefined)) return { headers };
    const shown = watcher.left ? [] : [...(known?.values() ?? [])];
    const devices = shown.length === 0 ? [{ resource: undefined, available: false }] : shown;
    headers.push(['Content-Type', PIDF_TYPE]);
    return { headers, body: writePresenceDocument(sipOfBare(remote), devices) };
  }

  sweep(wall: WallTime): void {
    for (const watcher of [...this.#watchers.values()]) {
      if (watcher.once !== undefined) continue;
      if (watcher.expires <= wall) this.#end(watcher, 'timeout');
      else if (watcher.stale && !watcher.busy) this.#tell(watcher);
    }
  }

  #add(watcher: Watcher): void {
    this.#watchers.set(watcher.dialog.id, watcher);
    this.#held.add(watcher.remote);
    const key = keyOf(watcher);
    const same = this.#byPair.get(key) ?? new Set();
    same.add(watcher);
    this.#byPair.set(key, same);
  }
  #remove(watcher: Watcher): void {
    const key = keyOf(watcher);
    if (!this.#watchers.delete(watcher.dialog.id)) return;
    this.#held.remove(watcher.remote);
    this.#context.store.deleteWatcher(watcher.dialog.id);
    const same = this.#byPair.get(key);
    same?.delete(watcher);
    if (same?.size !== 0) return;
    this.#byPair.delete(key);
    this.#known.delete(key);
    this.#retelling.forget(owedOf(watcher));
  }

  #contact({ remote }: Pair): string {
    const uri = sipOfBare(remote);
    return this.#context.sip.contact(uri.slice('sip:'.length, uri.lastIndexOf('@')));
  }
  #say(pair: Pair, type: 'subscribe' | 'probe'): void {
    const owed = owedOf(pair);
    if (!this.#retelling.admits(owed)) return;
    const { local: from, remote: to } = pair;
    this.#context.xmpp.send(
      element(NS.server, 'presence', { from, to, type }),
      this.#retelling.settled(owed),
    );
  }
}

function newWatcher(
  { local, remote }: Pair,
  dialog: Dialog,
  eventId: string | undefined,
  expires: WallTime,
): Watcher {
  const quiet = { busy: false, stale: false, ending: undefined, left: false, once: undefined };
  return { local, remote, dialog, eventId, expires, ...quiet };
}

function owedOf({ local, remote }: Pair): Owed {
  return { kind: 'question', local, remote };
}
function keyOf({ local, remote }: Pair): string {
  return `${local} ${remote}`;
}
