import { pauseAfter, randomToken, type WallTime } from '#kernel';
import type { SipOutcome } from '#platform/sip-agent';
import { PIDF_TYPE } from '#protocols/presence';
import { Dialog, dialogIdOf, type ServerTransaction, type SipRequest } from '#protocols/sip';
import { conditionOf, type DevicePresence, errorReply, readPresenceDocument } from '#protocols/sip-xmpp';
import { element, type XmlElement } from '#protocols/xml';
import { NS, type ReturnedKind } from '#protocols/xmpp';
import type { Arrival } from './arrival.ts';
import type { GatewayContext, RefusalNote } from './gateway-context.ts';
import type { Pair } from './gateway-store.ts';
import { GUARD_MS, Guards } from './guards.ts';
import { PartnerCounts, shareOf } from './partner-share.ts';
import { isFrom, noteOf, type Parties, sipOfBare } from './party.ts';
import { Refusals } from './refusals.ts';
import type { Owed, Retelling } from './retelling.ts';
import { noteShown, showAll } from './shown.ts';
import { readSubscriptionState, type SubscriptionState, secondsOf } from './subscription-state.ts';
import { newWatch, type Watch } from './watch.ts';
import { WatchDialogs } from './watch-dialogs.ts';

/** Answers that end the authorisation for good (RFC 8048 §5.2.1), and those that say that nobody is there. */
const FOR_GOOD = new Set([403, 489, 603]);
const NOBODY = new Set([404, 410, 604]);
const DROPPED = new Set(['rejected', 'noresource', 'invariant']);
/** The state of the moment is waited for this long. */
const ONCE_MS = 15_000;
const RETRIES = { firstMs: 5000, longestMs: 600_000 };
/** A renewal comes this part of the time before the end. */
const MARGIN = 0.1;
const MOST_ONCE = 1000;

/** Subscriptions of partners' users to the presence of ours: SUBSCRIBE by the gateway (RFC 8048 §5.2). */
export class Watches {
  readonly #context: GatewayContext;
  readonly #watches = new Map<string, Watch>();
  readonly #once = new Set<Watch>();
  readonly #held = new PartnerCounts();
  readonly #askedOnce = new PartnerCounts();
  readonly #dialogs = new WatchDialogs();
  readonly #guards: Guards;

  readonly #retelling: Retelling;
  readonly #refusals: Refusals;

  constructor(context: GatewayContext, retelling: Retelling) {
    this.#context = context;
    this.#retelling = retelling;
    this.#refusals = new Refusals(context, retelling);
    this.#guards = new Guards(context);
  }
  get size(): number {
    return this.#watches.size;
  }
  all(): readonly (Pair & { readonly state: string; readonly expires: WallTime })[] {
    return [...this.#watches.values()];
  }

  /** After a restart: everything is renewed, so that whatever was missed is told. */
  load(): void {
    const wall = this.#context.clock.wall();
    for (const [index, stored] of this.#context.store.watches().entries()) {
      const watch = newWatch(stored, wall, false);
      watch.state = stored.state;
      watch.expires = stored.expires;
      watch.announced = stored.announced;
      for (const resource of stored.shown) watch.shown.add(resource);
      // A thousand a second are no flood for the next hop.
      watch.due = stored.state === 'dormant' ? Number.POSITIVE_INFINITY : wall + index;
      this.#watches.set(keyOf(stored), watch);
      this.#held.add(stored.remote);
      if (stored.dialog !== undefined) this.#dialogs.join(watch, stored.dialog);
    }
    this.#refusals.load();
  }

  /** What partners may have missed, of one domain or of all. */
  *owed(domain?: string): Iterable<Owed> {
    for (const { local, remote } of this.#watches.values())
      if (domain === undefined || remote.endsWith(`@${domain}`)) yield { kind: 'state', local, remote };
  }
  /** A stanza of these came back: the partner is not reached. */
  handleUndelivered({ local, remote, to }: Parties, kind: ReturnedKind): void {
    if (kind === 'unsubscribed') return this.#refusals.missed({ local, remote });
    const watch = this.#watches.get(keyOf({ local, remote }));
    if (watch === undefined) return;
    if (kind === 'subscribed') watch.announced = false;
    else noteShown(watch, to.resource);
    this.#save(watch);
    this.#retelling.missed(owedOf(watch));
  }
  retell({ kind, local, remote }: Owed): boolean {
    if (kind === 'refusal') return this.#refusals.retell({ local, remote });
    const watch = this.#watches.get(keyOf({ local, remote }));
    if (watch?.state === 'dormant') this.#subscribe(watch);
    // What is not known yet is told when the SIP side says it.
    if (watch?.state !== 'active' || watch.known === undefined) return false;
    this.#show(watch, true);
    return true;
  }

  handleSubscribe(arrival: Arrival): void {
    const known = this.#watches.get(keyOf(arrival));
    if (known === undefined) return this.#begin(arrival);
    arrival.done();
    if (known.state === 'active') {
      known.announced = false;
      this.#tell(known, known.known ?? [], true);
    } else if (known.state === 'dormant') this.#subscribe(known);
  }

  #begin(arrival: Arrival): void {
    const { settings, xmpp, clock } = this.#context;
    const { subscriptions, subscriptionsPerUser, partnerPercent } = settings();
    let own = 0;
    for (const { remote } of this.#watches.values()) if (remote === arrival.remote) own += 1;
    const full = this.#watches.size >= subscriptions || own >= subscriptionsPerUser;
    if (full || this.#held.of(arrival.remote) >= shareOf(subscriptions, partnerPercent)) {
      this.#context.refuse(limitOf(arrival));
      const reply = errorReply(arrival.stanza, { condition: 'resource-constraint' });
      return reply === undefined ? arrival.done() : xmpp.send(reply, () => arrival.done());
    }
    const watch = newWatch(arrival, clock.wall(), false);
    this.#refusals.forget(watch);
    this.#watches.set(keyOf(watch), watch);
    this.#held.add(watch.remote);
    this.#save(watch);
    arrival.done();
    this.#subscribe(watch);
  }

  handleUnsubscribe(arrival: Arrival): void {
    const watch = this.#watches.get(keyOf(arrival));
    if (watch === undefined) return arrival.done();
    this.#forget(watch);
    arrival.done();
    const tell = () => this.#refusals.say(watch);
    if (watch.dialog === undefined) return tell();
    this.#context.sip.inDialog(watch.dialog, 'SUBSCRIBE', { headers: this.#headers(watch, 0) }, tell);
  }

  /** RFC 8048 §7.1: what is known is told at once; else the SIP side is asked. */
  handleProbe(arrival: Arrival): void {
    arrival.done();
    const watch = this.#watches.get(keyOf(arrival));
    if (watch?.state === 'active' && watch.known !== undefined) {
      this.#tell(watch, watch.known, true);
      if (watch.due < Number.POSITIVE_INFINITY) watch.due = Math.min(watch.due, watch.expires - 1);
    } else if (watch?.state === 'active') this.#renew(watch);
    else if (watch?.state === 'dormant') this.#subscribe(watch);
    else if (watch === undefined) this.#ask(arrival);
  }

  #ask(pair: Pair): void {
    const { clock, settings } = this.#context;
    const share = shareOf(MOST_ONCE, settings().partnerPercent);
    const full = this.#once.size >= MOST_ONCE || this.#askedOnce.of(pair.remote) >= share;
    if (full) return this.#context.refuse(limitOf(pair));
    const watch = newWatch(pair, clock.wall(), true);
    this.#once.add(watch);
    this.#askedOnce.add(watch.remote);
    this.#subscribe(watch);
    clock.after(ONCE_MS, () => {
      this.#once.delete(watch);
      this.#askedOnce.remove(watch.remote);
      this.#leave(watch);
    });
  }

  /**
   * An error that answers the question whether somebody is still there; true when it was one.
   * @param unreachable nobody has answered: the proxy did not reach the partner
   */
  handleGuardError(stanza: XmlElement, unreachable: boolean): boolean {
    const watch = this.#guards.handleError(stanza);
    if (watch === undefined) return false;
    if (unreachable) {
      this.#renew(watch);
      return true;
    }
    watch.state = 'dormant';
    watch.due = Number.POSITIVE_INFINITY;
    this.#save(watch);
    return true;
  }

  /** A NOTIFY; false when it is of no subscription here. */
  handleNotify(request: SipRequest, transaction: ServerTransaction): boolean {
    const watch = this.#dialogs.find(request);
    if (watch === undefined) return false;
    const { sip } = this.#context;
    if (!isFrom(request, watch.local)) {
      this.#context.refuse(noteOf(request, 'not-of-dialog'));
      sip.respond(transaction, 403);
      return true;
    }
    if (watch.dialog?.id === dialogIdOf(request)) {
      const taken = watch.dialog?.handleRequest(request);
      if (taken !== undefined && !taken.ok) {
        sip.respond(transaction, taken.error === 'cseq-out-of-order' ? 500 : 481);
        return true;
      }
    }
    const state = readSubscriptionState(request);
    sip.respond(transaction, state === undefined ? 400 : 200);
    if (state !== undefined) this.#notified(watch, state, request);
    return true;
  }

  #notified(watch: Watch, state: SubscriptionState, request: SipRequest): void {
    const { metrics, clock } = this.#context;
    if (state.state === 'pending') return;
    metrics.notifications.inc('to-xmpp');
    if (state.state === 'terminated') return this.#ended(watch, state, request);
    if (watch.state !== 'active' && !watch.once) {
      watch.state = 'active';
      watch.announced = false;
    }
    if (state.expiresSeconds !== undefined) this.#lasts(watch, state.expiresSeconds, clock.wall());
    watch.attempts = 0;
    this.#tell(watch, documentOf(request));
  }

  #ended(watch: Watch, { reason = '', retryAfterSeconds }: SubscriptionState, request: SipRequest): void {
    if (watch.once) {
      const devices = documentOf(request);
      if (devices.length > 0) this.#tell(watch, devices);
      return this.#leave(watch);
    }
    this.#dialogs.part(watch);
    if (DROPPED.has(reason)) return this.#lose(watch);
    // RFC 6665 §4.1.3: "deactivated" begins anew at once; the others after the time that was said.
    const soon = reason === 'deactivated' ? 0 : (retryAfterSeconds ?? 60) * 1000;
    this.#later(watch, Math.min(soon, RETRIES.longestMs));
  }

  /** The authorisation is gone: both sides hear of it. */
  #lose(watch: Watch): void {
    this.#tell(watch, []);
    this.#forget(watch);
    this.#refusals.say(watch);
  }

  #subscribe(watch: Watch, expires = this.#context.settings().subscriptionSeconds): void {
    const { sip, random } = this.#context;
    this.#dialogs.part(watch);
    const [callId, fromTag] = [randomToken(random, 24), randomToken(random, 16)];
    this.#dialogs.expect(watch, callId, fromTag);
    watch.due = Number.POSITIVE_INFINITY;
    if (watch.state === 'dormant') watch.state = 'active';
    sip.request(
      {
        method: 'SUBSCRIBE',
        uri: sipOfBare(watch.local),
        from: sipOfBare(watch.remote),
        fromTag,
        callId,
        cseq: 1,
        headers: this.#headers(watch, watch.once ? 0 : expires),
      },
      (outcome) => this.#subscribed(watch, outcome),
    );
  }

  #subscribed(watch: Watch, outcome: SipOutcome): void {
    // Nobody waits any more for the answer to a question that was asked once.
    if (watch.once && !this.#once.has(watch)) return;
    if (outcome.kind === 'failed') return this.#later(watch, this.#pause(watch));
    const { response, request } = outcome;
    if (response.status < 300) {
      const dialog = Dialog.asUac(request, response);
      if (!dialog.ok) return this.#later(watch, this.#pause(watch));
      if (!watch.once && !this.#watches.has(keyOf(watch))) {
        // Given up while it was asked for.
        return this.#context.sip.inDialog(
          dialog.value,
          'SUBSCRIBE',
          { headers: this.#headers(watch, 0) },
          () => {},
        );
      }
      this.#dialogs.join(watch, dialog.value);
      this.#granted(watch, response.header('Expires'));
      return;
    }
    this.#refused(watch, response.status, response.header('Min-Expires'), response.reason);
  }

  #refused(watch: Watch, status: number, minimum: string | undefined, reason: string): void {
    if (watch.once) return this.#leave(watch);
    const least = status === 423 ? secondsOf(minimum) : undefined;
    if (least !== undefined && watch.attempts < 3) {
      watch.attempts += 1;
      return this.#subscribe(watch, least);
    }
    const nobody = NOBODY.has(status);
    if (!nobody && !FOR_GOOD.has(status)) return this.#later(watch, this.#pause(watch));
    if (watch.state !== 'pending' || !nobody) return this.#lose(watch);
    this.#forget(watch);
    const asked = element(NS.server, 'presence', { from: watch.remote, to: watch.local, type: 'subscribe' });
    const reply = errorReply(asked, { condition: conditionOf(status), text: reason });
    if (reply !== undefined) this.#context.xmpp.send(reply);
  }

  #granted(watch: Watch, expires: string | undefined): void {
    const { clock, settings } = this.#context;
    this.#lasts(watch, secondsOf(expires) ?? settings().subscriptionSeconds, clock.wall());
    this.#save(watch);
  }
  #lasts(watch: Watch, seconds: number, wall: WallTime): void {
    watch.expires = wall + seconds * 1000;
    watch.due = watch.expires - Math.max(seconds * MARGIN, Math.min(seconds / 2, 30)) * 1000;
  }

  #renew(watch: Watch): void {
    if (!this.#watches.has(keyOf(watch))) return;
    const { dialog } = watch;
    if (dialog === undefined) return this.#subscribe(watch);
    watch.due = Number.POSITIVE_INFINITY;
    const headers = this.#headers(watch, this.#context.settings().subscriptionSeconds);
    this.#context.sip.inDialog(dialog, 'SUBSCRIBE', { headers }, (outcome) => {
      if (watch.dialog !== dialog) return;
      const status = outcome.kind === 'response' ? outcome.response.status : undefined;
      if (outcome.kind === 'response' && outcome.response.status < 300) {
        return this.#granted(watch, outcome.response.header('Expires'));
      }
      if (status === undefined) return this.#later(watch, this.#pause(watch));
      // 481 and whatever else: that subscription is over, the authorisation is not; a new one tells.
      this.#dialogs.part(watch);
      if (FOR_GOOD.has(status)) this.#lose(watch);
      else this.#subscribe(watch);
    });
  }

  /** Looks after what is due. */
  sweep(wall: WallTime): void {
    for (const watch of this.#watches.values()) {
      if (watch.due > wall || watch.guard !== undefined) continue;
      const renews = watch.dialog !== undefined && watch.known !== undefined;
      if (renews && watch.state === 'active' && watch.expires > wall + GUARD_MS) {
        this.#guards.ask(watch, () => this.#renew(watch));
      } else this.#renew(watch);
    }
  }

  #later(watch: Watch, ms: number): void {
    this.#dialogs.part(watch);
    watch.due = this.#context.clock.wall() + ms;
    if (!watch.once) this.#save(watch);
  }
  #pause(watch: Watch): number {
    watch.attempts += 1;
    return pauseAfter(watch.attempts, RETRIES);
  }

  /** Says what is so now, or remembers that it has to be said. */
  #tell(watch: Watch, devices: readonly DevicePresence[], whole = watch.known === undefined): void {
    watch.known = devices;
    if (watch.once || this.#retelling.admits(owedOf(watch))) this.#show(watch, whole);
    else this.#save(watch);
  }
  #show(watch: Watch, whole: boolean): void {
    const stanzas = showAll(watch, whole);
    if (!watch.announced && !watch.once) {
      const { local: from, remote: to } = watch;
      stanzas.unshift(element(NS.server, 'presence', { from, to, type: 'subscribed' }));
      watch.announced = true;
    }
    this.#save(watch);
    const settled = watch.once ? undefined : this.#retelling.settled(owedOf(watch));
    for (const stanza of stanzas) this.#context.xmpp.send(stanza, settled);
  }
  #headers({ remote }: Pair, expires: number): (readonly [string, string])[] {
    const uri = sipOfBare(remote);
    const contact = this.#context.sip.contact(uri.slice('sip:'.length, uri.lastIndexOf('@')));
    return [
      ['Event', 'presence'],
      ['Accept', PIDF_TYPE],
      ['Expires', String(expires)],
      ['Contact', contact],
    ];
  }

  #leave(watch: Watch): void {
    this.#dialogs.part(watch);
    this.#guards.end(watch);
  }
  #forget(watch: Watch): void {
    const { dialog } = watch;
    this.#leave(watch);
    watch.dialog = dialog;
    if (this.#watches.get(keyOf(watch)) === watch) {
      this.#watches.delete(keyOf(watch));
      this.#held.remove(watch.remote);
      this.#retelling.forget(owedOf(watch));
    }
    this.#context.store.deleteWatch(watch);
  }
  #save(watch: Watch): void {
    if (this.#watches.get(keyOf(watch)) === watch) this.#context.store.saveWatch(watch);
  }
}

function documentOf({ body }: SipRequest): DevicePresence[] {
  return body.length === 0 ? [] : (readPresenceDocument(body) ?? []);
}
function limitOf({ local, remote }: Pair): RefusalNote {
  return { reason: 'limit', from: remote, to: local };
}
function owedOf({ local, remote }: Pair): Owed {
  return { kind: 'state', local, remote };
}
function keyOf({ local, remote }: Pair): string {
  return `${remote} ${local}`;
}
