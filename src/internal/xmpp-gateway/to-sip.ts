import { randomToken } from '#kernel';
import type { SipFailure, SipOutcome } from '#platform/sip-agent';
import {
  type ChatMessage,
  conditionOf,
  errorReply,
  readChatMessage,
  type StanzaError,
  TYPING_TYPE,
  typingOf,
  writeChatMessage,
  writeTyping,
} from '#protocols/sip-xmpp';
import { jidText } from '#protocols/xmpp';
import type { Arrival } from './arrival.ts';
import { callIdOf } from './call-id.ts';
import type { Conversation, Conversations, SessionFailure } from './conversations.ts';
import type { GatewayContext } from './gateway-context.ts';
import type { Outcome, Refusal } from './gateway-metrics.ts';
import { shareOf } from './partner-share.ts';
import { sipAddress, sipOfBare } from './party.ts';
import type { Sessions } from './sessions.ts';
import { textHeaders } from './text-of-sip.ts';

/** A message under way, with what has to be said about it. */
interface Delivery {
  readonly arrival: Arrival;
  readonly message: ChatMessage;
  readonly conversation: Conversation;
  readonly body: Buffer;
}

const REASONS: Partial<Record<StanzaError['condition'], Refusal>> = {
  'policy-violation': 'too-large',
  'resource-constraint': 'limit',
};

/** Messages of partners on their way to users of ours (RFC 7572, RFC 7573). */
export class ToSip {
  readonly #context: GatewayContext;
  readonly #conversations: Conversations;
  readonly #sessions: Sessions;

  constructor(context: GatewayContext, conversations: Conversations, sessions: Sessions) {
    this.#context = context;
    this.#conversations = conversations;
    this.#sessions = sessions;
  }

  /** Any message but errors and receipts, which belong to messages of the other direction. */
  handleMessage(arrival: Arrival): void {
    const message = readChatMessage(arrival.stanza);
    if (message.type === 'groupchat') return this.#refuse(arrival, { condition: 'service-unavailable' });
    if (message.body === undefined || message.body === '') return this.#handleState(arrival, message);
    const { messages, partnerPercent } = this.#context.settings();
    const share = shareOf(messages, partnerPercent);
    const conversation = this.#conversations.open(arrival, this.#context.clock.now(), share);
    if (conversation === undefined) return this.#refuse(arrival, { condition: 'resource-constraint' });
    if (message.thread !== undefined) conversation.thread = message.thread;
    if (message.type === 'chat') conversation.chat = true;
    this.#deliver({ arrival, message, conversation, body: Buffer.from(message.body) });
  }

  #deliver(delivery: Delivery): void {
    const { conversation, body, arrival } = delivery;
    const { sessions, pageModeBytes } = this.#context.settings();
    const wanted = sessions && delivery.message.type === 'chat';
    const needed = body.length > pageModeBytes;
    const has = conversation.session !== undefined;
    if (!has && ((!wanted && !needed) || conversation.withoutSessions)) return this.#page(delivery);
    this.#sessions.withSession(conversation, arrival.from, {
      opened: ({ dialog }) => {
        if (dialog === undefined) throw new Error('an open session has a dialog');
        const headers = textHeaders({ language: delivery.message.language });
        arrival.begin();
        this.#context.sip.inDialog(dialog, 'MESSAGE', { headers, body }, (outcome) =>
          this.#inSession(delivery, outcome),
        );
      },
      failed: (why) => this.#withoutSession(delivery, why),
    });
  }

  /**
   * RFC 3261 §12.2.1.2: a session that the other side has forgotten is begun anew. After 408 it ends as well, but whether
   * the message has arrived is not known: it does not go once more.
   */
  #inSession(delivery: Delivery, outcome: SipOutcome): void {
    const status = outcome.kind === 'response' ? outcome.response.status : undefined;
    const forgotten = status === 430 || status === 481;
    if (forgotten || status === 408) this.#conversations.endSession(delivery.conversation);
    if (forgotten) this.#page(delivery);
    else this.#settle(delivery, outcome);
  }

  #withoutSession(delivery: Delivery, why: SessionFailure): void {
    if (why.kind === 'not-supported') return this.#page(delivery);
    this.#fail(delivery.arrival, { condition: conditionOf(why.status), text: why.text });
  }

  /** RFC 3428 §8: what is longer needs a session. */
  #page(delivery: Delivery): void {
    const { sip, random, settings } = this.#context;
    const { arrival, message, conversation, body } = delivery;
    if (body.length > settings().pageModeBytes) {
      return this.#refuse(arrival, { condition: 'policy-violation', text: 'The message is too long.' });
    }
    arrival.begin();
    sip.request(
      {
        method: 'MESSAGE',
        uri: sipAddress(arrival.to, true) ?? sipOfBare(conversation.local),
        from: sipAddress(arrival.from, true) ?? sipOfBare(conversation.remote),
        fromTag: randomToken(random, 16),
        callId: callIdOf(conversation.thread ?? randomToken(random, 20)),
        cseq: 1,
        headers: textHeaders(message),
        body,
      },
      (outcome) => this.#settle(delivery, outcome),
    );
  }

  #settle({ arrival, message }: Delivery, outcome: SipOutcome): void {
    if (outcome.kind === 'failed') return this.#fail(arrival, errorOfFailure(outcome.cause));
    const { status, reason } = outcome.response;
    if (status >= 300) {
      return this.#fail(arrival, {
        condition: conditionOf(status),
        text: status === 408 ? UNCERTAIN : reason,
      });
    }
    this.#count(status === 200 ? 'delivered' : 'accepted');
    arrival.done();
    // XEP-0184 §5: 200 says that the device has it; 202 does not.
    if (status !== 200 || message.wantsReceipt !== true || message.id === undefined) return;
    const { to, from } = arrival;
    const receipt = { type: message.type, thread: message.thread, received: message.id };
    this.#context.xmpp.send(writeChatMessage(jidText(to), jidText(from), { ...receipt, id: this.#id() }));
  }

  #handleState(arrival: Arrival, { state }: ChatMessage): void {
    arrival.done();
    const conversation = this.#conversations.of(arrival);
    if (conversation === undefined || state === undefined) return;
    if (state === 'gone') return this.#sessions.end(conversation, 'gone');
    const typing = typingOf(state);
    if (typing === undefined || conversation.withoutTyping) return;
    const content = { headers: [['Content-Type', TYPING_TYPE] as const], body: writeTyping(typing) };
    const heard = (outcome: SipOutcome) => {
      if (outcome.kind !== 'response' || outcome.response.status < 300) return;
      conversation.withoutTyping = true;
    };
    const { sip, random } = this.#context;
    const dialog = conversation.session?.dialog;
    if (dialog !== undefined) return sip.inDialog(dialog, 'MESSAGE', content, heard);
    const addresses = { uri: sipOfBare(conversation.local), from: sipOfBare(conversation.remote) };
    const callId = callIdOf(conversation.thread ?? randomToken(random, 20));
    sip.request(
      { method: 'MESSAGE', ...addresses, fromTag: randomToken(random, 16), callId, cseq: 1, ...content },
      heard,
    );
  }

  #refuse(arrival: Arrival, error: StanzaError): void {
    const { remote: from, local: to } = arrival;
    this.#context.refuse({ reason: REASONS[error.condition] ?? 'not-supported', from, to });
    this.#fail(arrival, error);
  }
  #fail(arrival: Arrival, error: StanzaError): void {
    const unreachable = error.condition === 'remote-server-timeout';
    this.#count(error.text === UNCERTAIN ? 'unknown' : unreachable ? 'unreachable' : 'refused');
    const reply = errorReply(arrival.stanza, error);
    if (reply === undefined) return arrival.done();
    this.#context.xmpp.send(reply, () => arrival.done());
  }
  #count(outcome: Outcome): void {
    this.#context.metrics.toSip.inc(outcome);
  }
  #id(): string {
    return randomToken(this.#context.random, 16);
  }
}

/** After silence: who writes it again may be read twice. */
const UNCERTAIN = 'It is not known whether the message arrived: nobody answered.';

function errorOfFailure(cause: SipFailure): StanzaError {
  if (cause === 'too-large') return { condition: 'policy-violation', text: 'The message is too long.' };
  if (cause === 'overload') return { condition: 'resource-constraint' };
  return { condition: 'remote-server-timeout', text: cause === 'unreachable' ? undefined : UNCERTAIN };
}
