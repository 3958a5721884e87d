import type { FlowCloseReason, SipFlow, SipUser } from '#platform/sip-endpoint';
import type { EdgeArrival } from '#platform/xmpp-link';
import { dialogIdOf, type ServerTransaction, type SipRequest } from '#protocols/sip';
import { errorReply, readChatMessage, type StanzaCondition, stanzaErrorOf } from '#protocols/sip-xmpp';
import { element, type XmlElement } from '#protocols/xml';
import { NS, type PartnerStreamState, type ReturnedKind } from '#protocols/xmpp';
import type { Arrival } from './arrival.ts';
import { type Conversation, Conversations } from './conversations.ts';
import type { GatewayContext } from './gateway-context.ts';
import type { Refusal } from './gateway-metrics.ts';
import { isFrom, noteOf, partiesOfStanza } from './party.ts';
import { Retelling } from './retelling.ts';
import { Seen } from './seen.ts';
import { Sessions } from './sessions.ts';
import { ToSip } from './to-sip.ts';
import { ToXmpp } from './to-xmpp.ts';
import { Watchers } from './watchers.ts';
import { Watches } from './watches.ts';

const ALLOW = ['Allow', 'INVITE, ACK, BYE, CANCEL, MESSAGE, INFO, OPTIONS, SUBSCRIBE, NOTIFY'] as const;
const LATER: ReadonlySet<StanzaCondition> = new Set([
  'remote-server-not-found',
  'remote-server-timeout',
  'resource-constraint',
]);

/** What the sender ought to know beyond the condition. */
const TEXTS: Partial<Record<Refusal, string>> = {
  'delivery-unknown': 'It is not known whether the message arrived: the service was interrupted.',
};

/** Both sides together: which part of the gateway a stanza or a request is for, and who may send it at all. */
export class Gateway implements SipUser {
  readonly conversations: Conversations;
  readonly watches: Watches;
  readonly watchers: Watchers;
  readonly retelling: Retelling;
  readonly #context: GatewayContext;
  readonly #sessions: Sessions;
  readonly #toSip: ToSip;
  readonly #toXmpp: ToXmpp;
  readonly #seen: Seen;

  constructor(context: GatewayContext, address: string) {
    this.#context = context;
    this.conversations = new Conversations(context.settings().messages);
    this.#sessions = new Sessions(context, this.conversations, address);
    this.#toSip = new ToSip(context, this.conversations, this.#sessions);
    this.#toXmpp = new ToXmpp(context, this.conversations);
    this.retelling = new Retelling(context, {
      retell: (owed) => (owed.kind === 'question' ? this.watchers : this.watches).retell(owed),
    });
    this.watches = new Watches(context, this.retelling);
    this.watchers = new Watchers(context, this.retelling);
    this.#seen = new Seen(context.store, context.clock);
  }

  /** What is under way in both directions and would be lost or said twice by stopping now. */
  get underWay(): number {
    return this.#seen.underWay + this.#toXmpp.underWay;
  }
  load(): void {
    this.watches.load();
    this.watchers.load();
  }

  /** Call it when a link to an edge is open, and when one has ended: what was said and asked before it may be lost. */
  handleLink(): void {
    this.retelling.suspect(this.watchers.owed());
    this.retelling.suspect(this.watches.owed());
  }
  /** What a proxy says of its streams with a partner. */
  handlePartner(domain: string, state: PartnerStreamState): void {
    if (state === 'open') return this.retelling.opened(domain);
    this.retelling.suspect(this.watchers.owed(domain));
    this.retelling.suspect(this.watches.owed(domain));
  }

  /** A stanza of a partner. */
  handleArrival({ stanza, origin, done }: EdgeArrival): void {
    const { metrics } = this.#context;
    const taken = this.#seen.take(origin, done);
    if (taken === undefined) return metrics.duplicates.inc();
    const first = taken.done;
    metrics.stanzas.inc(stanza.name === 'message' || stanza.name === 'presence' ? stanza.name : 'iq');
    if (stanza.name === 'iq') return this.#answer(stanza, 'service-unavailable', 'not-supported', first);
    if (taken.uncertain) {
      metrics.toSip.inc('unknown');
      return this.#answer(stanza, 'internal-server-error', 'delivery-unknown', first);
    }
    const unreachable = origin.undelivered !== undefined && isLater(stanza);
    if (isError(stanza) && this.watches.handleGuardError(stanza, unreachable)) return first();
    const parties = partiesOfStanza(stanza, this.#context.settings());
    if (!parties.ok) {
      const condition = parties.error === 'address' ? 'jid-malformed' : 'remote-server-not-found';
      return this.#answer(stanza, condition, parties.error, first);
    }
    const arrival: Arrival = { ...parties.value, stanza, partner: origin.type, fate: origin.fate, ...taken };
    if (origin.undelivered === undefined) this.retelling.heard(parties.value.from.domain);
    else if (stanza.name === 'presence') return this.#handleUndelivered(arrival, origin.undelivered);
    if (!this.#isInvited(arrival)) return;
    if (stanza.name === 'message') this.#handleMessage(arrival);
    else this.#handlePresence(arrival);
  }

  /** Presence of ours that no partner was told. */
  #handleUndelivered(arrival: Arrival, kind: ReturnedKind): void {
    this.#context.metrics.undelivered.inc();
    const asks = kind === 'subscribe' || kind === 'probe';
    if (asks && !isLater(arrival.stanza)) return this.watchers.handleError(arrival);
    if (asks) this.watchers.handleUndelivered(arrival);
    else this.watches.handleUndelivered(arrival, kind);
    arrival.done();
  }

  /** Partners of type public-unverified reach those who have written to them, or asked for their presence. */
  #isInvited(arrival: Arrival): boolean {
    if (arrival.partner !== 'public-unverified' || this.#context.store.hasContact(arrival)) return true;
    const { stanza, done } = arrival;
    if (stanza.name === 'message') this.#answer(stanza, 'forbidden', 'not-invited', done);
    else {
      this.#refuse(stanza, 'not-invited');
      if (stanza.attributes.get('type') === 'subscribe') {
        const { local: from, remote: to } = arrival;
        this.#context.xmpp.send(element(NS.server, 'presence', { from, to, type: 'unsubscribed' }), () =>
          done(),
        );
      } else done();
    }
    return false;
  }

  #handleMessage(arrival: Arrival): void {
    if (isError(arrival.stanza)) {
      this.#toXmpp.handleError(arrival);
      return arrival.done();
    }
    const isReceipt = this.#toXmpp.handleReceipt(arrival);
    if (isReceipt && readChatMessage(arrival.stanza).body === undefined) return arrival.done();
    this.#toSip.handleMessage(arrival);
  }

  #handlePresence(arrival: Arrival): void {
    switch (arrival.stanza.attributes.get('type')) {
      case 'subscribe':
        return this.watches.handleSubscribe(arrival);
      case 'unsubscribe':
        return this.watches.handleUnsubscribe(arrival);
      case 'probe':
        return this.watches.handleProbe(arrival);
      case 'subscribed':
        return this.watchers.handleSubscribed(arrival);
      case 'unsubscribed':
        return this.watchers.handleUnsubscribed(arrival);
      case 'error':
        return this.watchers.handleError(arrival);
      default:
        return this.watchers.handlePresence(arrival);
    }
  }

  /** Tells the sender why not; the stanza is safe when that is on its way. */
  #answer(stanza: XmlElement, condition: StanzaCondition, reason: Refusal, done: () => void): void {
    this.#refuse(stanza, reason);
    const reply = errorReply(stanza, { condition, text: TEXTS[reason] });
    if (reply === undefined) done();
    else this.#context.xmpp.send(reply, () => done());
  }
  #refuse({ attributes }: XmlElement, reason: Refusal): void {
    this.#context.refuse({ reason, from: attributes.get('from') ?? '', to: attributes.get('to') ?? '' });
  }

  onRequest(request: SipRequest, _flow: SipFlow, transaction: ServerTransaction): void {
    if (request.to.tag !== undefined) return this.#inDialog(request, transaction);
    const { sip } = this.#context;
    switch (request.method) {
      case 'MESSAGE':
        return this.#toXmpp.handleMessage(request, transaction);
      case 'INVITE':
        return this.#sessions.handleInvite(request, transaction);
      case 'SUBSCRIBE':
        return this.watchers.handleSubscribe(request, transaction);
      case 'OPTIONS':
        return sip.respond(transaction, 200, { headers: [ALLOW] });
      default:
        return this.#notAllowed(request, transaction);
    }
  }

  #inDialog(request: SipRequest, transaction: ServerTransaction): void {
    const { sip } = this.#context;
    if (request.method === 'NOTIFY' && this.watches.handleNotify(request, transaction)) return;
    if (request.method === 'SUBSCRIBE' && this.watchers.handleRefresh(request, transaction)) return;
    const conversation = this.conversations.ofDialog(dialogIdOf(request) ?? '');
    if (conversation === undefined) return sip.respond(transaction, 481);
    if (!isFrom(request, conversation.local)) {
      this.#context.refuse(noteOf(request, 'not-of-dialog'));
      return sip.respond(transaction, 403);
    }
    const taken = conversation.session?.dialog?.handleRequest(request);
    if (taken !== undefined && !taken.ok) {
      return sip.respond(transaction, taken.error === 'cseq-out-of-order' ? 500 : 481);
    }
    this.#inSession(conversation, request, transaction);
  }

  #inSession(conversation: Conversation, request: SipRequest, transaction: ServerTransaction): void {
    switch (request.method) {
      case 'MESSAGE':
      case 'INFO':
        return this.#toXmpp.handleInSession(conversation, request, transaction);
      case 'BYE':
        return this.#sessions.handleBye(conversation, transaction);
      case 'INVITE':
        return this.#sessions.handleReinvite(conversation, request, transaction);
      default:
        return this.#notAllowed(request, transaction);
    }
  }

  #notAllowed(request: SipRequest, transaction: ServerTransaction): void {
    this.#context.refuse(noteOf(request, 'not-supported'));
    this.#context.sip.respond(transaction, 405, { headers: [ALLOW] });
  }

  onAck(): void {
    // A session is open as soon as we have said so; there is no media that would wait for it.
  }
  onCancel(): void {
    // Our INVITEs are answered at once: there is nothing to cancel.
  }
  onFlowClosed(_flow: SipFlow, _reason: FlowCloseReason): void {
    // Dialogs outlive connections.
  }

  /** What time brings: ends of sessions, renewals, what is forgotten. */
  sweep(): void {
    const { clock, settings } = this.#context;
    const [now, wall] = [clock.now(), clock.wall()];
    for (const conversation of this.conversations.all()) {
      if (now - conversation.last < settings().sessionIdleMs) continue;
      this.#sessions.end(conversation, 'idle');
      this.conversations.forget(conversation);
    }
    this.retelling.sweep();
    this.watches.sweep(wall);
    this.watchers.sweep(wall);
    this.#toXmpp.sweep(now);
    this.#seen.sweep();
  }
}

/** Whether a stanza came back for a reason that passes. */
function isLater(stanza: XmlElement): boolean {
  const { condition } = stanzaErrorOf(stanza);
  return LATER.has(condition);
}
function isError({ attributes }: XmlElement): boolean {
  return attributes.get('type') === 'error';
}
