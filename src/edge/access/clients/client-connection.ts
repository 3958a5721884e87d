import type { Monotonic } from '#kernel';
import type { PoolMember, SipFlow } from '#platform/sip-endpoint';
import type { GuestSession } from '../guests/guest-session.ts';
import { SignIn } from './sign-in.ts';

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

  constructor(flow: SipFlow, token: string, now: Monotonic) {
    this.flow = flow;
    this.token = token;
    this.signIn = new SignIn(now);
  }
}
