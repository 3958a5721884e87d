import { randomToken } from '#kernel';
import type { SipOutcome } from '#platform/sip-agent';
import { Dialog, type ServerTransaction, type SipRequest } from '#protocols/sip';
import { writeChatMessage } from '#protocols/sip-xmpp';
import { callIdOf } from './call-id.ts';
import type { Conversation, Conversations, Session, SessionFailure, Waiting } from './conversations.ts';
import type { GatewayContext } from './gateway-context.ts';
import { shareOf } from './partner-share.ts';
import { noteOf, type Parties, partiesOfRequest, sipAddress, sipOfBare } from './party.ts';
import { messageSession, offersMessages } from './session-description.ts';

const ALLOW = ['Allow', 'INVITE, ACK, BYE, CANCEL, MESSAGE, INFO, OPTIONS, SUBSCRIBE, NOTIFY'] as const;
const SDP = ['Content-Type', 'application/sdp'] as const;
/** Who knows no sessions of messages says one of these (RFC 3261 §21.4, §21.5). */
const NOT_SUPPORTED = new Set([405, 406, 415, 420, 488, 501, 606]);
/** Stanzas that wait for one session. */
const MOST_WAITING = 32;

/** Sessions of messages: INVITE, MESSAGE in the dialog, BYE (RFC 7573 with MESSAGE for MSRP). */
export class Sessions {
  readonly #context: GatewayContext;
  readonly #conversations: Conversations;
  readonly #address: string;

  /** @param address our own, for session descriptions */
  constructor(context: GatewayContext, conversations: Conversations, address: string) {
    this.#context = context;
    this.#conversations = conversations;
    this.#address = address;
  }

  /** A user of ours opens a session; it is answered for the other side, which has no such thing. */
  handleInvite(request: SipRequest, transaction: ServerTransaction): void {
    const { sip, settings, random } = this.#context;
    const parties = partiesOfRequest(request, settings());
    if (!parties.ok) {
      this.#context.refuse(noteOf(request, parties.error));
      return sip.respond(transaction, parties.error === 'address' ? 404 : 403);
    }
    if (!offersMessages(request.body)) {
      this.#context.refuse(noteOf(request, 'not-supported'));
      return sip.respond(transaction, 488, { headers: [['Warning', WARNING]] });
    }
    const conversation = this.#begin(parties.value);
    const tag = randomToken(random, 16);
    const dialog = Dialog.asUas(request, tag, 200);
    if (conversation === undefined || !dialog.ok) {
      this.#context.refuse(noteOf(request, conversation === undefined ? 'limit' : 'address'));
      return sip.respond(transaction, conversation === undefined ? 503 : 400);
    }
    if (conversation.session !== undefined) this.end(conversation, 'replaced');
    const session: Session = { state: 'open', dialog: undefined, waiting: [] };
    this.#conversations.begin(conversation, session);
    conversation.thread ??= request.callId;
    this.#conversations.join(conversation, session, dialog.value);
    this.#answer(request, transaction, tag);
  }

  /** A session begins anew what it has: the same description is given (RFC 3261 §14.2). */
  handleReinvite(conversation: Conversation, request: SipRequest, transaction: ServerTransaction): void {
    if (!offersMessages(request.body)) {
      this.#context.refuse(noteOf(request, 'not-supported'));
      return this.#context.sip.respond(transaction, 488);
    }
    conversation.last = this.#context.clock.now();
    this.#answer(request, transaction, undefined);
  }

  #answer(request: SipRequest, transaction: ServerTransaction, toTag: string | undefined): void {
    const parties = partiesOfRequest(request, this.#context.settings());
    const user = parties.ok ? userPart(parties.value) : 'session';
    this.#context.sip.respond(transaction, 200, {
      ...(toTag === undefined ? {} : { toTag }),
      headers: [['Contact', this.#context.sip.contact(user)], ALLOW, SDP],
      body: messageSession(this.#address, transaction.flow),
    });
  }

  /** The user of ours hangs up: RFC 7573 §6.1, the other side is told `gone`. */
  handleBye(conversation: Conversation, transaction: ServerTransaction): void {
    const { sip, xmpp } = this.#context;
    sip.respond(transaction, 200);
    const { local, remote, thread } = conversation;
    this.#conversations.endSession(conversation);
    xmpp.send(writeChatMessage(local, remote, { type: 'chat', thread, state: 'gone' }));
  }

  /** A session for the conversation, opened if there is none. */
  withSession(conversation: Conversation, from: Parties['from'], waiting: Waiting): void {
    const { session } = conversation;
    if (session?.state === 'open') return waiting.opened(session);
    if (session !== undefined) {
      if (session.waiting.length >= MOST_WAITING) return waiting.failed({ kind: 'status', status: 503 });
      session.waiting.push(waiting);
      return;
    }
    if (this.#full(conversation.remote)) {
      this.#context.refuse({ reason: 'limit', from: conversation.remote, to: conversation.local });
      return waiting.failed({ kind: 'not-supported' });
    }
    const begun: Session = { state: 'inviting', dialog: undefined, waiting: [waiting] };
    this.#conversations.begin(conversation, begun);
    this.#invite(conversation, begun, from);
  }

  #invite(conversation: Conversation, session: Session, from: Parties['from']): void {
    const { sip, random } = this.#context;
    conversation.thread ??= randomToken(random, 20);
    sip.request(
      {
        method: 'INVITE',
        uri: sipOfBare(conversation.local),
        from: sipAddress(from, true) ?? sipOfBare(conversation.remote),
        fromTag: randomToken(random, 16),
        callId: callIdOf(conversation.thread),
        cseq: 1,
        headers: [['Contact', sip.contact(userPart(conversation))], ALLOW, SDP],
        body: messageSession(this.#address, Math.trunc(this.#context.clock.wall())),
      },
      (outcome) => this.#invited(conversation, session, outcome),
    );
  }

  #invited(conversation: Conversation, session: Session, outcome: SipOutcome): void {
    const { sip } = this.#context;
    const accepted = outcome.kind === 'response' && outcome.response.status < 300;
    const dialog = accepted ? Dialog.asUac(outcome.request, outcome.response) : undefined;
    if (dialog?.ok) sip.acknowledge(dialog.value, 1);
    if (conversation.session !== session || session.state !== 'inviting') {
      // The session was given up meanwhile, or another branch of a fork has answered too (RFC 3261 §13.2.2.4).
      if (dialog?.ok) sip.inDialog(dialog.value, 'BYE', {}, () => {});
      return;
    }
    if (dialog?.ok) {
      session.state = 'open';
      this.#conversations.join(conversation, session, dialog.value);
      for (const { opened } of session.waiting.splice(0)) opened(session);
      return;
    }
    const failure = failureOf(outcome);
    if (failure.kind === 'not-supported') conversation.withoutSessions = true;
    this.#conversations.endSession(conversation);
    for (const { failed } of session.waiting.splice(0)) failed(failure);
  }

  /** The conversation is over, or its session is of no use any more. */
  end(conversation: Conversation, why: 'gone' | 'idle' | 'replaced'): void {
    const { session } = conversation;
    const dialog = session?.dialog;
    this.#conversations.endSession(conversation);
    for (const { failed } of session?.waiting.splice(0) ?? []) failed({ kind: 'status', status: 487 });
    if (dialog === undefined || session?.state !== 'open') return;
    this.#context.sip.inDialog(dialog, 'BYE', {}, () => {});
    if (why !== 'idle') return;
    const { local, remote, thread } = conversation;
    this.#context.xmpp.send(writeChatMessage(local, remote, { type: 'chat', thread, state: 'gone' }));
  }

  #begin(parties: Parties): Conversation | undefined {
    const { clock, settings, store } = this.#context;
    if (this.#full(parties.remote)) return undefined;
    const { messages, partnerPercent, contactsPerUser } = settings();
    if (!store.addContact(parties, contactsPerUser)) return undefined;
    return this.#conversations.open(parties, clock.now(), shareOf(messages, partnerPercent));
  }
  #full(remote: string): boolean {
    const { sessionsAtOnce, partnerPercent } = this.#context.settings();
    return (
      this.#conversations.sessions >= sessionsAtOnce ||
      this.#conversations.sessionsWith(remote) >= shareOf(sessionsAtOnce, partnerPercent)
    );
  }
}

const WARNING = '399 xmpp-gateway "Only sessions of messages reach this user"';

function failureOf(outcome: SipOutcome): SessionFailure {
  if (outcome.kind === 'failed') {
    return { kind: 'status', status: outcome.cause === 'unreachable' ? 503 : 504 };
  }
  const { status, reason } = outcome.response;
  if (NOT_SUPPORTED.has(status)) return { kind: 'not-supported' };
  return { kind: 'status', status: status < 300 ? 500 : status, text: reason };
}

/** The remote user's part of our Contact. */
function userPart({ remote }: { readonly remote: string }): string {
  const uri = sipOfBare(remote);
  return uri.slice('sip:'.length, uri.lastIndexOf('@'));
}
