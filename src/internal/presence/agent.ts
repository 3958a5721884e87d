import { Deadlines, type Random, randomToken, type WallTime } from '#kernel';
import {
  composePresence,
  offlinePresence,
  PIDF_TYPE,
  type PresenceSource,
  readWatcherInfo,
  WATCHER_INFO_TYPE,
  writePidf,
} from '#protocols/presence';
import { Dialog, dialogIdOf, eventOf, type SipRequest, type TerminationReason } from '#protocols/sip';
import { Approvals } from './approvals.ts';
import { type Content, type Notification, Notifier, type Outcome } from './notifier.ts';
import type { PresenceStore } from './presence-store.ts';
import { Publications } from './publications.ts';
import { ALLOW_EVENTS, accepts, grantedSeconds, type Reply, refusal } from './reply.ts';
import type { Approval, Decision, PresenceSettings } from './settings.ts';
import { packages, restored, type Subscriber, type Subscription } from './subscription.ts';
import { watcherList } from './watcher-list.ts';

/** What the agent knows of the users. */
export interface Users {
  knows(presentity: string): boolean;
  /** Whether a user is signed in on any device, and until when that is so at least. */
  devices(presentity: string, wall: WallTime): { readonly signedIn: boolean; readonly until: WallTime };
  /** False when a watcher may see nothing of a user, whatever the user says: the external access policy. */
  admits(presentity: string, watcher: Pick<Subscriber, 'address' | 'outsider' | 'reach'>): boolean;
  /** `user@domain` of a SIP URI, as rules name people. */
  addressOf(uri: string): string | undefined;
}

export interface PresenceAgentOptions {
  readonly random: Random;
  readonly store: PresenceStore;
  readonly users: Users;
}

const TAG_LENGTH = 12;
/** After a start devices have this long to come back before they are said to be gone. */
const GRACE_MS = 15_000;
const TYPES = { presence: PIDF_TYPE, 'presence.winfo': WATCHER_INFO_TYPE } as const;

/**
 * The presence agent of RFC 3856 §5.1: keeps who watches whom (RFC 6665), what devices published (RFC 3903) and what
 * users decided about watchers (RFC 3857), and says what is to be notified. Times are of the wall clock, since all of
 * it is stored.
 */
export class PresenceAgent {
  readonly #options: PresenceAgentOptions;
  readonly #notifier: Notifier;
  readonly #publications: Publications;
  readonly #approvals: Approvals;
  /** The document of each user who is watched, as it was when it was looked at last. */
  readonly #shown = new Map<string, Buffer>();
  /** When the document of such a user may change by itself. */
  readonly #changes = new Deadlines<string>();
  #settings: PresenceSettings;
  /** Called when an operator's word has made something due. */
  onDue: () => void = () => {};

  constructor(options: PresenceAgentOptions, settings: PresenceSettings, wall: WallTime) {
    const { store, random } = options;
    this.#options = options;
    this.#settings = settings;
    this.#publications = new Publications(store, random, settings);
    this.#approvals = new Approvals(store, settings);
    this.#notifier = new Notifier({
      store,
      content: (subscription, ending, at) => this.#content(subscription, ending, at),
      spacingMs: () => this.#settings.notifySeconds * 1000,
      onEnded: (subscription) => this.#ended(subscription),
    });
    store.forgetExpiredPublications(wall);
    for (const record of store.subscriptions()) {
      const subscription = restored(record);
      if (subscription === undefined) store.deleteSubscription(record.id);
      else this.#notifier.add(subscription, true);
      this.#changes.set(record.presentity, wall + GRACE_MS);
    }
  }

  get subscriptions(): number {
    return this.#notifier.size;
  }
  configure(settings: PresenceSettings): void {
    this.#settings = settings;
    this.#publications.configure(settings);
    this.#approvals.configure(settings);
    this.reconsider();
  }
  /** Ends what the policies of users no longer allow. */
  reconsider(): void {
    for (const subscription of this.#notifier.all()) {
      const { presentity, watcher: address, outsider, reach } = subscription;
      if (!this.#options.users.admits(presentity, { address, outsider, reach })) {
        this.#notifier.end(subscription, 'rejected');
      }
    }
  }

  /** RFC 6665 §4.2.1; `presentity` is the user that the Request-URI names. */
  handleSubscribe(
    request: SipRequest,
    subscriber: Subscriber,
    presentity: string | undefined,
    wall: WallTime,
  ): Reply {
    const event = eventOf(request);
    const known = packages.find((name) => name === event?.package);
    if (event === undefined || known === undefined) return refusal(489, undefined, [ALLOW_EVENTS]);
    const seconds = grantedSeconds(request.header('Expires'), this.#settings);
    if (typeof seconds !== 'number') return seconds;
    if (!accepts(request.values('Accept'), TYPES[known])) return refusal(406);
    if (request.to.tag !== undefined) return this.#renew(request, subscriber, seconds, wall);
    if (presentity === undefined || !this.#options.users.knows(presentity)) return refusal(404);
    const refused = this.#refusalOf(subscriber, presentity, known);
    if (refused !== undefined) return refused;
    const toTag = randomToken(this.#options.random, TAG_LENGTH);
    const dialog = Dialog.asUas(request, toTag, 200);
    if (!dialog.ok) return refusal(400, 'No Dialog Can Begin');
    const subscription: Subscription = {
      ...{ id: dialog.value.id, presentity, dialog: dialog.value, event: { ...event, package: known } },
      ...{ watcher: subscriber.address, outsider: subscriber.outsider, reach: subscriber.reach },
      ...{ begun: wall, expires: wall + seconds * 1000 },
    };
    if (!this.#noteWatcher(subscription, wall)) return refusal(403, 'Too Many Watchers');
    this.#begin(subscription, seconds > 0, wall);
    return { status: 200, toTag, headers: [['Expires', `${seconds}`]] };
  }

  /** RFC 3903 §6; `sender` is proven. */
  handlePublish(request: SipRequest, sender: string, presentity: string | undefined, wall: WallTime): Reply {
    if (presentity === undefined || !this.#options.users.knows(presentity)) return refusal(404);
    if (presentity !== sender) return refusal(403, 'Third-Party Publication Refused');
    const event = eventOf(request)?.package;
    if (event === 'presence.winfo') return this.#handleDecisions(request, presentity, wall);
    if (event !== 'presence') return refusal(489, undefined, [ALLOW_EVENTS]);
    const reply = this.#publications.handle(request, presentity, wall);
    if (reply.status === 200) this.#look(presentity, wall);
    return reply;
  }

  /** A user has signed in or out on some device. */
  handleDevices(presentity: string, wall: WallTime): void {
    this.#notifier.retry(presentity);
    this.#look(presentity, wall);
  }

  /** A connection to an edge or a peer is there again: who is told by way of it hears what was held back. */
  handleReachable(kind: 'edge' | 'peer', name: string): void {
    this.#notifier.retryBy(
      (reach) => reach.kind === kind && (reach.kind === 'edge' ? reach.edge : reach.peer) === name,
    );
  }

  /** False when there is no room for another rule. */
  decide(presentity: string, watcher: string, decision: Decision, wall: WallTime): boolean {
    if (!this.#approvals.decide(presentity, watcher, decision, wall)) return false;
    this.#apply(presentity, (subscription) => subscription.watcher === watcher);
    return true;
  }
  setApproval(presentity: string, approval: Approval): void {
    this.#approvals.setApproval(presentity, approval);
    this.#apply(presentity, () => true);
  }
  /** Whether the user has allowed this person by name. */
  isListed(presentity: string, watcher: string): boolean {
    return this.#approvals.isListed(presentity, watcher);
  }
  approvalOf(presentity: string): Approval {
    return this.#approvals.approval(presentity);
  }
  /** Who watches a user now, and about whom something was decided. */
  watchersOf(presentity: string) {
    return {
      rules: this.#approvals.rules(presentity),
      subscriptions: this.#notifier.of(presentity).map((subscription) => ({
        ...{ watcher: subscription.watcher, package: subscription.event.package },
        ...{ expires: subscription.expires, decision: this.#decision(subscription) },
      })),
    };
  }
  /** The document that an approved watcher sees. */
  documentOf(presentity: string, wall: WallTime): Buffer {
    return this.#compose(presentity, wall).bytes;
  }

  next(): WallTime | undefined {
    const times = [this.#notifier.next(), this.#changes.next()].filter((time) => time !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }
  /** Whatever is to be sent now. */
  take(wall: WallTime): Notification[] {
    for (let user = this.#changes.take(wall); user !== undefined; user = this.#changes.take(wall)) {
      this.#look(user, wall);
    }
    return this.#notifier.take(wall);
  }
  handleOutcome(id: string, outcome: Outcome, wall: WallTime): void {
    this.#notifier.handleOutcome(id, outcome, wall);
  }

  #refusalOf(
    subscriber: Subscriber,
    presentity: string,
    event: Subscription['event']['package'],
  ): Reply | undefined {
    const { address, outsider } = subscriber;
    if (event === 'presence.winfo' && address !== presentity) return refusal(403, 'Not Your Watchers');
    if (this.#approvals.decision(presentity, address, outsider) === 'block') return refusal(403);
    const { watchersPerUser, subscriptionsPerWatcher, subscriptions } = this.#settings;
    if (this.#notifier.size >= subscriptions) return refusal(503, undefined, [['Retry-After', '60']]);
    if (this.#notifier.by(address) >= subscriptionsPerWatcher) return refusal(403, 'Too Many Subscriptions');
    return this.#hasPlace(subscriber, presentity, event, watchersPerUser)
      ? undefined
      : refusal(403, 'Too Many Watchers');
  }

  /** However many ask: outsiders leave half of the places to colleagues, and the user can always see who watches. */
  #hasPlace(
    { outsider }: Subscriber,
    presentity: string,
    event: Subscription['event']['package'],
    most: number,
  ): boolean {
    if (event === 'presence.winfo') return true;
    const watching = this.#notifier.of(presentity).filter((one) => one.event.package === 'presence');
    if (watching.length >= most) return false;
    return !outsider || watching.filter((one) => one.outsider).length < Math.ceil(most / 2);
  }

  #begin(subscription: Subscription, stays: boolean, wall: WallTime): void {
    this.#notifier.add(subscription, stays);
    this.#notifier.store(subscription);
    const { presentity, event } = subscription;
    if (!this.#shown.has(presentity)) this.#look(presentity, wall);
    if (stays) this.#notifier.tell(subscription);
    else this.#notifier.end(subscription, 'timeout');
    if (event.package === 'presence') this.#notifier.touch(presentity, 'presence.winfo');
  }

  /** A user is told of everybody who asks, also of who asked only once; false when there is no room for another. */
  #noteWatcher(subscription: Subscription, wall: WallTime): boolean {
    if (this.#decision(subscription) !== 'confirm') return true;
    return this.#approvals.noteAsked(subscription.presentity, subscription.watcher, wall);
  }

  /** RFC 6665 §4.2.1.4: a SUBSCRIBE within its dialog. */
  #renew(request: SipRequest, subscriber: Subscriber, seconds: number, wall: WallTime): Reply {
    const subscription = this.#notifier.get(dialogIdOf(request) ?? '');
    const event = eventOf(request);
    if (subscription === undefined || subscription.watcher !== subscriber.address) return refusal(481);
    if (event?.package !== subscription.event.package || event.id !== subscription.event.id)
      return refusal(481);
    if (!subscription.dialog.handleRequest(request).ok) return refusal(500, 'Out Of Order');
    subscription.reach = subscriber.reach;
    subscription.expires = wall + seconds * 1000;
    this.#notifier.store(subscription);
    if (seconds === 0) this.#notifier.end(subscription, 'timeout');
    else this.#notifier.tell(subscription);
    return { status: 200, headers: [['Expires', `${seconds}`]] };
  }

  /** A user sends the watcher list as it shall be: the document of RFC 3858, sent by PUBLISH. */
  #handleDecisions(request: SipRequest, presentity: string, wall: WallTime): Reply {
    const type = request.header('Content-Type')?.split(';')[0]?.trim().toLowerCase();
    if (type !== WATCHER_INFO_TYPE) return refusal(415, undefined, [['Accept', WATCHER_INFO_TYPE]]);
    if (request.body.length > this.#settings.documentBytes) return refusal(413);
    const read = readWatcherInfo(request.body);
    if (!read.ok || read.value.package !== 'presence') return refusal(400, 'Malformed Watcher Information');
    for (const { uri, status } of read.value.watchers) {
      const watcher = this.#options.users.addressOf(uri);
      if (watcher === undefined) return refusal(400, 'Malformed Watcher URI');
      const decision = status === 'active' ? 'allow' : status === 'terminated' ? 'block' : 'confirm';
      if (!this.decide(presentity, watcher, decision, wall)) return refusal(403, 'Too Many Watchers');
    }
    const etag = randomToken(this.#options.random, TAG_LENGTH);
    return {
      status: 200,
      headers: [
        ['SIP-ETag', etag],
        ['Expires', '0'],
      ],
    };
  }

  /** What was decided shows at once. */
  #apply(presentity: string, concerns: (subscription: Subscription) => boolean): void {
    for (const subscription of this.#notifier.of(presentity)) {
      if (subscription.event.package !== 'presence' || !concerns(subscription)) continue;
      if (this.#decision(subscription) === 'block') this.#notifier.end(subscription, 'rejected');
      else this.#notifier.tell(subscription);
    }
    this.#notifier.touch(presentity, 'presence.winfo');
    this.onDue();
  }

  #decision({ presentity, watcher, outsider }: Subscription): Decision {
    return this.#approvals.decision(presentity, watcher, outsider);
  }

  #ended({ presentity, event }: Subscription): void {
    if (event.package === 'presence') this.#notifier.touch(presentity, 'presence.winfo');
    if (this.#notifier.watches(presentity)) return;
    this.#shown.delete(presentity);
    this.#changes.delete(presentity);
  }

  /** Looks at a watched user's document again, and tells the watchers when it is another one. */
  #look(presentity: string, wall: WallTime): void {
    if (!this.#notifier.watches(presentity)) return;
    if (!this.#options.users.knows(presentity)) {
      for (const subscription of this.#notifier.of(presentity))
        this.#notifier.end(subscription, 'noresource');
      return;
    }
    const before = this.#shown.get(presentity);
    const { bytes, until } = this.#compose(presentity, wall);
    this.#shown.set(presentity, bytes);
    if (Number.isFinite(until)) this.#changes.set(presentity, until);
    else this.#changes.delete(presentity);
    if (before === undefined || !before.equals(bytes)) this.#notifier.touch(presentity, 'presence');
  }

  /** Who is signed in nowhere is offline, whatever was published; who published nothing is there. */
  #compose(presentity: string, wall: WallTime): { readonly bytes: Buffer; readonly until: WallTime } {
    const entity = `sip:${presentity}`;
    const { signedIn, until } = this.#options.users.devices(presentity, wall);
    if (!signedIn) return { bytes: writePidf(offlinePresence(entity)), until: Number.POSITIVE_INFINITY };
    const published = this.#publications.sources(presentity, wall);
    const present = { id: 'signed-in', basic: 'open', contact: { uri: entity }, notes: [] } as const;
    const document = { entity, tuples: [present], notes: [], activities: [] };
    const bytes =
      published.sources.length > 0 ? this.#composed(entity, published.sources) : writePidf(document);
    return { bytes, until: Math.min(until, published.until) };
  }

  /** As many devices, the newest first, as a NOTIFY can carry. */
  #composed(entity: string, sources: readonly PresenceSource[]): Buffer {
    for (let count = sources.length; ; count--) {
      const bytes = writePidf(composePresence(entity, sources.slice(0, count)));
      if (count === 1 || bytes.length <= 2 * this.#settings.documentBytes) return bytes;
    }
  }

  #content(subscription: Subscription, ending: TerminationReason | undefined, wall: WallTime): Content {
    const decision = this.#decision(subscription);
    const state =
      ending === undefined ? (decision === 'confirm' ? 'pending' : 'active') : { terminated: ending };
    const silent = ending !== undefined && ending !== 'timeout';
    const body = silent ? undefined : this.#body(subscription, decision, wall);
    return body === undefined ? { state } : { state, body };
  }

  #body(subscription: Subscription, decision: Decision, wall: WallTime): Content['body'] {
    const { presentity, event, dialog } = subscription;
    if (event.package === 'presence.winfo') {
      const version = dialog.localCSeq ?? 0;
      const watching = this.#notifier.of(presentity).filter((other) => other.event.package === 'presence');
      const seen = watching.map((other) => ({ ...other, decision: this.#decision(other) }));
      const rules = this.#approvals.rules(presentity);
      return { type: WATCHER_INFO_TYPE, bytes: watcherList(presentity, version, seen, rules, wall) };
    }
    if (decision === 'polite-block') {
      return { type: PIDF_TYPE, bytes: writePidf(offlinePresence(`sip:${presentity}`)) };
    }
    if (decision !== 'allow') return undefined;
    return { type: PIDF_TYPE, bytes: this.#shown.get(presentity) ?? this.documentOf(presentity, wall) };
  }
}
