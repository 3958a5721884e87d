import type { Monotonic } from '#kernel';
import type { SipFlow } from '#platform/sip-endpoint';
import { headOf, readHead, type SipMessage, type SipRequest } from '#protocols/sip';
import type { Owner } from './ownership.ts';

/** How much is remembered; beyond either the oldest requests give way. */
export interface LentRequestsLimits {
  readonly requests: number;
  /** Of their heads, which are kept as texts. */
  readonly characters: number;
}

/** A request that the worker it was lent to has left without a final response. */
export interface LeftRequest {
  /** Without its body. */
  readonly request: SipRequest;
  readonly flow: SipFlow;
  readonly by: Owner['by'];
  /** Of the early dialog that its sender knows. */
  readonly toTag: string | undefined;
}

interface LentRequest {
  readonly flow: SipFlow;
  readonly owner: Owner;
  /** Not the message, which would keep all the memory of what arrived with it. */
  readonly head: string;
  toTag: string | undefined;
  /** Until when its sender waits. */
  until: Monotonic;
}

/** By RFC 3261 §17 an ACK, by [MS-SIP] a BENOTIFY. */
const UNANSWERED: ReadonlySet<string> = new Set(['ACK', 'BENOTIFY']);
/** RFC 3261 §17.1.2.2: Timer F of the sender. Milliseconds. */
const OTHERS_MS = 32_000;
/**
 * RFC 3261 §16.8: Timer C, above 3 minutes and anew with each provisional response, and Timer B for the 487 that the CANCEL
 * then brings. As long as the transaction in the other worker stands. Milliseconds.
 */
const INVITE_MS = 240_000;

/**
 * The requests that other workers were lent and have not answered yet, so that those who sent them are answered when such
 * a worker ends. One that is forgotten before costs its sender the wait for a timer of its own.
 */
export class LentRequests {
  readonly #limits: LentRequestsLimits;
  /** By their numbers, which rise. */
  readonly #open = new Map<number, LentRequest>();
  #latest = 0;
  /** No open request has a lower number. */
  #oldest = 1;
  #characters = 0;

  constructor(limits: LentRequestsLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Gives the number by which the other worker says that it is answered; 0 for a message that nobody answers. */
  add(message: SipMessage, flow: SipFlow, owner: Owner, now: Monotonic): number {
    if (message.kind === 'response' || UNANSWERED.has(message.method)) return 0;
    const head = headOf(message);
    const until = now + (message.method === 'INVITE' ? INVITE_MS : OTHERS_MS);
    this.#latest += 1;
    this.#open.set(this.#latest, { flow, owner, head, toTag: undefined, until });
    this.#characters += head.length;
    this.#makeRoom(now);
    return this.#latest;
  }
  /** An INVITE gets a provisional response. */
  handleRinging(number: number, toTag: string | undefined, now: Monotonic): void {
    const lent = this.#open.get(number);
    if (lent === undefined) return;
    // Of several early dialogs the first one's: a refusal ends them all, whichever it names (RFC 3261 §13.2.2.3).
    lent.toTag ??= toTag;
    lent.until = now + INVITE_MS;
  }
  handleAnswered(number: number): void {
    const lent = this.#open.get(number);
    if (lent !== undefined) this.#drop(number, lent);
  }
  /** There is nobody to answer any more. */
  handleClosed(flow: SipFlow): void {
    for (const [number, lent] of this.#open) if (lent.flow === flow) this.#drop(number, lent);
  }
  /** Takes what a worker that ended has left unanswered. */
  takeLeft(worker: number, now: Monotonic): LeftRequest[] {
    const left: LeftRequest[] = [];
    for (const [number, lent] of this.#open) {
      const { flow, owner, head, toTag, until } = lent;
      if (owner.worker !== worker) continue;
      this.#drop(number, lent);
      if (until > now) left.push({ request: readHead(head), flow, by: owner.by, toTag });
    }
    return left;
  }
  clear(): void {
    for (const [number, lent] of this.#open) this.#drop(number, lent);
  }

  /** One that rings for long lets those behind it stay beyond their time, but nothing beyond the limits. */
  #makeRoom(now: Monotonic): void {
    const { requests, characters } = this.#limits;
    for (; this.#oldest <= this.#latest; this.#oldest += 1) {
      const lent = this.#open.get(this.#oldest);
      if (lent === undefined) continue;
      if (lent.until > now && this.#open.size <= requests && this.#characters <= characters) return;
      this.#drop(this.#oldest, lent);
    }
  }
  #drop(number: number, lent: LentRequest): void {
    this.#open.delete(number);
    this.#characters -= lent.head.length;
  }
}
