import type { Monotonic } from '#kernel';
import { sourceKey } from '#platform/net';
import type { PoolMember, SipFlow } from '#platform/sip-endpoint';
import { type SipRequest, SourceStamp } from '#protocols/sip';
import type { GuestSession } from '../guests/guest-session.ts';
import { SignIn } from './sign-in.ts';

/** Calls of one client that are known; far more than a person has. */
const MOST_CALLS = 64;

/** One client connection: its flow, what is believed of it, and the member of the next hop that serves it. */
export class ClientConnection {
  readonly flow: SipFlow;
  /** The flow token that names this connection (RFC 5626 §5.2). */
  readonly token: string;
  readonly signIn: SignIn;
  /** The member of the next hop that this connection stays with until it fails. */
  member: PoolMember | undefined;
  /** Somebody without an account is on this connection. */
  guest: GuestSession | undefined;

  #stamp: SourceStamp | undefined;
  /** Forwarded requests of or for this client that have no final answer yet. */
  #underWay = 0;
  /** Requests that are not forwarded yet, since it has to be known first whether, or over which connection, they may go. */
  #waiting = 0;
  /** Calls by their Call-ID, from the INVITE to the BYE. */
  #calls: Set<string> | undefined;

  constructor(flow: SipFlow, token: string, now: Monotonic) {
    this.flow = flow;
    this.token = token;
    this.signIn = new SignIn(now);
  }

  /** Where it comes from, for the Via of its requests. */
  get stamp(): SourceStamp {
    this.#stamp ??= new SourceStamp(this.flow.connection.remote);
    return this.#stamp;
  }
  /**
   * Whose share of what belongs to all it uses up: a user's, whatever connections that one has, and before anybody has signed
   * in that of the address it comes from. Opening many connections gains nothing.
   */
  get party(): string {
    return this.signIn.user ?? sourceKey(this.flow.connection.remote.address);
  }
  /** Forgets what ran out; whoever is a stranger again counts as one. */
  handleTime(now: Monotonic): void {
    if (!this.signIn.signedIn) return;
    this.signIn.handleTime(this.flow, now);
    this.flow.party = this.party;
  }
  /** Nothing is lost when the connection ends now. */
  get atRest(): boolean {
    return (
      this.#underWay === 0 && this.#waiting === 0 && (this.#calls === undefined || this.#calls.size === 0)
    );
  }
  /** So many more of its requests, or fewer, wait to be forwarded. */
  waits(more: 1 | -1): void {
    this.#waiting += more;
  }
  /** A request of or for this client is forwarded. @param callId as it is inside: the client may be shown another one */
  begins(request: SipRequest, callId: string): void {
    this.#underWay += 1;
    if (request.method !== 'INVITE' || request.to.tag !== undefined) return;
    this.#calls ??= new Set();
    if (this.#calls.size < MOST_CALLS) this.#calls.add(callId);
  }
  /** It is over; `accepted` when it was answered with a 2xx. */
  ends(request: SipRequest, callId: string, accepted: boolean): void {
    this.#underWay -= 1;
    const failed = request.method === 'INVITE' && request.to.tag === undefined && !accepted;
    if (failed || request.method === 'BYE') this.#calls?.delete(callId);
  }
}
