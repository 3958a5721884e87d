import { type Cancel, type Monotonic, randomToken } from '#kernel';
import type { RespondOptions } from '#platform/sip-endpoint';
import type { ServerTransaction, SipRequest } from '#protocols/sip';
import {
  ACCEPTED_TYPES,
  CPIM_TYPE,
  chatStateOf,
  type InstantMessage,
  languageTag,
  readChatMessage,
  readInstantMessage,
  type StanzaError,
  stanzaErrorOf,
  statusOf,
  writeChatMessage,
  writeDelivered,
} from '#protocols/sip-xmpp';
import { jidText, parseJid } from '#protocols/xmpp';
import type { Arrival } from './arrival.ts';
import type { Conversation, Conversations } from './conversations.ts';
import { DELIVERY_UNKNOWN, type GatewayContext } from './gateway-context.ts';
import type { Outcome } from './gateway-metrics.ts';
import { shareOf } from './partner-share.ts';
import { jidOfBare, noteOf, type Parties, partiesOfRequest, sipAddress, sipOfBare } from './party.ts';

/** A message of which the proxy says nothing is answered after this, before SIP gives up at 32 s (RFC 3261 §17.1.2.2). */
const HELD_MS = 25_000;

/** A message that a partner has, or may have. */
interface Pending extends Parties {
  readonly transaction: ServerTransaction;
  /** RFC 5438: the sender waits for a notification with this id. */
  readonly receiptFor: string | undefined;
  readonly since: Monotonic;
  answered: boolean;
  timer: Cancel | undefined;
}

/** Messages of users of ours on their way to partners (RFC 7572, RFC 7573). */
export class ToXmpp {
  readonly #context: GatewayContext;
  readonly #conversations: Conversations;
  readonly #pending = new Map<string, Pending>();

  constructor(context: GatewayContext, conversations: Conversations) {
    this.#context = context;
    this.#conversations = conversations;
  }
  /** Messages that are not answered yet. */
  get underWay(): number {
    let count = 0;
    for (const { answered } of this.#pending.values()) if (!answered) count += 1;
    return count;
  }

  /** A MESSAGE outside of any session. */
  handleMessage(request: SipRequest, transaction: ServerTransaction): void {
    const { sip, settings, store } = this.#context;
    const parties = partiesOfRequest(request, settings());
    if (!parties.ok) {
      this.#context.refuse(noteOf(request, parties.error));
      return sip.respond(transaction, parties.error === 'address' ? 404 : 403);
    }
    if (!store.addContact(parties.value, settings().contactsPerUser)) {
      this.#context.refuse(noteOf(request, 'limit'));
      return sip.respond(transaction, 403, { reason: 'Too Many Contacts' });
    }
    this.#take(request, transaction, parties.value, this.#conversations.of(parties.value));
  }

  /** A MESSAGE or INFO in a session. */
  handleInSession(conversation: Conversation, request: SipRequest, transaction: ServerTransaction): void {
    conversation.last = this.#context.clock.now();
    const from = { ...jidOfBare(conversation.local) };
    const { local, remote } = conversation;
    this.#take(request, transaction, { from, to: jidOfBare(remote), local, remote }, conversation);
  }

  #take(
    request: SipRequest,
    transaction: ServerTransaction,
    parties: Parties,
    conversation: Conversation | undefined,
  ): void {
    const { sip } = this.#context;
    const read = readInstantMessage(request.header('Content-Type'), request.body);
    if (read === undefined) {
      this.#context.refuse(noteOf(request, 'media-type'));
      return sip.respond(transaction, 415, { headers: [['Accept', ACCEPTED_TYPES]] });
    }
    const thread = conversation?.thread ?? request.callId;
    if (read.kind === 'text') return this.#send(request, transaction, { ...parties, thread, read });
    // A receipt that was asked of SIP, which the gateway never does, or a failure of one: nothing to pass on.
    sip.respond(transaction, 200);
    if (read.kind !== 'typing') return;
    const state = chatStateOf(read.typing);
    this.#context.xmpp.send(
      writeChatMessage(jidText(parties.from), jidText(parties.to), { type: 'chat', thread, state }),
    );
  }

  #send(
    request: SipRequest,
    transaction: ServerTransaction,
    {
      read,
      thread,
      ...parties
    }: Parties & {
      readonly thread: string;
      readonly read: Extract<InstantMessage, { kind: 'text' }>;
    },
  ): void {
    const { sip, clock, random, settings, xmpp } = this.#context;
    if (this.#pending.size >= settings().messages && !this.#makeRoom()) {
      this.#context.refuse(noteOf(request, 'limit'));
      return sip.respond(transaction, 503, { headers: [['Retry-After', '5']] });
    }
    const share = shareOf(settings().messages, settings().partnerPercent);
    const conversation = this.#conversations.open(parties, clock.now(), share);
    if (conversation !== undefined) conversation.thread ??= thread;
    const inChat = conversation?.chat === true || conversation?.session !== undefined;
    const id = randomToken(random, 20);
    const pending: Pending = {
      ...parties,
      transaction,
      receiptFor: read.receiptFor,
      since: clock.now(),
      answered: false,
      timer: undefined,
    };
    pending.timer = clock.after(HELD_MS, () => this.#answer(pending, 408, { reason: DELIVERY_UNKNOWN }));
    this.#pending.set(id, pending);
    const stanza = writeChatMessage(jidText(parties.from), jidText(parties.to), {
      type: inChat ? 'chat' : 'normal',
      id,
      body: read.text,
      subject: request.header('Subject'),
      thread,
      language: languageTag(request.header('Content-Language')),
      wantsReceipt: true,
    });
    xmpp.send(stanza, (failed) => {
      if (failed === undefined) this.#wait(id);
      else this.#refuse(id, { condition: failed.condition }, failed.reason);
    });
  }

  /** The partner has it: an error or a receipt that comes at once makes a better answer than "accepted". */
  #wait(id: string): void {
    const pending = this.#pending.get(id);
    if (pending === undefined || pending.answered) return;
    const { clock, settings } = this.#context;
    pending.timer?.();
    pending.timer = clock.after(settings().answerMs, () => this.#answer(pending, 202));
  }

  /** An error stanza for something that we sent; true when it was one of these messages. */
  handleError(arrival: Arrival): boolean {
    const id = arrival.stanza.attributes.get('id');
    if (id === undefined || !this.#isFrom(id, arrival)) return false;
    this.#refuse(
      id,
      stanzaErrorOf(arrival.stanza),
      arrival.fate === 'unknown' ? DELIVERY_UNKNOWN : undefined,
    );
    return true;
  }
  /** XEP-0184: the receipt for one of these messages; true when the stanza was one. */
  handleReceipt(arrival: Arrival): boolean {
    const { received } = readChatMessage(arrival.stanza);
    if (received === undefined) return false;
    const pending = this.#isFrom(received, arrival) ? this.#pending.get(received) : undefined;
    if (pending === undefined) return true;
    this.#answer(pending, 200);
    this.#pending.delete(received);
    if (pending.receiptFor !== undefined) this.#notify(pending, pending.receiptFor);
    return true;
  }
  /** Only the one whom it was written to speaks about it. */
  #isFrom(id: string, { local, remote }: Arrival): boolean {
    const pending = this.#pending.get(id);
    return pending !== undefined && pending.local === local && pending.remote === remote;
  }

  /** @param reason for the status line, in place of the usual one */
  #refuse(id: string, error: StanzaError, reason?: string): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    if (pending.answered) {
      // SIP has no way to take back a 202.
      this.#context.metrics.toXmpp.inc('failed-later');
      this.#context.log.info('a message failed after it was accepted', { id, condition: error.condition });
      return;
    }
    const address = error.address === undefined ? undefined : sipOfXmppUri(error.address);
    const status = statusOf(error.condition, pending.to.resource === undefined, address !== undefined);
    const contact = address === undefined ? [] : [['Contact', `<${address}>`] as const];
    this.#answer(pending, status, { headers: contact, ...(reason === undefined ? {} : { reason }) });
  }

  #answer(pending: Pending, status: number, options: RespondOptions = {}): void {
    if (pending.answered) return;
    pending.answered = true;
    pending.timer?.();
    this.#context.metrics.toXmpp.inc(outcomeOf(status, options.reason));
    this.#context.sip.respond(pending.transaction, status, options);
  }

  /** RFC 5438 §7.2.1: the notification that the sender asked for. */
  #notify({ local, remote, to, from }: Pending, id: string): void {
    const { sip, random, clock } = this.#context;
    const [uri, sender] = [sipAddress(from, true) ?? sipOfBare(local), sipAddress(to) ?? sipOfBare(remote)];
    const at = new Date(clock.wall()).toISOString();
    const body = writeDelivered({
      from: sender,
      to: sipOfBare(local),
      id,
      ownId: randomToken(random, 16),
      at,
    });
    const callId = randomToken(random, 20);
    const headers = [['Content-Type', CPIM_TYPE] as const];
    const sketch = { method: 'MESSAGE', uri, from: sender, fromTag: randomToken(random, 16), callId };
    sip.request({ ...sketch, cseq: 1, headers, body }, () => {});
  }

  /** Forgets answered messages whose receipt will hardly come any more. */
  sweep(now: Monotonic): void {
    const { sessionIdleMs } = this.#context.settings();
    for (const [id, { answered, since }] of this.#pending) {
      if (answered && now - since > sessionIdleMs) this.#pending.delete(id);
    }
  }
  /** The oldest answered message gives way. */
  #makeRoom(): boolean {
    for (const [id, { answered }] of this.#pending) if (answered) return this.#pending.delete(id);
    return false;
  }
}

function outcomeOf(status: number, reason: string | undefined): Outcome {
  if (reason === DELIVERY_UNKNOWN) return 'unknown';
  return status === 200 ? 'delivered' : status < 300 ? 'accepted' : 'refused';
}

/** `xmpp:user@domain` of a redirection (RFC 5122) as the SIP side writes it. */
function sipOfXmppUri(text: string): string | undefined {
  const jid = text.startsWith('xmpp:') ? parseJid(text.slice('xmpp:'.length)) : undefined;
  return jid === undefined ? undefined : sipAddress(jid);
}
