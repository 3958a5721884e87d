import { randomToken } from '#kernel';
import type { RespondOptions, SipFlow, SipUser } from '#platform/sip-endpoint';
import { OncePerKey } from '#platform/telemetry';
import {
  Dialog,
  dialogIdOf,
  eventOf,
  parseSipUri,
  type ServerTransaction,
  type SipRequest,
} from '#protocols/sip';
import type { Admission, Departure } from '../conferences.ts';
import {
  BUSY,
  capabilities,
  contactOf,
  expiresOf,
  joined,
  METHOD,
  NO_DIALOG,
  NOT_IN,
  NOT_THE_SENDER,
  problemOfInvite,
  problemOfSubscribe,
  type Refusal,
  refusalOf,
  WRONG_KEY,
} from './answers.ts';
import { type Call, Calls } from './call.ts';
import { type Caller, callerOf } from './caller.ts';
import type { FocusContext } from './focus-context.ts';
import type { CallEnding, FocusOutcome } from './focus-metrics.ts';
import { KeyCheck } from './key-check.ts';
import { Subscriptions } from './subscriptions.ts';

/** RFC 3261 §13.3.1.4: 64 times T1. */
const ACK_MS = 32_000;
const TAG_LENGTH = 20;
const LONGEST_ID = 128;
const REFUSALS_LOGGED = 1024;

/** RFC 3326: why a participant is sent a BYE. */
const REASONS: Readonly<Record<Departure, string>> = {
  removed: 'SIP;cause=603;text="Removed"',
  ended: 'SIP;cause=410;text="Ended"',
  absent: 'SIP;cause=408;text="Absent"',
  left: 'SIP;cause=200;text="Left"',
};

/**
 * The SIP of all conferences of this node (RFC 4353 §2, RFC 4579): lets participants in and tells them where the meeting is, tells
 * who takes part, and sends those away who are no longer in. Who may come in is decided by `Conferences`.
 */
export class Focus implements SipUser {
  readonly #context: FocusContext;
  readonly #keys: KeyCheck;
  readonly #calls = new Calls();
  readonly #subscriptions: Subscriptions;
  readonly #forgetDepartures: () => void;
  readonly #logged = new OncePerKey(REFUSALS_LOGGED);

  constructor(context: FocusContext) {
    this.#context = context;
    this.#keys = new KeyCheck(context.conferences, context.random);
    this.#subscriptions = new Subscriptions(context);
    this.#forgetDepartures = context.conferences.onDeparture((...departed) =>
      this.#handleDeparture(...departed),
    );
  }

  get calls(): number {
    return this.#calls.size;
  }
  get subscriptions(): number {
    return this.#subscriptions.size;
  }
  /** Participants stay in, and go on by their resume tokens; nobody is told anything. */
  stop(): void {
    this.#forgetDepartures();
    this.#subscriptions.stop();
    for (const call of this.#calls.all()) this.#calls.remove(call);
  }

  onRequest(request: SipRequest, _flow: SipFlow, transaction: ServerTransaction): void {
    const refusal =
      request.to.tag === undefined
        ? this.#serve(request, transaction)
        : this.#serveInDialog(request, transaction);
    if (refusal !== undefined) this.#refuse(transaction, refusal);
  }
  onAck(request: SipRequest): void {
    const call = this.#callOf(request);
    call?.awaiting?.();
    if (call !== undefined) call.awaiting = undefined;
  }
  /** Every INVITE is answered at once, so a CANCEL comes too late. */
  onCancel(): void {}
  /** Dialogs outlive connections. */
  onFlowClosed(): void {}

  #serve(request: SipRequest, transaction: ServerTransaction): Refusal | undefined {
    const id = this.#conferenceOf(request);
    if (id === undefined) return refusalOf('unknown', 'user');
    switch (request.method) {
      case 'INVITE':
        return this.#invite(id, request, transaction);
      case 'SUBSCRIBE':
        return this.#subscribe(id, request, transaction);
      case 'OPTIONS':
        this.#context.sip.respond(transaction, 200, capabilities());
        return undefined;
      case 'BYE':
        return NO_DIALOG;
      default:
        return METHOD;
    }
  }

  /** The user part, whatever it looks like; undefined at another domain. */
  #conferenceOf(request: SipRequest): string | undefined {
    const uri = parseSipUri(request.uri);
    if (!uri.ok || uri.value.host.toLowerCase() !== this.#context.conferences.domain) return undefined;
    return (uri.value.user ?? '').toLowerCase().slice(0, LONGEST_ID);
  }

  /** RFC 4579 §5.1: somebody dials in. */
  #invite(id: string, request: SipRequest, transaction: ServerTransaction): Refusal | undefined {
    const problem = problemOfInvite(request);
    if (problem !== undefined) return problem;
    const { conferences, places, settings } = this.#context;
    const caller = callerOf(request, settings().domains);
    if (caller === undefined) return NOT_THE_SENDER;
    if (this.#calls.size >= settings().calls) return BUSY;
    const asked = this.#askForKey(id, request, transaction, caller);
    if (asked !== undefined) return asked === 'challenged' ? undefined : asked;
    const tag = randomToken(this.#context.random, TAG_LENGTH);
    const dialog = Dialog.asUas(request, tag, 200);
    if (!dialog.ok) return { status: 400, outcome: 'not-acceptable' };
    const where = places(caller.outside);
    if (where.length === 0) return BUSY;
    const admitted = conferences.admit(id, caller);
    if (!admitted.ok) return refusalOf(admitted.error, caller.kind);
    const { participant } = admitted.value;
    const call: Call = { dialog: dialog.value, conference: id, participant, caller, awaiting: undefined };
    const former = this.#calls.add(call);
    this.#awaitAck(call);
    this.#tellPlace(call, admitted.value, transaction, { toTag: tag });
    if (former !== undefined) this.#hangUp(former, 'replaced', 'left');
    this.#count('joined');
    return undefined;
  }

  /** Guests prove that they know the key; undefined when there is nothing to ask. */
  #askForKey(
    id: string,
    request: SipRequest,
    transaction: ServerTransaction,
    caller: Caller,
  ): Refusal | 'challenged' | undefined {
    if (caller.kind !== 'guest') return undefined;
    const verdict = this.#keys.check(request, id, caller.address, this.#context.clock.wall());
    if (verdict.outcome === 'right') return undefined;
    if (verdict.outcome === 'wrong') return WRONG_KEY;
    this.#count('challenged');
    this.#context.sip.respond(transaction, 401, { headers: verdict.headers });
    return 'challenged';
  }

  #tellPlace(call: Call, admission: Admission, transaction: ServerTransaction, more: RespondOptions): void {
    const { conferences, places, sip } = this.#context;
    const { title, participant, role, token, tokenSeconds } = admission;
    const answer = joined({
      conference: { id: call.conference, domain: conferences.domain },
      ...{ title, participant, role, token, tokenSeconds },
      places: places(call.caller.outside),
    });
    sip.respond(transaction, 200, { ...answer, ...more });
  }

  #awaitAck(call: Call): void {
    call.awaiting?.();
    call.awaiting = this.#context.clock.after(ACK_MS, () => {
      call.awaiting = undefined;
      this.#hangUp(call, 'not-acknowledged', 'absent');
      this.#context.conferences.leave(call.conference, call.participant);
    });
  }

  /** RFC 4575 §3.5: whoever takes part may know who else does, and nobody else. */
  #subscribe(id: string, request: SipRequest, transaction: ServerTransaction): Refusal | undefined {
    const problem = problemOfSubscribe(request);
    if (problem !== undefined) return problem;
    const caller = callerOf(request, this.#context.settings().domains);
    if (caller === undefined) return NOT_THE_SENDER;
    const asked = this.#askForKey(id, request, transaction, caller);
    if (asked !== undefined) return asked === 'challenged' ? undefined : asked;
    const participant = this.#participantOf(id, caller);
    if (participant === undefined) return NOT_IN;
    if (!this.#subscriptions.mayBegin(id, participant)) return BUSY;
    const tag = randomToken(this.#context.random, TAG_LENGTH);
    const dialog = Dialog.asUas(request, tag, 200);
    if (!dialog.ok) return { status: 400, outcome: 'not-acceptable' };
    const seconds = expiresOf(request);
    this.#grant(id, seconds, transaction, tag);
    const audience = caller.kind === 'user' ? 'colleague' : 'outsider';
    const eventId = eventOf(request)?.id;
    this.#subscriptions.begin(
      { dialog: dialog.value, conference: id, participant, audience, eventId },
      seconds,
    );
    return undefined;
  }
  #grant(id: string, seconds: number, transaction: ServerTransaction, toTag?: string): void {
    const headers: [string, string][] = [
      contactOf({ id, domain: this.#context.conferences.domain }),
      ['Expires', `${seconds}`],
    ];
    const options = { headers, ...(toTag === undefined ? {} : { toTag }) };
    this.#context.sip.respond(transaction, 200, options);
    this.#count('subscribed');
  }
  /** By the very address and kind; a guest's address is a random one of a single device. */
  #participantOf(id: string, { address, kind }: Caller): number | undefined {
    return this.#context.conferences
      .roster(id)
      .entries.find((entry) => entry.address.toLowerCase() === address && entry.kind === kind)?.participant;
  }

  #serveInDialog(request: SipRequest, transaction: ServerTransaction): Refusal | undefined {
    const call = this.#callOf(request);
    const subscription = call ? undefined : this.#subscriptions.find(dialogIdOf(request) ?? '');
    const dialog = call?.dialog ?? subscription?.dialog;
    if (dialog === undefined) return NO_DIALOG;
    // Whoever ends a dialog gains nothing; everything else is the participant's own to ask for.
    if (request.method !== 'BYE' && !this.#isOf(dialog, request, call)) return NOT_THE_SENDER;
    const heard = dialog.handleRequest(request);
    if (!heard.ok)
      return heard.error === 'cseq-out-of-order' ? { status: 500, outcome: 'no-dialog' } : NO_DIALOG;
    if (call !== undefined && request.method === 'BYE') return this.#bye(call, transaction);
    if (call !== undefined && request.method === 'INVITE') return this.#reinvite(call, request, transaction);
    if (request.method === 'OPTIONS') {
      this.#context.sip.respond(transaction, 200, capabilities());
      return undefined;
    }
    if (subscription === undefined || request.method !== 'SUBSCRIBE') return METHOD;
    const problem = problemOfSubscribe(request);
    if (problem !== undefined) return problem;
    const seconds = expiresOf(request);
    this.#grant(subscription.conference, seconds, transaction);
    this.#subscriptions.refresh(subscription, seconds);
    return undefined;
  }
  #callOf(request: SipRequest): Call | undefined {
    const id = dialogIdOf(request);
    return id === undefined ? undefined : this.#calls.ofDialog(id);
  }
  #isOf(dialog: Dialog, request: SipRequest, call: Call | undefined): boolean {
    const caller = callerOf(request, this.#context.settings().domains);
    if (caller === undefined || dialog.remoteUri.toLowerCase() !== request.from.uri.toLowerCase())
      return false;
    return call === undefined || (call.caller.address === caller.address && call.caller.kind === caller.kind);
  }

  #bye(call: Call, transaction: ServerTransaction): undefined {
    const { sip, conferences } = this.#context;
    sip.respond(transaction, 200);
    this.#forget(call, 'left');
    this.#subscriptions.endOf(call.conference, call.participant, 'rejected');
    conferences.leave(call.conference, call.participant);
    this.#count('left');
  }
  /** RFC 4579 §5.1: a refresh; another token, since the one before is used up or too old. */
  #reinvite(call: Call, request: SipRequest, transaction: ServerTransaction): Refusal | undefined {
    const problem = problemOfInvite(request);
    if (problem !== undefined) return problem;
    const admission = this.#context.conferences.refresh(call.conference, call.participant);
    if (admission === undefined) {
      this.#forget(call, 'absent');
      return NO_DIALOG;
    }
    this.#awaitAck(call);
    this.#tellPlace(call, admission, transaction, {});
    this.#count('refreshed');
    return undefined;
  }

  /** RFC 4579 §5.11, §5.12: whoever is no longer in is told so. */
  #handleDeparture(conference: string, participant: number, why: Departure): void {
    const call = this.#calls.of(conference, participant);
    if (call !== undefined) this.#hangUp(call, why, why);
    this.#subscriptions.endOf(conference, participant, why === 'ended' ? 'noresource' : 'rejected');
  }
  #hangUp(call: Call, ending: CallEnding, why: Departure): void {
    this.#forget(call, ending);
    call.dialog.terminate();
    this.#context.sip.inDialog(call.dialog, 'BYE', { headers: [['Reason', REASONS[why]]] }, () => {});
  }
  #forget(call: Call, ending: CallEnding): void {
    this.#calls.remove(call);
    this.#context.metrics.ended.inc(ending);
  }

  #refuse(transaction: ServerTransaction, { status, outcome, options }: Refusal): void {
    this.#count(outcome);
    this.#context.sip.respond(transaction, status, options);
    const { request } = transaction;
    const conference = this.#conferenceOf(request) ?? '';
    // One line for each reason of each address; who guesses addresses fills no disk.
    if (!this.#logged.first(`${outcome} ${conference}`)) return;
    this.#context.log.info('caller refused', { reason: outcome, status, method: request.method, conference });
  }
  #count(outcome: FocusOutcome): void {
    this.#context.metrics.requests.inc(outcome);
  }
}
